// From statements to typed instructions.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "common/dockerfile/duration.hpp"
#include "common/dockerfile/flags.hpp"
#include "common/dockerfile/instruction.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

using Kind = Flags::Kind;

Origin origin_of(const Statement& statement) {
  return {statement.keyword, statement.code(), statement.location, statement.comments};
}

void refuse_flags(const Statement& statement) {
  Flags({}, statement.flags);
}

void require_argument(const Statement& statement, const char* keyword) {
  if (statement.arguments.empty()) {
    throw SyntaxError(std::string(keyword) + " requires at least one argument");
  }
}

const std::string& only_argument(const Statement& statement, const char* keyword) {
  if (statement.arguments.size() != 1) {
    throw SyntaxError(std::string(keyword) + " requires exactly one argument");
  }
  return statement.arguments.front();
}

CommandLine command_line(const Statement& statement) {
  return {statement.arguments, !statement.is_json, statement.heredocs};
}

std::vector<Pair> parse_pairs(const Statement& statement, const char* keyword) {
  refuse_flags(statement);
  require_argument(statement, keyword);
  std::vector<Pair> pairs;
  const auto& words = statement.arguments;
  for (std::size_t i = 0; i + 2 < words.size(); i += 3) {
    if (words[i].empty()) throw SyntaxError(std::string(keyword) + " names can not be blank", words[i + 1]);
    pairs.push_back({words[i], words[i + 1], words[i + 2].empty()});
  }
  return pairs;
}

void require_destination(const Statement& statement, const char* keyword) {
  if (statement.arguments.size() >= 2) return;
  throw SyntaxError(std::string(keyword) +
                    " requires at least two arguments, but only one was provided. Destination could not be "
                    "determined");
}

Transfer parse_transfer(const Statement& statement, const Flags& flags, const char* keyword) {
  Transfer transfer;
  transfer.destination = statement.arguments.back();
  const auto heredoc_or_none = [](const std::string& word) -> std::optional<Heredoc> {
    try {
      return parse_heredoc(word);
    } catch (const SyntaxError&) {
      return std::nullopt;  // then it is the name of a file
    }
  };
  if (heredoc_or_none(transfer.destination)) {
    throw SyntaxError(std::string(keyword) + " cannot accept a heredoc as a destination",
                      transfer.destination);
  }
  for (std::size_t i = 0; i + 1 < statement.arguments.size(); ++i) {
    const std::string& source = statement.arguments[i];
    auto heredoc = heredoc_or_none(source);
    if (!heredoc) {
      transfer.sources.push_back(source);
      continue;
    }
    for (const auto& read : statement.heredocs) {
      if (read.name == heredoc->name) heredoc->body = read.body;
    }
    transfer.inline_files.push_back({heredoc->name, heredoc->content(), heredoc->expand});
  }
  transfer.chown = flags.text("chown");
  transfer.chmod = flags.text("chmod");
  transfer.link = flags.boolean("link").value_or(false);
  transfer.excludes = flags.list("exclude");
  return transfer;
}

Instruction parse_add(const Statement& statement) {
  require_destination(statement, "ADD");
  const Flags flags({{"chown", Kind::text},
                     {"chmod", Kind::text},
                     {"link", Kind::boolean},
                     {"keep-git-dir", Kind::boolean},
                     {"checksum", Kind::text},
                     {"unpack", Kind::boolean},
                     {"exclude", Kind::list}},
                    statement.flags);
  return Add{origin_of(statement), parse_transfer(statement, flags, "ADD"), flags.text("checksum"),
             flags.boolean("keep-git-dir"), flags.boolean("unpack")};
}

Instruction parse_copy(const Statement& statement) {
  require_destination(statement, "COPY");
  const Flags flags({{"chown", Kind::text},
                     {"from", Kind::text},
                     {"chmod", Kind::text},
                     {"link", Kind::boolean},
                     {"exclude", Kind::list},
                     {"parents", Kind::boolean}},
                    statement.flags);
  return Copy{origin_of(statement), parse_transfer(statement, flags, "COPY"), flags.text("from"),
              flags.boolean("parents").value_or(false)};
}

// Flags before the names are passed over, as BuildKit does.
Instruction parse_arg(const Statement& statement) {
  require_argument(statement, "ARG");
  Arg arg{origin_of(statement), {}};
  for (const auto& word : statement.arguments) {
    Declaration declaration;
    const auto equals = word.find('=');
    declaration.name = word.substr(0, equals);
    if (equals != std::string::npos) declaration.value = word.substr(equals + 1);
    if (declaration.name.empty()) throw SyntaxError("ARG names can not be blank", word);
    declaration.description = description_of(declaration.name, statement.comments);
    arg.declarations.push_back(std::move(declaration));
  }
  return arg;
}

Instruction parse_cmd(const Statement& statement) {
  refuse_flags(statement);
  return Cmd{origin_of(statement), command_line(statement)};
}

Instruction parse_entrypoint(const Statement& statement) {
  refuse_flags(statement);
  return Entrypoint{origin_of(statement), command_line(statement)};
}

Instruction parse_env(const Statement& statement) {
  return Env{origin_of(statement), parse_pairs(statement, "ENV")};
}

Instruction parse_expose(const Statement& statement) {
  require_argument(statement, "EXPOSE");
  refuse_flags(statement);
  Expose expose{origin_of(statement), statement.arguments};
  std::sort(expose.ports.begin(), expose.ports.end());
  return expose;
}

std::chrono::nanoseconds interval(const Flags& flags, const std::string& flag) {
  const std::string text = flags.text(flag);
  if (text.empty()) return std::chrono::nanoseconds(0);
  const auto duration = parse_duration(text);
  if (duration.count() != 0 && duration < std::chrono::milliseconds(1)) {
    throw SyntaxError("Interval " + in_quotes(flag) + " cannot be less than 1ms", "--" + flag);
  }
  return duration;
}

int retries(const Flags& flags) {
  const std::string text = flags.text("retries");
  if (text.empty()) return 0;
  const std::string_view digits = std::string_view(text).substr(text.front() == '+' ? 1 : 0);
  int value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const auto fail = [&](const char* reason) {
    return SyntaxError("strconv.ParseInt: parsing " + in_quotes(text) + ": " + reason, "--retries");
  };
  if (error == std::errc::invalid_argument || stop != digits.data() + digits.size() ||
      digits.starts_with('-') != text.starts_with('-')) {
    throw fail("invalid syntax");
  }
  if (error == std::errc::result_out_of_range) throw fail("value out of range");
  if (value < 0)
    throw SyntaxError("--retries cannot be negative (" + std::to_string(value) + ")", "--retries");
  return value;
}

Instruction parse_healthcheck(const Statement& statement) {
  require_argument(statement, "HEALTHCHECK");
  Healthcheck check{origin_of(statement), {}};
  const std::string type = upper(statement.arguments.front());
  const std::vector<std::string> command(statement.arguments.begin() + 1, statement.arguments.end());
  if (type == "NONE") {
    if (!command.empty()) throw SyntaxError("HEALTHCHECK NONE takes no arguments");
    check.test = {type};
    return check;
  }
  const Flags flags({{"interval", Kind::text},
                     {"timeout", Kind::text},
                     {"start-period", Kind::text},
                     {"start-interval", Kind::text},
                     {"retries", Kind::text}},
                    statement.flags);
  if (type != "CMD") {
    throw SyntaxError("Unknown type " + in_quotes(type) + " in HEALTHCHECK (try CMD)",
                      statement.arguments.front());
  }
  if (command.empty()) throw SyntaxError("Missing command after HEALTHCHECK CMD");
  check.test = {statement.is_json ? "CMD" : "CMD-SHELL"};
  check.test.insert(check.test.end(), command.begin(), command.end());
  check.interval = interval(flags, "interval");
  check.timeout = interval(flags, "timeout");
  check.start_period = interval(flags, "start-period");
  check.start_interval = interval(flags, "start-interval");
  check.retries = retries(flags);
  return check;
}

Instruction parse_label(const Statement& statement) {
  return Label{origin_of(statement), parse_pairs(statement, "LABEL")};
}

Instruction parse_maintainer(const Statement& statement) {
  Maintainer maintainer{origin_of(statement), only_argument(statement, "MAINTAINER")};
  refuse_flags(statement);
  return maintainer;
}

// The text behind the keyword, with the bodies of its heredocs as a file would have them.
std::string trigger_text(const Statement& statement) {
  std::string_view text = statement.text;
  const std::string_view keyword = "ONBUILD";
  const auto start = text.find_first_not_of(blanks);
  if (start != std::string_view::npos && equal_fold(text.substr(start, keyword.size()), keyword)) {
    text.remove_prefix(start + keyword.size());
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  }
  std::string trigger(text);
  for (const auto& heredoc : statement.heredocs)
    trigger += '\n' + heredoc.body + heredoc.name;
  return trigger;
}

Instruction parse_onbuild(const Statement& statement) {
  require_argument(statement, "ONBUILD");
  refuse_flags(statement);
  const std::string keyword = upper(trim_space(statement.arguments.front()));
  if (keyword == "ONBUILD") throw SyntaxError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (keyword == "MAINTAINER" || keyword == "FROM") {
    throw SyntaxError(keyword + " isn't allowed as an ONBUILD trigger", statement.arguments.front());
  }
  return Onbuild{origin_of(statement), trigger_text(statement)};
}

Instruction parse_run(const Statement& statement) {
  const Flags flags(
      {{"device", Kind::list}, {"mount", Kind::list}, {"network", Kind::text}, {"security", Kind::text}},
      statement.flags);
  Run run;
  run.origin = origin_of(statement);
  run.command = command_line(statement);
  run.devices = flags.list("device");
  for (const auto& mount : flags.list("mount"))
    run.mount_flags.push_back(parse_mount_flag(mount));
  const std::map<std::string, Network> networks = {
      {"default", Network::sandbox}, {"none", Network::none}, {"host", Network::host}};
  const std::map<std::string, Security> securities = {{"sandbox", Security::sandbox},
                                                      {"insecure", Security::insecure}};
  const auto given = [&](const char* flag, const char* otherwise) {
    const auto values = flags.list(flag);
    return values.empty() ? std::string(otherwise) : values.front();
  };
  const auto network = networks.find(given("network", "default"));
  if (network == networks.end()) {
    throw SyntaxError("invalid network mode " + in_quotes(flags.text("network")), "--network");
  }
  const auto security = securities.find(given("security", "sandbox"));
  if (security == securities.end()) {
    throw SyntaxError("security " + in_quotes(flags.text("security")) + " is not valid", "--security");
  }
  run.network = network->second;
  run.security = security->second;
  return run;
}

Instruction parse_shell(const Statement& statement) {
  refuse_flags(statement);
  require_argument(statement, "SHELL");
  if (!statement.is_json) throw SyntaxError("SHELL requires the arguments to be in JSON form");
  return Shell{origin_of(statement), statement.arguments};
}

// Flags are passed over, as BuildKit does.
Instruction parse_stop_signal(const Statement& statement) {
  return StopSignal{origin_of(statement), only_argument(statement, "STOPSIGNAL")};
}

Instruction parse_user(const Statement& statement) {
  User user{origin_of(statement), only_argument(statement, "USER")};
  refuse_flags(statement);
  return user;
}

Instruction parse_volume(const Statement& statement) {
  require_argument(statement, "VOLUME");
  refuse_flags(statement);
  Volume volume{origin_of(statement), {}};
  for (const auto& path : statement.arguments) {
    volume.paths.emplace_back(trim_space(path));
    if (volume.paths.back().empty()) throw SyntaxError("VOLUME specified can not be an empty string");
  }
  return volume;
}

Instruction parse_workdir(const Statement& statement) {
  Workdir workdir{origin_of(statement), only_argument(statement, "WORKDIR")};
  refuse_flags(statement);
  return workdir;
}

}  // namespace

const Origin& origin(const Instruction& instruction) {
  return std::visit([](const auto& each) -> const Origin& { return each.origin; }, instruction);
}

std::string description_of(const std::string& name, const std::vector<std::string>& comments) {
  if (name.empty()) return "";
  for (const auto& comment : comments) {
    if (comment.starts_with(name + " ")) return comment.substr(name.size() + 1);
  }
  return "";
}

Instruction parse_instruction(const Statement& statement) {
  using Parser = Instruction (*)(const Statement&);
  static const std::map<std::string, Parser> parsers = {
      {"ADD", parse_add},
      {"ARG", parse_arg},
      {"CMD", parse_cmd},
      {"COPY", parse_copy},
      {"ENTRYPOINT", parse_entrypoint},
      {"ENV", parse_env},
      {"EXPOSE", parse_expose},
      {"HEALTHCHECK", parse_healthcheck},
      {"LABEL", parse_label},
      {"MAINTAINER", parse_maintainer},
      {"ONBUILD", parse_onbuild},
      {"RUN", parse_run},
      {"SHELL", parse_shell},
      {"STOPSIGNAL", parse_stop_signal},
      {"USER", parse_user},
      {"VOLUME", parse_volume},
      {"WORKDIR", parse_workdir},
  };
  const auto parser = parsers.find(upper(statement.keyword));
  if (parser == parsers.end()) {
    throw SyntaxError("unknown instruction: " + statement.keyword +
                          did_you_mean(statement.keyword, keywords(), Case::insensitive),
                      statement.keyword);
  }
  return parser->second(statement);
}

}  // namespace dockerfile
