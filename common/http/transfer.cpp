// libcurl's easy and multi interface. The multi interface drives even one transfer, because its poll can wait
// for a descriptor of ours too: to be cancelled ends a transfer at once.
#include "common/http/transfer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <span>
#include <system_error>
#include <utility>

#include "common/http/curl.hpp"
#include "common/http/trust.hpp"
#include "common/sys/file.hpp"
#include "common/util/text.hpp"

namespace http {
namespace {

constexpr long buffer_size = 256 << 10;
constexpr std::size_t most_head_bytes = 256 << 10;  // of all answers to one request, 1xx among them

struct ListDelete {
  void operator()(curl_slist* list) const noexcept { curl().slist_free_all(list); }
};
using FieldList = std::unique_ptr<curl_slist, ListDelete>;

// A transfer under way, as the C callbacks see it.
struct Exchange {
  CURL* easy;
  Receiver& receiver;
  Floor floor;
  Headers headers = {};
  std::size_t head_bytes = 0;
  bool succeeds = false;  // a 2xx answer's body comes
  const Upload* upload = nullptr;
  std::uint64_t sent = 0;  // of it, from its offset on
  Deadlines deadlines = {};
  std::chrono::milliseconds head_time{0};  // for an answer to what has been sent whole
  bool answered = false;

  bool sends() const noexcept { return upload && !answered && sent < upload->size - upload->offset; }
  std::exception_ptr thrown = nullptr;
};

// Runs `action` for a C caller: what it throws is kept for perform() to throw again.
template <typename Action>
bool guarded(Exchange& exchange, Action action) noexcept {
  try {
    action();
    return true;
  } catch (...) {
    exchange.thrown = std::current_exception();
    return false;
  }
}

void take_line(Exchange& exchange, std::string_view line) {
  exchange.head_bytes += line.size();
  if (exchange.head_bytes > most_head_bytes)
    throw Failure("the answer has more than " + util::human_size(most_head_bytes) + " of header fields",
                  Failure::Kind::protocol);
  if (line.starts_with("HTTP/")) {
    exchange.headers.clear();  // a 1xx answer came before
  } else if (!util::trim(line).empty()) {
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) exchange.headers.add(line.substr(0, colon), line.substr(colon + 1));
  } else {
    long status = 0;
    curl().easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return;
    exchange.succeeds = status < 300;
    exchange.answered = true;
    exchange.receiver.on_head(static_cast<int>(status), exchange.headers);
  }
}

extern "C" std::size_t http_on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  return guarded(exchange, [&] { take_line(exchange, {data, size}); }) ? size : CURL_WRITEFUNC_ERROR;
}

extern "C" std::size_t http_on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.floor.receive(size);
  const bool taken =
      guarded(exchange, [&] { exchange.receiver.on_body(std::as_bytes(std::span(data, size))); });
  return taken ? size : CURL_WRITEFUNC_ERROR;
}

extern "C" std::size_t http_on_send(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const auto& upload = *exchange.upload;
  const auto count = std::min<std::uint64_t>(size, upload.size - upload.offset - exchange.sent);
  if (count == 0) return 0;
  const bool read = guarded(exchange, [&] {
    upload.read(upload.offset + exchange.sent, std::as_writable_bytes(std::span(data, count)));
  });
  if (!read) return CURL_READFUNC_ABORT;
  exchange.floor.receive(count);
  exchange.sent += count;
  if (!exchange.sends()) exchange.deadlines.head = std::chrono::steady_clock::now() + exchange.head_time;
  return count;
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  const auto result = curl().easy_setopt(easy, option, value);
  if (result == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (result != CURLE_OK) {
    throw util::Error(std::string("cannot set up libcurl: ") + curl().easy_strerror(result));
  }
}

FieldList with_line(FieldList list, const std::string& line) {
  curl_slist* longer = curl().slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
  return list;
}

FieldList to_list(const std::vector<Header>& headers) {
  FieldList list;
  for (const auto& header : headers) {
    // Some fields return what a server sent, and a line break in one would forge further fields.
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
    if (std::any_of(header.value.begin(), header.value.end(), is_control))
      throw Failure("the field " + header.name + " would hold a control character", Failure::Kind::protocol);
    list = with_line(std::move(list), header.name + ": " + header.value);
  }
  return list;
}

// libcurl reads the environment itself, but not HTTP_PROXY, which a CGI caller could forge; Go programs,
// whose users we take over, read it outside of CGI. Nor do they ask a proxy for the machine's own servers.
void set_proxy(CURL* easy, const Url& url) {
  const auto given = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  if (url.is_loopback()) {
    set(easy, CURLOPT_PROXY, "");
  } else if (url.scheme() == "http" && !given("http_proxy") && given("HTTP_PROXY") &&
             !given("REQUEST_METHOD")) {
    set(easy, CURLOPT_PROXY, std::getenv("HTTP_PROXY"));
  }
}

void set_tls(CURL* easy, const Tls& tls, bool show_key_pair) {
  if (!tls.verify) {
    set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  } else if (!tls.ca_files.empty()) {
    auto certificates = trusted_certificates(tls.ca_files);
    curl_blob blob = {certificates.data(), certificates.size(), CURL_BLOB_COPY};
    set(easy, CURLOPT_CAINFO_BLOB, &blob);
  } else if (const auto system = system_ca_file()) {
    set(easy, CURLOPT_CAINFO, system->c_str());
  }
  if (tls.key_pair && show_key_pair) {
    // libcurl would wait for whoever writes into a FIFO.
    for (const auto& file : {tls.key_pair->certificate, tls.key_pair->key})
      sys::open_readable(file);
    set(easy, CURLOPT_SSLCERT, tls.key_pair->certificate.c_str());
    set(easy, CURLOPT_SSLKEY, tls.key_pair->key.c_str());
  }
}

std::string failed_to_get(const TransferRequest& request) {
  const bool gets = request.method == Method::get || request.method == Method::head;
  return (request.upload && !gets          ? "cannot send to "
          : request.method == Method::post ? "cannot post to "
                                           : "cannot get ") +
         request.url.display() + ": ";
}

// Waits for the server, a second at most. Throws Failure when the server has
// taken too long.
void wait(CURLM* multi, const TransferRequest& request, Exchange& exchange) {
  using std::chrono::milliseconds;
  constexpr milliseconds longest(1000);
  const auto& deadlines = exchange.deadlines;
  const auto begin = std::chrono::steady_clock::now();
  // As long as bytes move at a fair pace, nobody counts how many there are.
  const bool moves = exchange.succeeds || exchange.sends();
  const auto end = moves ? deadlines.whole : std::min(deadlines.whole, deadlines.head);
  const auto fail = [&](const char* reason) {
    throw Failure(failed_to_get(request) + reason, Failure::Kind::timeout);
  };
  if (begin >= end) fail(moves ? "the answer takes too long" : "no answer came in time");
  const auto most =
      std::min({longest, request.timeouts.stall,
                std::chrono::ceil<milliseconds>(std::min(end - begin, decltype(end - begin)(longest)))});
  curl_waitfd cancelled = {request.cancel.fd(), CURL_WAIT_POLLIN, 0};
  if (curl().multi_poll(multi, &cancelled, cancelled.fd >= 0 ? 1 : 0, static_cast<int>(most.count()),
                        nullptr) != CURLM_OK)
    throw util::Error("libcurl failed");
  if (!moves) return;
  const auto waited = std::chrono::round<milliseconds>(std::chrono::steady_clock::now() - begin);
  if (!exchange.floor.wait(std::min(waited, most)))
    fail(exchange.succeeds ? "the server sends next to nothing" : "the server takes next to nothing");
}

Failure::Kind kind_of(CURL* easy, CURLcode result, std::string_view text) {
  using Kind = Failure::Kind;
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Kind::resolve;
    case CURLE_COULDNT_CONNECT:
      return Kind::connect;
    case CURLE_OPERATION_TIMEDOUT: {
      double connected = 0;
      curl().easy_getinfo(easy, CURLINFO_CONNECT_TIME, &connected);
      return connected == 0 ? Kind::connect : Kind::timeout;
    }
    case CURLE_RECV_ERROR:
      // With TLS 1.3 a server refuses our certificate, or that we have none, after the handshake.
      return text.find("SSL") != std::string_view::npos && text.find(" alert ") != std::string_view::npos
                 ? Kind::tls
                 : Kind::cut;
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_GOT_NOTHING:
      return Kind::cut;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      return Kind::tls_verify;
    case CURLE_SSL_CONNECT_ERROR: {
      // A handshake that was cut has this code as well as one that can never succeed.
      long error_number = 0;
      curl().easy_getinfo(easy, CURLINFO_OS_ERRNO, &error_number);
      const bool cut = error_number == ECONNRESET || error_number == EPIPE ||
                       text.find("SSL_ERROR_SYSCALL") != std::string_view::npos ||
                       text.find("unexpected eof") != std::string_view::npos;
      return cut ? Kind::cut : Kind::tls;
    }
    default:
      return Kind::protocol;
  }
}

}  // namespace

struct Transfer::State {
  struct EasyDelete {
    void operator()(CURL* handle) const noexcept { curl().easy_cleanup(handle); }
  };
  struct MultiDelete {
    void operator()(CURLM* handle) const noexcept { curl().multi_cleanup(handle); }
  };

  std::unique_ptr<CURLM, MultiDelete> multi;  // outlives the easy handle, holds the connections
  std::unique_ptr<CURL, EasyDelete> easy;
};

Transfer::Transfer() : state_(std::make_unique<State>()) {
  state_->multi.reset(curl().multi_init());
  state_->easy.reset(curl().easy_init());
  if (!state_->multi || !state_->easy) throw std::bad_alloc();
}

Transfer::~Transfer() = default;

void Transfer::perform(const TransferRequest& request, Receiver& receiver) {
  CURL* const easy = state_->easy.get();
  CURLM* const multi = state_->multi.get();
  Exchange exchange{easy, receiver, Floor(request.timeouts.stall, request.timeouts.slowest)};
  exchange.deadlines = request.deadlines;
  exchange.head_time = request.timeouts.head;
  exchange.upload = request.upload;
  std::array<char, CURL_ERROR_SIZE> reason = {};
  auto fields = to_list(request.headers);
  // Without it libcurl waits up to a second for servers that do not know 100-continue.
  if (request.upload) fields = with_line(std::move(fields), "Expect:");

  // The handle outlives this call, and all that its options point to does not.
  const std::unique_ptr<CURL, decltype(curl().easy_reset)> options(easy, curl().easy_reset);
  set(easy, CURLOPT_URL, request.url.str().c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // Whoever is called off does not wait for the answer to a question of names.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_ERRORBUFFER, reason.data());
  set(easy, CURLOPT_USERAGENT, "oci-build");
  set(easy, CURLOPT_HTTPHEADER, fields.get());
  set(easy, CURLOPT_HEADERFUNCTION, &http_on_header);
  set(easy, CURLOPT_HEADERDATA, &exchange);
  set(easy, CURLOPT_WRITEFUNCTION, &http_on_body);
  set(easy, CURLOPT_WRITEDATA, &exchange);
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_BUFFERSIZE, buffer_size);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  // Parallel downloads use several connections; over one HTTP/2 connection they would share its window.
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeouts.connect.count()));
  set_proxy(easy, request.url);
  set_tls(easy, request.tls, request.show_key_pair);
  if (request.method == Method::head) {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (request.upload) {
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_CUSTOMREQUEST,
        request.method == Method::post    ? "POST"
        : request.method == Method::patch ? "PATCH"
                                          : "PUT");
    set(easy, CURLOPT_INFILESIZE_LARGE,
        static_cast<curl_off_t>(request.upload->size - request.upload->offset));
    // It cannot seek, so libcurl does not send it again by itself: the server may have kept the front.
    set(easy, CURLOPT_READFUNCTION, &http_on_send);
    set(easy, CURLOPT_READDATA, &exchange);
    set(easy, CURLOPT_UPLOAD_BUFFERSIZE, buffer_size);
  } else if (request.method == Method::post) {
    set(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.form.size()));
    set(easy, CURLOPT_COPYPOSTFIELDS, request.form.c_str());
  }

  if (curl().multi_add_handle(multi, easy) != CURLM_OK) throw util::Error("cannot set up libcurl");
  const auto remove = [multi](CURL* handle) { curl().multi_remove_handle(multi, handle); };
  std::unique_ptr<CURL, decltype(remove)> attached(easy, remove);
  int running = 1;
  while (running > 0) {
    request.cancel.check();
    if (curl().multi_perform(multi, &running) != CURLM_OK) throw util::Error("libcurl failed");
    if (running == 0) break;
    wait(multi, request, exchange);
  }
  CURLcode result = CURLE_OK;
  int left = 0;
  while (const CURLMsg* message = curl().multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  if (result == CURLE_OK) return;

  std::string text = reason[0] != '\0' ? reason.data() : curl().easy_strerror(result);
  const auto kind = kind_of(easy, result, text);
  // "Failed to connect to HOST port N after 0 ms: Couldn't connect to server" says to whom, perhaps a proxy,
  // but not why.
  long error_number = 0;
  const auto told = text.find(" after ");
  if (result == CURLE_COULDNT_CONNECT && told != std::string::npos &&
      curl().easy_getinfo(easy, CURLINFO_OS_ERRNO, &error_number) == CURLE_OK && error_number != 0)
    text = text.substr(0, told) + ": " + std::generic_category().message(static_cast<int>(error_number));
  throw Failure(failed_to_get(request) + util::escape(text), kind);
}

}  // namespace http
