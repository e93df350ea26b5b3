// Rewriting of resolv.conf.
#include "common/sandbox/resolv_conf.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "common/sys/file.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

struct ResolvConf {
  std::vector<std::string> nameservers;
  std::vector<std::string> search;
  std::vector<std::string> options;
  std::vector<std::string> other;  // whole lines
};

// Addresses that are none are dropped, as the resolver would.
bool is_address(const std::string& text) {
  unsigned char binary[16];
  const auto zone = text.find('%');
  return ::inet_pton(AF_INET, text.c_str(), binary) == 1 ||
         ::inet_pton(AF_INET6, text.substr(0, zone).c_str(), binary) == 1;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

std::vector<std::string> words_of(std::string_view line) {
  std::string blanks(line);
  std::replace(blanks.begin(), blanks.end(), '\t', ' ');
  auto words = util::split(blanks, ' ');
  std::erase(words, "");
  return words;
}

ResolvConf parse(std::string_view text) {
  ResolvConf conf;
  for (const auto& line : util::split(text, '\n')) {
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    auto words = words_of(line);
    if (words.empty()) continue;
    const auto directive = words.front();
    words.erase(words.begin());
    if (directive == "nameserver") {
      if (!words.empty() && is_address(words.front())) conf.nameservers.push_back(words.front());
    } else if (directive == "search" || directive == "domain") {
      if (!words.empty()) conf.search = words;
    } else if (directive == "options") {
      conf.options.insert(conf.options.end(), words.begin(), words.end());
    } else {
      conf.other.push_back(line);
    }
  }
  return conf;
}

}  // namespace

std::string rewrite_resolv_conf(std::string_view text, Nameservers nameservers) {
  auto conf = parse(text);
  if (nameservers == Nameservers::reachable) std::erase_if(conf.nameservers, is_loopback);
  if (conf.nameservers.empty()) {
    conf.nameservers = {"8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"};
  }
  std::string written;
  for (const auto& address : conf.nameservers)
    written += "nameserver " + address + "\n";
  if (!conf.search.empty()) written += "search " + util::join(conf.search, " ") + "\n";
  if (!conf.options.empty()) written += "options " + util::join(conf.options, " ") + "\n";
  for (const auto& line : conf.other)
    written += line + "\n";
  return written;
}

std::string resolv_conf_for_steps(Nameservers nameservers) {
  auto text = sys::read_if_there("/etc/resolv.conf");
  if (nameservers == Nameservers::reachable &&
      parse(text).nameservers == std::vector<std::string>{"127.0.0.53"}) {
    text = sys::read_if_there("/run/systemd/resolve/resolv.conf");
  }
  return rewrite_resolv_conf(text, nameservers);
}

}  // namespace sandbox
