// The common end of every main().
#include "common/cli/run_tool.hpp"

#include <cerrno>
#include <cstdio>
#include <new>
#include <string>
#include <string_view>

#include "common/cli/version.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/names.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace cli {
namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t description_column = 28;

// CLI11 does not wrap; this does, at blanks.
std::string wrap(const std::string& text, std::size_t indent) {
  std::string wrapped;
  std::size_t column = indent;
  for (const auto& word : util::split(text, ' ')) {
    if (column > indent && column + 1 + word.size() > help_width) {
      wrapped += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += word.size();
  }
  return wrapped;
}

class Formatter : public CLI::Formatter {
public:
  std::string make_option(const CLI::Option* option, bool positional) const override {
    return row(make_option_name(option, positional) + make_option_opts(option), make_option_desc(option));
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    // The type says enough; CLI11 would add defaults, environment variables and REQUIRED.
    const auto type = option->get_type_name();
    return option->get_type_size() == 0 || option->get_positional() || type.empty() ? "" : " " + type;
  }

  std::string make_option_usage(const CLI::Option* option) const override {
    // A name may say itself which of its words are repeated.
    const auto name = make_option_name(option, true);
    return name.find("... ") == std::string::npos ? CLI::Formatter::make_option_usage(option) : name;
  }

  std::string make_description(const CLI::App* app) const override {
    std::string text;
    for (const auto& paragraph : util::split(app->get_description(), '\n'))
      text += wrap(paragraph, 0) + "\n";
    return text;
  }

  // Lines "NAME<TAB>description" become rows like those of options.
  std::string make_footer(const CLI::App* app) const override {
    std::string text;
    for (const auto& line : util::split(app->get_footer(), '\n')) {
      const auto tab = line.find('\t');
      if (tab != std::string::npos) {
        text += row(line.substr(0, tab), line.substr(tab + 1));
      } else if (!line.empty()) {
        text += line + "\n";
      }
    }
    return text;
  }

private:
  static std::string row(const std::string& name, const std::string& description) {
    std::string line = "  " + name;
    if (line.size() + 2 > description_column) {
      line += "\n" + std::string(description_column, ' ');
    } else {
      line.resize(description_column, ' ');
    }
    return line + wrap(description, description_column) + "\n";
  }
};

int parse_failure(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help, --version
  util::log::error(util::escape(error.what()) + "; see '" + app.get_name() + " --help'");
  return static_cast<int>(util::ExitCode::usage);
}

void check_stdout() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) util::throw_errno("cannot write to stdout");
}

}  // namespace

int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& job) {
  util::log::set_program(app.get_name());
  app.formatter(std::make_shared<Formatter>());
  app.set_version_flag("--version", version_text(app.get_name()), "print the version and exit");
  app.set_help_flag("-h,--help", "print this help and exit");
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "say more on stderr");
  try {
    app.parse(argc, argv);
    if (verbose) util::log::set_level(util::log::Level::debug);
    sys::use_own_name_services();
    sys::cancel_on_signals();
    job();
    check_stdout();
    return static_cast<int>(util::ExitCode::done);
  } catch (const CLI::ParseError& error) {
    return parse_failure(app, error);
  } catch (const util::Error& error) {
    const std::string_view message = error.what();
    if (!message.empty()) util::log::error(message);
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    util::log::error("out of memory");
  } catch (const std::exception& error) {
    util::log::error("unexpected error, please report it: " + util::escape(error.what()));
  }
  return static_cast<int>(util::ExitCode::failed);
}

}  // namespace cli
