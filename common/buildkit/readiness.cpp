// The first bytes of an HTTP/2 connection (RFC 9113, section 3.4).
#include "common/buildkit/readiness.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cassert>
#include <cstring>
#include <string>
#include <string_view>

#include "common/sys/fd.hpp"
#include "common/util/error.hpp"

namespace buildkit {
namespace {

using namespace std::string_view_literals;

// The client's preface and an empty SETTINGS frame; a server that is up answers with its own SETTINGS.
constexpr auto client_greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"sv;

}  // namespace

bool answers(const std::filesystem::path& path, std::chrono::milliseconds limit) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const auto text = path.string();
  assert(text.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, text.data(), text.size());

  const sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) util::throw_errno("cannot make a socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return false;
  if (::send(fd.get(), client_greeting.data(), client_greeting.size(), MSG_NOSIGNAL) < 0) return false;
  pollfd event{fd.get(), POLLIN, 0};
  if (::poll(&event, 1, static_cast<int>(limit.count())) != 1) return false;
  char byte;
  return ::recv(fd.get(), &byte, 1, 0) == 1;
}

}  // namespace buildkit
