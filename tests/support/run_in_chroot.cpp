// Runs a command in a root directory as a step of isolation "chroot" or "namespaces": the sandbox alone,
// without a build around it.
//
// Usage: run-in-chroot [-n] [-N] [-u USER] [-w DIRECTORY] [-e NAME=VALUE] [-b SOURCE:TARGET] [-c
// SOURCE:TARGET]
//                      [-s TARGET=CONTENT] [-t TARGET] ROOT COMMAND...
// -n: by namespaces, -N: without network, -b: a bind mount, -c: one that lasts, -s: a secret, -t: a tmpfs.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "common/sandbox/sandbox.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

std::pair<std::string, std::string> halves(const std::string& text, char separator) {
  const auto at = text.find(separator);
  return {text.substr(0, at), text.substr(at + 1)};
}

sandbox::Spec read_spec(int argc, char** argv, bool& by_namespaces) {
  sandbox::Spec spec;
  spec.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  for (int option; (option = ::getopt(argc, argv, "+nNu:w:e:b:c:s:t:")) != -1;) {
    const std::string value = ::optarg != nullptr ? ::optarg : "";
    const auto [first, second] = halves(value, option == 's' ? '=' : ':');
    switch (option) {
      case 'n':
        by_namespaces = true;
        break;
      case 'N':
        spec.network = sandbox::Network::none;
        break;
      case 'u':
        spec.user = value;
        break;
      case 'w':
        spec.working_dir = value;
        break;
      case 'e':
        spec.env.push_back(value);
        break;
      case 'b':
      case 'c':
        spec.binds.push_back({.source = first, .target = second, .lasting = option == 'c'});
        break;
      case 's':
        spec.files.push_back({.target = first, .content = second});
        break;
      case 't':
        spec.tmpfs.push_back({.target = value, .size = {}});
        break;
      default:
        throw util::Error("see the comment in its source for how it is called", util::ExitCode::usage);
    }
  }
  if (argc - ::optind < 2) throw util::Error("a root and a command are missing", util::ExitCode::usage);
  spec.root = argv[::optind];
  spec.args.assign(argv + ::optind + 1, argv + argc);
  return spec;
}

int run(int argc, char** argv) {
  bool by_namespaces = false;
  auto spec = read_spec(argc, argv, by_namespaces);
  if (by_namespaces && !sys::enter_private_mounts()) throw util::Error("nothing may be mounted here");
  sys::cancel_on_signals();
  const sys::TempDir directory(std::filesystem::absolute(spec.root).parent_path());
  const auto sandbox =
      by_namespaces ? sandbox::make_namespaces(directory.path()) : sandbox::make_chroot(directory.path());
  const auto status =
      sandbox->run(spec, [](std::string_view text) { sys::write_all(STDOUT_FILENO, text, "stdout"); });
  return status.as_exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const util::Error& error) {
    std::fprintf(stderr, "run-in-chroot: %s\n", error.what());
    return error.exit_code();
  }
}
