// What a libcurl handle holds on to between two transfers.
#include "common/http/transfer.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdarg>
#include <map>
#include <set>
#include <stdexcept>

#include "common/http/curl.hpp"
#include "common/sys/cancellation.hpp"
#include "tests/support/scripted_server.hpp"

namespace http {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::Reply;
using test::ScriptedServer;

// Stands between the code and libcurl: for each live handle the options that hold a pointer to what is not
// libcurl's. Those are not strings, which it copies.
struct Watched {
  Curl real;
  decltype(&::curl_easy_option_by_id) option_by_id;
  std::map<CURL*, std::set<std::string>> held;
  int ever_held = 0;
};
Watched* watched = nullptr;

CURL* watched_init() {
  CURL* const handle = watched->real.easy_init();
  watched->held[handle];
  return handle;
}

void watched_reset(CURL* handle) {
  watched->held[handle].clear();
  watched->real.easy_reset(handle);
}

void watched_cleanup(CURL* handle) {
  watched->held.erase(handle);
  watched->real.easy_cleanup(handle);
}

bool keeps_what_it_gets(CURLoption option) {
  const auto type = watched->option_by_id(option)->type;
  return option != CURLOPT_COPYPOSTFIELDS &&
         (type == CURLOT_OBJECT || type == CURLOT_CBPTR || type == CURLOT_SLIST);
}

// The one argument after the option is a long, a curl_off_t or a pointer, which are passed alike.
CURLcode watched_setopt(CURL* handle, CURLoption option, ...) {
  std::va_list arguments;
  va_start(arguments, option);
  void* const value = va_arg(arguments, void*);
  va_end(arguments);
  if (keeps_what_it_gets(option)) {
    auto& held = watched->held[handle];
    held.erase(watched->option_by_id(option)->name);
    if (value != nullptr) {
      held.insert(watched->option_by_id(option)->name);
      ++watched->ever_held;
    }
  }
  return watched->real.easy_setopt(handle, option, value);
}

class HttpTransfer : public testing::Test {
protected:
  HttpTransfer() {
    void* const library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_NOLOAD);
    watched_.option_by_id =
        reinterpret_cast<decltype(watched_.option_by_id)>(::dlsym(library, "curl_easy_option_by_id"));
    watched = &watched_;
    functions_.easy_init = watched_init;
    functions_.easy_reset = watched_reset;
    functions_.easy_cleanup = watched_cleanup;
    functions_.easy_setopt = watched_setopt;
    transfer_ = std::make_unique<Transfer>();
  }

  ~HttpTransfer() override {
    transfer_.reset();
    EXPECT_TRUE(watched_.held.empty());
    functions_ = watched_.real;
    watched = nullptr;
  }

  // A transfer of that body; `on_body` gets it.
  void perform(Reply reply, const std::function<void()>& on_body, const sys::Cancellation& cancel = {}) {
    struct Taker : Receiver {
      explicit Taker(const std::function<void()>& action) : on_data(action) {}
      void on_head(int, const Headers&) override {}
      void on_body(std::span<const std::byte>) override { on_data(); }
      const std::function<void()>& on_data;
    };
    ScriptedServer server([&](auto&, auto) { return reply; });
    const auto url = Url::parse(server.url());
    const std::string form = "a=b";
    const Tls tls;
    const Timeouts timeouts;
    Taker taker(on_body);
    transfer_->perform(
        {.method = Method::post,
         .url = url,
         .headers = {{"Accept", "text/plain"}},
         .form = form,
         .tls = tls,
         .show_key_pair = false,
         .timeouts = timeouts,
         .deadlines = {std::chrono::steady_clock::now() + 1min, std::chrono::steady_clock::now() + 1min},
         .cancel = cancel},
        taker);
  }

  // What the handle, which lives on, still holds. Fails where it never held anything: then nothing was
  // tested.
  std::set<std::string> held() const {
    EXPECT_EQ(watched_.held.size(), 1U);
    EXPECT_GE(watched_.ever_held, 4);
    return watched_.held.begin()->second;
  }

private:
  Curl& functions_ = const_cast<Curl&>(curl());
  Watched watched_{.real = functions_, .option_by_id = nullptr, .held = {}};
  std::unique_ptr<Transfer> transfer_;
};

using Names = std::set<std::string>;

TEST_F(HttpTransfer, LeavesNothingOfOursInTheHandleAfterAnAnswer) {
  bool came = false;
  perform(answer("200 OK", "", "body"), [&] { came = true; });
  EXPECT_TRUE(came);
  EXPECT_EQ(held(), Names());
}

TEST_F(HttpTransfer, LeavesNothingOfOursInTheHandleAfterACut) {
  auto reply = answer("200 OK", "", "body");
  reply.bytes.pop_back();
  EXPECT_THROW(perform(reply, [] {}), Failure);
  EXPECT_EQ(held(), Names());
}

TEST_F(HttpTransfer, LeavesNothingOfOursInTheHandleWhenTheReceiverThrows) {
  EXPECT_THROW(perform(answer("200 OK", "", "body"), [] { throw std::runtime_error("full"); }),
               std::runtime_error);
  EXPECT_EQ(held(), Names());
}

TEST_F(HttpTransfer, LeavesNothingOfOursInTheHandleWhenItIsCancelled) {
  auto reply = answer("200 OK", "", "body");
  reply.bytes.pop_back();
  reply.hold = true;
  sys::Canceller stop;
  EXPECT_THROW(perform(
                   reply, [&] { stop.cancel(); }, stop.cancellation()),
               util::Error);
  EXPECT_EQ(held(), Names());
}

TEST_F(HttpTransfer, LeavesNothingOfOursInTheHandleWhenItDoesNotEvenBegin) {
  sys::Canceller stop;
  stop.cancel();
  EXPECT_THROW(perform(
                   answer("200 OK", "", "body"), [] {}, stop.cancellation()),
               util::Error);
  EXPECT_EQ(held(), Names());
}

}  // namespace
}  // namespace http
