// Filtering of resolv.conf.
#include "common/sandbox/resolv_conf.hpp"

#include <filesystem>

#include "common/sys/file.hpp"
#include "common/util/text.hpp"

namespace sandbox {

std::string without_local_nameservers(std::string_view text) {
  std::string kept;
  bool any = false;
  for (const auto& line : util::split(text, '\n')) {
    auto words = util::trim(line);
    if (words.starts_with("nameserver")) {
      words = util::trim(words.substr(10));
      if (words.starts_with("127.") || words == "::1") continue;
      any = true;
    }
    if (!line.empty()) kept += line + "\n";
  }
  if (!any)
    kept +=
        "nameserver 8.8.8.8\nnameserver 8.8.4.4\nnameserver 2001:4860:4860::8888\nnameserver "
        "2001:4860:4860::8844\n";
  return kept;
}

std::string resolv_conf_for_steps(bool host_network) {
  const std::filesystem::path path = "/etc/resolv.conf";
  std::string text;
  if (std::filesystem::exists(path)) text = sys::read_file(path);
  return host_network ? text : without_local_nameservers(text);
}

}  // namespace sandbox
