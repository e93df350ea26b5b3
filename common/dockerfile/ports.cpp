// Reading of ports and signals.
#include "common/dockerfile/ports.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "common/dockerfile/text.hpp"
#include "common/util/text.hpp"

namespace dockerfile {
namespace {

struct PortRange {
  int first;
  int last;
};

// Go's strconv.ParseInt, which allows a sign.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<int> parse_port_number(std::string_view text) {
  const auto value = parse_integer(text);
  if (!value || *value < 0 || *value > 65535) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<PortRange> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port_number(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos || text.substr(0, dash) == text.substr(dash + 1)) {
    return PortRange{*first, *first};
  }
  const auto last = parse_port_number(text.substr(dash + 1));
  if (!last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

bool is_address(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// The address between brackets, if there are any.
std::string unbracketed(const std::string& text) {
  if (!text.starts_with('[')) return text;
  if (!text.ends_with(']') || text.find_first_of("[]", 1) != text.size() - 1) {
    throw SyntaxError("invalid IP address " + text, text);
  }
  return text.substr(1, text.size() - 2);
}

struct Parts {
  std::string address;
  std::string host_port;
  std::string port;
};

Parts split(const std::string& word) {
  auto parts = util::split(word, ':');
  Parts result;
  result.port = parts.back();
  if (parts.size() < 2) return result;
  result.host_port = parts[parts.size() - 2];
  parts.resize(parts.size() - 2);
  result.address = util::join(parts, ":");
  return result;
}

}  // namespace

PortWord parse_port(const std::string& word) {
  Parts parts = split(word);
  const auto slash = parts.port.find('/');
  std::string protocol = slash == std::string::npos ? "" : parts.port.substr(slash + 1);
  parts.port.resize(std::min(slash, parts.port.size()));
  if (parts.port.empty()) throw SyntaxError("invalid port: " + in_quotes(word) + ": no port specified", word);
  if (protocol.empty()) protocol = "tcp";
  const std::string low = lower(protocol);
  if (low != "tcp" && low != "udp" && low != "sctp") {
    throw SyntaxError("invalid port: " + in_quotes(word) + ": invalid proto: " + protocol, word);
  }
  PortWord result;
  result.odd_case = protocol != low;
  result.has_mapping = !parts.address.empty() || !parts.host_port.empty();
  const std::string address = unbracketed(parts.address);
  if (!address.empty() && !is_address(address)) throw SyntaxError("invalid IP address: " + address, word);
  const auto range = parse_range(parts.port);
  if (!range) throw SyntaxError("invalid containerPort: " + parts.port, word);
  if (!parts.host_port.empty()) {
    const auto host = parse_range(parts.host_port);
    if (!host) throw SyntaxError("invalid hostPort: " + parts.host_port, word);
    if (range->last != range->first && range->last - range->first != host->last - host->first) {
      throw SyntaxError(
          "invalid ranges specified for container and host Ports: " + parts.port + " and " + parts.host_port,
          word);
    }
  }
  for (int port = range->first; port <= range->last; ++port) {
    result.ports.push_back(std::to_string(port) + '/' + low);
  }
  return result;
}

bool is_signal(const std::string& text) {
  if (const auto number = parse_integer(text)) return *number != 0;
  std::string name = upper(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  static const std::vector<std::string> names = {
      "ABRT", "ALRM", "BUS",  "CHLD", "CLD",  "CONT", "FPE",    "HUP",    "ILL",  "INT",  "IO",    "IOT",
      "KILL", "PIPE", "POLL", "PROF", "PWR",  "QUIT", "SEGV",   "STKFLT", "STOP", "SYS",  "TERM",  "TRAP",
      "TSTP", "TTIN", "TTOU", "URG",  "USR1", "USR2", "VTALRM", "WINCH",  "XCPU", "XFSZ", "RTMIN", "RTMAX"};
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  // RTMIN+1 to RTMIN+15 and RTMAX-14 to RTMAX-1, without leading zeros.
  const bool from_min = name.starts_with("RTMIN+");
  if (!from_min && !name.starts_with("RTMAX-")) return false;
  const std::string digits = name.substr(6);
  const auto offset = util::parse_uint(digits);
  return offset && *offset >= 1 && *offset <= (from_min ? 15 : 14) && digits.front() != '0';
}

}  // namespace dockerfile
