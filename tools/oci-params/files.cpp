// Questions to the filesystem, with errors that a person can act on.
#include "tools/oci-params/files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/document/context_url.hpp"
#include "common/sys/bounded_path.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace params {
namespace {

[[noreturn]] void fail(const std::string& parameter, const std::filesystem::path& path,
                       const std::string& reason) {
  throw util::Error(parameter + ": " + util::quote(path.string()) + " " + reason);
}

struct stat status_of(const std::string& parameter, const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (path.string().find("-----BEGIN ") != std::string::npos) {
    throw util::Error(parameter +
                      ": the value is the text of a key or certificate; write it to a file and name that");
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    fail(parameter, path, "does not exist; is its input missing from the task?");
  }
  fail(parameter, path, std::string("cannot be examined: ") + std::strerror(errno));
}

}  // namespace

bool is_present(const std::filesystem::path& path, sys::Links links) {
  struct stat status {};
  return (links == sys::Links::kept ? ::lstat : ::stat)(path.c_str(), &status) == 0;
}

void require_existing(const std::string& parameter, const std::filesystem::path& path) {
  status_of(parameter, path);
}

void require_directory(const std::string& parameter, const std::filesystem::path& path) {
  if (!S_ISDIR(status_of(parameter, path).st_mode)) fail(parameter, path, "is not a directory; name one");
}

void require_file(const std::string& parameter, const std::filesystem::path& path) {
  if (S_ISDIR(status_of(parameter, path).st_mode)) fail(parameter, path, "is a directory; name a file in it");
  if (::access(path.c_str(), R_OK) != 0)
    fail(parameter, path, std::string("cannot be read: ") + std::strerror(errno));
  util::with_context(parameter, [&] { sys::open_readable(path); });
}

std::filesystem::path find_own_file(const Environment& environment, const std::string& parameter,
                                    const std::filesystem::path& path) {
  const std::filesystem::path context = environment.value("CONTEXT").value_or(".");
  if (document::is_url(context) || !sys::lies_in(context, path)) return path;
  if (const auto found = util::with_context(parameter, [&] { return sys::path_within(context, path); }))
    return *found;
  if (is_present(path))
    fail(parameter, path, "is a link out of the context, or behind one; name the file itself");
  return path;  // for whoever opens it to say that it is missing
}

std::string read_text_file(const std::string& parameter, const std::filesystem::path& path) {
  require_file(parameter, path);
  auto text = util::with_context(parameter, [&] { return sys::read_file(path, 16 << 20); });
  if (!util::is_utf8(text)) fail(parameter, path, "is not UTF-8; save it as UTF-8 text");
  if (text.find('\0') != std::string::npos) fail(parameter, path, "holds a NUL byte; it must be text");
  return text;
}

}  // namespace params
