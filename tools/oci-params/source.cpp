// Finding the context and the Dockerfile.
#include "tools/oci-params/source.hpp"

#include <variant>

#include "common/dockerfile/remote.hpp"
#include "common/document/context_url.hpp"
#include "common/sys/bounded_path.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"

namespace params {
namespace {

namespace fs = std::filesystem;

// "https://me:secret@host/": not a user name alone, which ssh:// and git@ need.
bool has_login(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == std::string_view::npos) return false;
  const auto authority = url.substr(begin + 3, url.find_first_of("/?#", begin + 3) - begin - 3);
  const auto login = authority.substr(0, authority.rfind('@'));
  return login.size() < authority.size() && (url.starts_with("http") || login.find(':') != login.npos);
}

fs::path read_context(const Environment& environment) {
  const std::string parameter = "CONTEXT";
  const auto value = environment.value(parameter).value_or(".");
  if (!document::is_url(value)) {
    require_directory(parameter, value);
    return value;
  }
  if (has_login(value)) {
    // It would be seen in the list of processes; nor is it shown here.
    throw util::Error(
        parameter +
        ": the URL holds a login; give a token as BUILDKIT_SECRETTEXT_GIT_AUTH_TOKEN, or get the "
        "context as an input of the task");
  }
  const auto remote = util::with_context(parameter, [&] { return dockerfile::parse_remote(value); });
  if (std::holds_alternative<std::monostate>(remote)) {
    throw util::Error(parameter + ": " + util::quote(value) +
                      " is no URL that can be fetched; name a git repository (https://….git, ssh://, git://, "
                      "git@host:path) or a file (http://, https://)");
  }
  return value;
}

fs::path read_dockerfile(const Environment& environment, const fs::path& context) {
  const auto value = environment.value("DOCKERFILE");
  if (document::is_url(context)) return value.value_or("Dockerfile");
  const fs::path path = value ? fs::path(*value) : (context / "Dockerfile").lexically_normal();
  const auto found = sys::path_within(context, path);
  if (!found && path.filename() == "Dockerfile") {
    auto lower_case = path;
    lower_case.replace_filename("dockerfile");
    if (sys::path_within(context, lower_case)) return lower_case;
  }
  if (!value && !is_present(path)) {
    throw util::Error("DOCKERFILE: there is no " + util::quote(path.string()) +
                      "; set CONTEXT to the directory that holds the Dockerfile, or DOCKERFILE to its path");
  }
  if (!found && is_present(path)) {
    throw util::Error("DOCKERFILE: " + util::quote(path.string()) + " is a link out of " +
                      (sys::lies_in(context, path) ? "the context" : "its directory") +
                      ", or behind one; put the file itself there");
  }
  require_file("DOCKERFILE", found.value_or(path));
  return path;
}

}  // namespace

Source read_source(const Environment& environment, Findings& findings) {
  Source source;
  findings.check([&] {
    source.context = read_context(environment);
    source.dockerfile = read_dockerfile(environment, source.context);
  });
  return source;
}

}  // namespace params
