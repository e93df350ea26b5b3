// An HTTP client for downloads and uploads: streaming, patient with servers that fail, and careful with
// credentials.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/http/headers.hpp"
#include "common/http/url.hpp"
#include "common/sys/cancellation.hpp"
#include "common/util/error.hpp"

namespace http {

enum class Method { get, head, post, put, patch };

struct KeyPair {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// How an https server is to prove itself, and we to it.
struct Tls {
  std::vector<std::filesystem::path> ca_files = {};  // PEM, trusted beside the system's own
  bool verify = true;                                // false: any certificate will do
  std::optional<KeyPair> key_pair = std::nullopt;    // shown to the first host alone, not after a redirect
};

// When to try again. Tried again is what may pass: a cut or stalled connection, 429, 5xx. Whoever cannot be
// reached at all (no such host, connection refused) is asked once more and a fifth of a second later at most;
// whoever cannot prove who he is, not at all.
struct Retry {
  int attempts = 5;  // those that brought the download or upload on by 1 MiB or more do not count
  std::chrono::milliseconds first_delay{500};  // doubled each time, a quarter more or less by chance
  std::chrono::milliseconds longest_delay{15'000};
  std::chrono::seconds longest_retry_after{120};  // a server that asks for more is given up on
};

// Whether what a URL names can become something else, so that a cut download must not simply go on.
enum class Content {
  fixed,       // addressed by its digest: a resumed download is always right
  may_change,  // resumed only where the server vouches by a strong ETag, else the cut is an error
};

// How long a whole answer may take.
enum class Extent {
  document,  // small: Timeouts::document
  download,  // of any size: as long as it does not become too slow
};

// What the server may do to the body for the way. An answer in the coding "gzip" is decoded in any case, one
// in another coding stands as it is.
enum class Coding {
  plain,  // nothing, please
  gzip,   // as it likes
};

// The body of a POST, PUT or PATCH: the bytes from `offset` to `size` of something that can be read more than
// once.
struct Upload {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  // Fills `buffer` with the bytes from number `offset` on, which are there.
  std::function<void(std::uint64_t offset, std::span<std::byte> buffer)> read = {};
};

struct Request {
  Method method = Method::get;
  Url url;
  std::vector<Header> headers = {};
  // The field's value; a secret, so it goes to the first URL's origin alone, and not even there again once a
  // redirect has led elsewhere.
  std::string authorization = {};
  std::string form = {};  // of a POST: application/x-www-form-urlencoded; a secret as well
  std::optional<Upload> upload = {};
  // Told before the request is made again, of which it may change the URL, the fields and what is uploaded: a
  // server that kept the front of what was cut wants the rest. What it throws leaves fetch().
  std::function<void(Request& request)> before_retry = {};
  std::uint64_t offset = 0;  // of a GET: leave out that many bytes at the front
  Content content = Content::may_change;
  Extent extent = Extent::download;
  Coding coding = Coding::plain;
  Tls tls = {};
  Retry retry = {};
  std::function<void(const std::string& message)> on_retry = {};  // told why, and when it goes on
  sys::Cancellation cancel = {};
};

struct Response {
  int status = 0;
  Headers headers;
  Url url;            // after redirects
  std::string error;  // the first 16 KiB of the body, if the status is not 2xx

  bool success() const noexcept { return status >= 200 && status < 300; }
};

// No usable answer came, after all attempts.
class Failure : public util::Error {
public:
  enum class Kind { resolve, connect, tls_verify, tls, cut, timeout, protocol };

  Failure(const std::string& message, Kind kind) : util::Error(message), kind_(kind) {}

  Kind kind() const noexcept { return kind_; }

private:
  Kind kind_;
};

// Gets the body of a 2xx answer: every byte from Request::offset on, once and in order, whatever was retried.
// What it throws ends the exchange and leaves fetch(). When fetch() gives up or another status comes in the
// end, it may have had the front: count what it gets to go on from there.
using Body = std::function<void(std::span<const std::byte>)>;

// How long a server may keep us. What it exceeds is a Failure of kind timeout, and tried again while there is
// time.
struct Timeouts {
  std::chrono::milliseconds connect{15'000};
  // A download or upload that is slower than `slowest` over this time ends.
  std::chrono::milliseconds stall{60'000};
  long slowest = 1024;  // bytes a second
  // From an attempt, or the end of its upload, to its answer's body, redirects included.
  std::chrono::milliseconds head{120'000};
  std::chrono::milliseconds document{600'000};  // for a document, all attempts included
};

// Keeps connections open between requests. Thread-safe: requests of several threads run side by side.
//
// Proxies come from the environment as Go programs read it: http_proxy, https_proxy, all_proxy, no_proxy in
// either case; never for loopback hosts.
class Client {
public:
  explicit Client(Timeouts timeouts = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Of an answer without 2xx no more than 16 KiB is read. Follows up to 10 redirects of a GET or HEAD, but
  // none from https to http unless Tls::verify is off. Any status may come back, those that are retried when
  // attempts ran out. Throws Failure; util::Error when Request::cancel asks
  // to stop.
  Response fetch(const Request& request, const Body& body);

  // The same for a document, kept in memory. Throws Failure too if it is larger than `limit`.
  struct Text {
    Response response;
    std::string body;
  };
  Text fetch_text(const Request& request, std::size_t limit);

private:
  class Exchange;
  class Pool;

  std::unique_ptr<Pool> pool_;
};

}  // namespace http
