// The ports of EXPOSE.
#pragma once

#include <string>
#include <vector>

#include "common/dockerfile/source.hpp"

namespace dockerfile {

struct PortWord {
  std::vector<std::string> ports;  // "80/tcp", one for each of a range
  bool odd_case = false;           // the protocol is not in lower case
  bool has_mapping = false;        // an address or a host port stands before it
};

// One word "[ADDRESS:][HOSTPORT:]PORT[-PORT][/PROTOCOL]". Throws SyntaxError.
PortWord parse_port(const std::string& word);

// True for a signal's name (with or without SIG, any case) and for a number that is not 0: what STOPSIGNAL
// takes.
bool is_signal(const std::string& text);

}  // namespace dockerfile
