// Redirects, retries and resumed downloads over single transfers.
#include "common/http/client.hpp"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <mutex>
#include <random>

#include "common/http/transfer.hpp"
#include "common/stream/gzip.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace http {
namespace {

constexpr int most_redirects = 10;
constexpr std::size_t most_error_bytes = 16 << 10;
constexpr std::uint64_t worthwhile_progress = 1 << 20;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool may_pass(int status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

bool may_pass(Failure::Kind kind) {
  using Kind = Failure::Kind;
  return kind != Kind::tls_verify && kind != Kind::tls && kind != Kind::protocol;
}

// Nobody is there. It may pass, while a service is started anew, but mostly a name is wrong, and a person
// waits.
constexpr int attempts_at_nobody = 2;
constexpr std::chrono::milliseconds delay_at_nobody{200};

bool is_nobody(const std::optional<Failure>& failure) {
  using Kind = Failure::Kind;
  return failure && (failure->kind() == Kind::resolve || failure->kind() == Kind::connect);
}

std::chrono::milliseconds with_chance(std::chrono::milliseconds delay) {
  // So that many clients which one failure hit do not come back all at once.
  thread_local std::minstd_rand generator(std::random_device{}());
  return delay * std::uniform_int_distribution<int>(75, 125)(generator) / 100;
}

std::string seconds(std::chrono::milliseconds time) {
  return util::fixed(std::chrono::duration<double>(time).count(), 1) + "s";
}

const char* name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET ";
    case Method::head:
      return "HEAD ";
    case Method::post:
      return "POST ";
    case Method::put:
      return "PUT ";
    case Method::patch:
      break;
  }
  return "PATCH ";
}

[[noreturn]] void fail(const std::string& message) {
  throw Failure(message, Failure::Kind::protocol);
}

using Clock = std::chrono::steady_clock;

// Ends the transfer of an answer of which enough is known.
struct Enough {};

// What a body is decoded into.
class BodySink : public stream::Sink {
public:
  explicit BodySink(std::function<void(std::span<const std::byte>)> body) : body_(std::move(body)) {}
  void write(std::span<const std::byte> data) override { body_(data); }
  void finish() override {}

private:
  std::function<void(std::span<const std::byte>)> body_;
};

Url resolve(const Url& url, const std::string& location) {
  try {
    return url.resolve(location);
  } catch (const util::Error& error) {
    fail(url.display() + " redirects to an " + error.what());
  }
}

}  // namespace

// Transfers that no thread uses now, with their connections.
class Client::Pool {
public:
  explicit Pool(Timeouts given) : timeouts(given) {}

  std::unique_ptr<Transfer> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Transfer>();
    auto transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }

  void give_back(std::unique_ptr<Transfer> transfer) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(transfer));
  }

  const Timeouts timeouts;

private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Transfer>> idle_;
};

// One fetch(): what was delivered so far, across attempts and redirects.
class Client::Exchange : private Receiver {
public:
  Exchange(const Request& request, const Body& body, Pool& pool)
      : request_(request),
        body_(body),
        pool_(pool),
        response_{.status = 0, .headers = {}, .url = request.url, .error = {}} {
    if (request.extent == Extent::document) deadlines_.whole = Clock::now() + pool.timeouts.document;
    assert(request.offset == 0 || request.content == Content::fixed);
  }

  // One attempt, redirects included.
  const Response& attempt() {
    Url url = request_.url;
    left_home_ = false;
    deadlines_.head = Clock::now() + pool_.timeouts.head;
    for (int redirects = 0;; ++redirects) {
      transfer(url);
      const auto location = response_.headers.find("Location");
      const bool may_follow = request_.method == Method::get || request_.method == Method::head;
      if (!is_redirect(response_.status) || !location || !may_follow) return response_;
      if (redirects == most_redirects) fail(url.display() + " leads to too many redirects");
      Url next = resolve(url, *location);
      if (url.scheme() == "https" && next.scheme() == "http" && request_.tls.verify) {
        fail(url.display() + " redirects to " + next.display() + ", which is not encrypted");
      }
      url = std::move(next);
    }
  }

  // Whether time is left after `wait`.
  bool has_time(std::chrono::milliseconds wait) const { return Clock::now() + wait < deadlines_.whole; }

  std::uint64_t delivered() const noexcept { return delivered_; }

  bool can_go_on() const {
    return delivered_ == 0 || request_.content == Content::fixed ||
           (!etag_.empty() && !etag_.starts_with("W/"));
  }

private:
  void transfer(const Url& url) {
    response_ = {.status = 0, .headers = {}, .url = url, .error = {}};
    // Whoever may redirect could otherwise have our login used where he likes.
    left_home_ = left_home_ || !url.same_origin(request_.url);
    const bool at_home = !left_home_;
    auto headers = request_.headers;
    if (at_home && !request_.authorization.empty())
      headers.push_back({"Authorization", request_.authorization});
    const std::uint64_t start = request_.offset + delivered_;
    if (request_.coding == Coding::gzip) headers.push_back({"Accept-Encoding", "gzip"});
    // Positions are those of the decoded body, so what comes encoded comes from its start.
    if (start > 0 && request_.method == Method::get && !encoded_) {
      headers.push_back({"Range", "bytes=" + std::to_string(start) + "-"});
      if (request_.content == Content::may_change) headers.push_back({"If-Range", etag_});
    }
    auto transfer = pool_.take();
    try {
      transfer->perform({.method = request_.method,
                         .url = url,
                         .headers = std::move(headers),
                         .form = request_.form,
                         .upload = request_.upload ? &*request_.upload : nullptr,
                         .tls = request_.tls,
                         .show_key_pair = at_home,
                         .timeouts = pool_.timeouts,
                         .deadlines = deadlines_,
                         .cancel = request_.cancel},
                        *this);
      if (decoder_) decoder_->finish();
      pool_.give_back(std::move(transfer));  // not after an exception: its connection may be in any state
    } catch (const Enough&) {
    } catch (const Failure& failure) {
      // An answer whose body does not end is one nevertheless, if it is the status that counts.
      if (failure.kind() != Failure::Kind::timeout || response_.status == 0 || response_.success()) throw;
    }
    util::log::debug(name_of(request_.method) + url.display() + ": " + std::to_string(response_.status));
  }

  void on_head(int status, const Headers& headers) override {
    response_.status = status;
    response_.headers = headers;
    skip_ = 0;
    decoder_.reset();
    if (!response_.success()) return;
    decode(headers);
    const std::uint64_t start = request_.offset + delivered_;
    if (status == 206) {
      const auto range = headers.find("Content-Range");
      if (parse_content_range_start(range.value_or("")) != start) {
        fail(response_.url.display() + " answered with another range than the one asked for");
      }
      return;
    }
    const auto etag = headers.find("ETag").value_or("");
    if (delivered_ > 0 && request_.content == Content::may_change && etag != etag_) {
      fail(response_.url.display() + " changed while it was downloaded");
    }
    etag_ = etag;
    skip_ = start;  // the server sends all of it again
  }

  void on_body(std::span<const std::byte> data) override {
    if (!response_.success()) {
      const auto count = std::min(data.size(), most_error_bytes - response_.error.size());
      response_.error.append(reinterpret_cast<const char*>(data.data()), count);
      if (count < data.size()) throw Enough();
      return;
    }
    decoder_ ? decoder_->write(data) : deliver(data);
  }

  void decode(const Headers& headers) {
    const bool encoded = util::equal_without_case(headers.find("Content-Encoding").value_or(""), "gzip") &&
                         request_.method != Method::head && headers.find("Content-Length") != "0";
    if (encoded && response_.status == 206) {
      encoded_ = true;
      throw Failure(response_.url.display() + " answered with a range of what is compressed",
                    Failure::Kind::cut);
    }
    encoded_ = encoded;
    if (!encoded) return;
    decoder_ = stream::gunzip_into(std::make_unique<BodySink>([this](auto data) { deliver(data); }),
                                   "the body of " + response_.url.display());
  }

  // A little that comes may be very much unpacked, and libcurl goes on as long as more is there.
  void deliver(std::span<const std::byte> data) {
    request_.cancel.check();
    const auto skipped = std::min<std::uint64_t>(skip_, data.size());
    skip_ -= skipped;
    data = data.subspan(skipped);
    if (data.empty()) return;
    body_(data);
    delivered_ += data.size();
  }

  const Request& request_;
  const Body& body_;
  Pool& pool_;
  Deadlines deadlines_;
  bool left_home_ = false;
  Response response_;
  std::string etag_;
  std::uint64_t delivered_ = 0;
  std::uint64_t skip_ = 0;
  bool encoded_ = false;  // the last answer's body was
  std::unique_ptr<stream::Sink> decoder_;
};

Client::Client(Timeouts timeouts) : pool_(std::make_unique<Pool>(timeouts)) {}

Client::~Client() = default;

Response Client::fetch(const Request& given, const Body& body) {
  Request request = given;  // before_retry changes it
  Exchange exchange(request, body, *pool_);
  auto delay = request.retry.first_delay;
  for (int failures = 0;;) {
    const auto before = exchange.delivered();
    const auto sent_before = request.upload ? request.upload->offset : 0;
    std::optional<Response> answer;
    std::optional<Failure> failure;
    try {
      answer = exchange.attempt();
      if (!may_pass(answer->status)) return *answer;
    } catch (const Failure& error) {
      if (!may_pass(error.kind()) || !exchange.can_go_on()) throw;
      failure = error;
    }
    if (exchange.delivered() - before >= worthwhile_progress) {
      failures = 0;
      delay = request.retry.first_delay;
    }
    std::optional<std::chrono::seconds> asked;
    if (answer) {
      asked = parse_retry_after(answer->headers.find("Retry-After").value_or(""),
                                std::chrono::system_clock::now());
    }
    const auto own = is_nobody(failure) ? std::min(delay, delay_at_nobody) : delay;
    const auto wait =
        std::max<std::chrono::milliseconds>(with_chance(own), asked.value_or(std::chrono::seconds(0)));
    const int attempts =
        is_nobody(failure) ? std::min(request.retry.attempts, attempts_at_nobody) : request.retry.attempts;
    if (++failures >= attempts || asked > request.retry.longest_retry_after || !exchange.has_time(wait)) {
      if (failure) throw *failure;
      return *answer;
    }
    const auto reason = failure ? std::string(failure->what())
                                : answer->url.display() + " answered " + std::to_string(answer->status);
    const auto message = reason + "; trying again in " + seconds(wait);
    request.on_retry ? request.on_retry(message) : util::log::debug(message);
    request.cancel.sleep(wait);
    delay = std::min(delay * 2, request.retry.longest_delay);
    if (!request.before_retry) continue;
    request.before_retry(request);
    if (request.upload && request.upload->offset >= sent_before + worthwhile_progress) {
      failures = 0;
      delay = request.retry.first_delay;
    }
  }
}

Client::Text Client::fetch_text(const Request& request, std::size_t limit) {
  std::string text;
  Request document = request;
  document.extent = Extent::document;
  auto response = fetch(document, [&](std::span<const std::byte> data) {
    if (data.size() > limit - text.size()) {
      fail("the answer of " + request.url.display() + " is larger than " + util::human_size(limit));
    }
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
  });
  return {std::move(response), std::move(text)};
}

}  // namespace http
