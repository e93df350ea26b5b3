// Lookup of the Dockerfile, and the warning that needs both it and the ignore file.
#include "common/context/sources.hpp"

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/remote.hpp"
#include "common/dockerfile/text.hpp"
#include "common/sys/bounded_path.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace context {
namespace {

void warn(const char* verb, const dockerfile::Transfer& transfer, const dockerfile::Origin& origin,
          const Ignore& ignore, dockerfile::Lint& lint) {
  for (const auto& source : transfer.sources) {
    if (!std::holds_alternative<std::monostate>(dockerfile::parse_remote(source))) continue;
    if (!ignore.ignores_source(source)) continue;
    lint.warn(dockerfile::Rule::CopyIgnoredFile,
              std::string("Attempting to ") + verb + " file " +
                  dockerfile::in_quotes(dockerfile::clean_path(source)) +
                  " that is excluded by .dockerignore",
              origin.location, origin.comments);
  }
}

}  // namespace

std::filesystem::path find_dockerfile(const std::filesystem::path& context,
                                      const std::filesystem::path& wanted) {
  if (auto found = sys::path_within(context, wanted)) return *found;
  if (wanted.filename() == "Dockerfile") {
    if (auto lower_case = sys::path_within(context, wanted.parent_path() / "dockerfile")) return *lower_case;
  }
  std::string message = "cannot find the Dockerfile " + util::quote(wanted.string());
  if (sys::is_there(wanted)) {
    message += ": it is a link, or behind one, that leads out of ";
    message += sys::lies_in(context, wanted) ? "the context" : "its directory";
    message += "; put the file itself there";
  }
  throw util::Error(message);
}

void warn_of_ignored_sources(const dockerfile::Instruction& instruction, const Ignore& ignore,
                             dockerfile::Lint& lint) {
  if (const auto* add = std::get_if<dockerfile::Add>(&instruction)) {
    warn("Add", add->transfer, add->origin, ignore, lint);
  } else if (const auto* copy = std::get_if<dockerfile::Copy>(&instruction)) {
    if (copy->from.empty()) warn("Copy", copy->transfer, copy->origin, ignore, lint);
  }
}

}  // namespace context
