// Every text of a step that becomes a C string.
#include "common/sandbox/check_spec.hpp"

#include "common/util/text.hpp"

namespace sandbox {
namespace {

void refuse(const std::string& what, const std::string& text, const std::string& shown) {
  if (text.find('\0') != std::string::npos)
    throw StartError(what + " " + util::quote(shown) + " holds a NUL byte");
}

void refuse(const std::string& what, const std::string& text) {
  refuse(what, text, text);
}

}  // namespace

void refuse_nul_bytes(const Spec& spec) {
  for (const auto& argument : spec.args)
    refuse("the argument", argument);
  for (const auto& variable : spec.env)  // its value may be a secret
    refuse("the environment variable", variable, variable.substr(0, variable.find('=')));
  refuse("the working directory", spec.working_dir);
  refuse("the user", spec.user);
  refuse("the hostname", spec.hostname);
  for (const auto& host : spec.hosts)
    refuse("the host", host);
  for (const auto& bind : spec.binds) {
    refuse("the mount source", bind.source.string());
    refuse("the mount target", bind.target);
  }
  for (const auto& tmpfs : spec.tmpfs)
    refuse("the mount target", tmpfs.target);
  for (const auto& file : spec.files)
    refuse("the mount target", file.target);
}

}  // namespace sandbox
