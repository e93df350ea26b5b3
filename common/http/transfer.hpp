// One request and its answer over libcurl, without redirects or retries. Private to this library.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/http/client.hpp"
#include "common/http/patience.hpp"
#include "common/sys/cancellation.hpp"

namespace http {

struct TransferRequest {
  Method method;
  const Url& url;
  std::vector<Header> headers;
  const std::string& form;
  const Upload* upload = nullptr;
  const Tls& tls;
  bool show_key_pair;
  const Timeouts& timeouts;
  Deadlines deadlines;
  const sys::Cancellation& cancel;
};

// What the answer's parts are given to. Exceptions end the transfer and leave perform().
class Receiver {
public:
  virtual ~Receiver() = default;
  // Once, with the final answer's status and fields (no 1xx, no answers of a proxy to CONNECT).
  virtual void on_head(int status, const Headers& headers) = 0;
  virtual void on_body(std::span<const std::byte> data) = 0;
};

// A libcurl handle with the connections it keeps open.
class Transfer {
public:
  Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  // Throws Failure when there is no whole answer, what `receiver` throws, and as
  // sys::Cancellation::check does.
  void perform(const TransferRequest& request, Receiver& receiver);

private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace http
