#include "common/http/client.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <thread>

#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/http/requests.hpp"

namespace http {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::Reply;
using test::ScriptedServer;

// The first `sent` bytes of an answer of `size` bytes, then a cut.
Reply cut_after(std::size_t sent, const std::string& body, const std::string& fields = "") {
  auto reply = answer("200 OK", fields, body);
  reply.bytes.resize(reply.bytes.size() - body.size() + sent);
  return reply;
}

// The rest of `body` that a request asks for by its Range field.
Reply rest_of(const std::string& body, const std::string& head, const std::string& fields = "") {
  const auto range = head.find("Range: bytes=");
  if (range == std::string::npos) return answer("200 OK", fields, body);
  const auto start = static_cast<std::size_t>(std::atoi(head.c_str() + range + 13));
  const auto last = std::to_string(body.size() - 1);
  return answer("206 Partial Content",
                fields + "Content-Range: bytes " + std::to_string(start) + "-" + last + "/*\r\n",
                body.substr(start));
}

TEST(HttpClient, GetsABodyAndItsFields) {
  ScriptedServer server([](auto&, auto) { return answer("200 OK", "ETag: \"e\"\r\n", "hello"); });
  Client client;
  const auto [response, body] = client.fetch_text(get(server), 100);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("etag"), "\"e\"");
  EXPECT_EQ(body, "hello");
}

TEST(HttpClient, HeadAsksForNoBody) {
  ScriptedServer server([](auto&, auto) { return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"}; });
  Client client;
  auto request = get(server);
  request.method = Method::head;
  EXPECT_EQ(client.fetch_text(request, 0).response.headers.find("Content-Length"), "9");
  EXPECT_TRUE(server.requests().at(0).starts_with("HEAD /file HTTP/1.1\r\n"));
}

TEST(HttpClient, PostsAForm) {
  ScriptedServer server([](auto&, auto) { return answer("200 OK", "", "{}"); });
  Client client;
  auto request = get(server);
  request.method = Method::post;
  request.form = "a=b";
  EXPECT_EQ(client.fetch_text(request, 100).body, "{}");
  EXPECT_NE(server.requests().at(0).find("Content-Length: 3\r\n"), std::string::npos);
}

TEST(HttpClient, GivesAnErrorsBodyApart) {
  ScriptedServer server([](auto&, auto) { return answer("404 Not Found", "", "no such thing"); });
  Client client;
  const auto [response, body] = client.fetch_text(get(server), 0);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.error, "no such thing");
  EXPECT_EQ(body, "");
}

TEST(HttpClient, RefusesABodyAboveTheLimit) {
  ScriptedServer server([](auto&, auto) { return answer("200 OK", "", "123456"); });
  Client client;
  EXPECT_THROW(client.fetch_text(get(server), 5), util::Error);
}

TEST(HttpClient, SendsAuthorizationToItsOwnHostAlone) {
  ScriptedServer other([](auto&, auto) { return answer("200 OK", "", "there"); });
  ScriptedServer server([&](auto&, std::size_t number) {
    return number == 0 ? answer("302 Found", "Location: /again\r\n", "")
                       : answer("307 Temporary Redirect", "Location: " + other.url("/x") + "\r\n", "");
  });
  Client client;
  auto request = get(server);
  request.authorization = "Bearer secret";
  const auto [response, body] = client.fetch_text(request, 100);
  EXPECT_EQ(body, "there");
  EXPECT_EQ(response.url.str(), other.url("/x"));
  EXPECT_NE(server.requests().at(0).find("Authorization: Bearer secret\r\n"), std::string::npos);
  EXPECT_NE(server.requests().at(1).find("Authorization: Bearer secret\r\n"), std::string::npos);
  EXPECT_EQ(other.requests().at(0).find("secret"), std::string::npos);
}

TEST(HttpClient, SendsNoAuthorizationOnceARedirectHasLedElsewhere) {
  std::string home;
  ScriptedServer other([&](auto&, auto) { return answer("302 Found", "Location: " + home + "\r\n", ""); });
  ScriptedServer server([&](auto&, std::size_t number) {
    return number == 0 ? answer("302 Found", "Location: " + other.url("/x") + "\r\n", "")
                       : answer("200 OK", "", "back");
  });
  home = server.url("/private");
  Client client;
  auto request = get(server);
  request.authorization = "Basic secret";
  EXPECT_EQ(client.fetch_text(request, 100).body, "back");
  EXPECT_EQ(server.requests().at(1).find("Authorization"), std::string::npos);
}

// libcurl takes what is between two line feeds for a field; others end one at a carriage return too.
TEST(HttpClient, SendsNoFieldThatAServerForgesByALineBreak) {
  const std::string body(100, 'x');
  ScriptedServer server([&](auto&, auto) { return cut_after(10, body, "ETag: \"a\"\rForged: b\"\r\n"); });
  Client client;
  EXPECT_THROW(client.fetch_text(get(server, Content::may_change), 1000), Failure);
  for (const auto& request : server.requests())
    EXPECT_EQ(request.find("Forged"), std::string::npos) << request;
}

TEST(HttpClient, KeepsNoCookiesAndTakesNoUserOfAUrlElsewhere) {
  ScriptedServer other([](auto&, auto) { return answer("200 OK", "", "there"); });
  ScriptedServer server([&](auto&, auto) {
    const auto without_scheme = other.url("/x").substr(5);
    return answer("302 Found", "Set-Cookie: a=b; path=/\r\nLocation: " + without_scheme + "\r\n", "");
  });
  Client client;
  auto request = get(server);
  request.url = Url::parse("http://user:secret@127.0.0.1:" + std::to_string(server.port()) + "/file");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(client.fetch_text(request, 100).body, "there");
  EXPECT_NE(server.requests().at(0).find("Authorization: Basic"), std::string::npos);
  EXPECT_EQ(server.requests().at(1).find("Cookie"), std::string::npos);
  for (const auto& there : other.requests()) {
    EXPECT_EQ(there.find("Authorization"), std::string::npos);
    EXPECT_EQ(there.find("Cookie"), std::string::npos);
  }
}

TEST(HttpClient, EndsEndlessRedirects) {
  ScriptedServer server([](auto&, auto) { return answer("302 Found", "Location: /again\r\n", ""); });
  Client client;
  EXPECT_THROW(client.fetch_text(get(server), 100), util::Error);
  EXPECT_EQ(server.requests().size(), 11);
}

TEST(HttpClient, DoesNotFollowARedirectToAnotherScheme) {
  ScriptedServer server(
      [](auto&, auto) { return answer("302 Found", "Location: file:///etc/passwd\r\n", ""); });
  Client client;
  EXPECT_THROW(client.fetch_text(get(server), 10000), util::Error);
}

TEST(HttpClient, TriesAgainWhatMayPass) {
  ScriptedServer server([](auto&, std::size_t number) -> Reply {
    if (number == 0) return answer("503 Service Unavailable", "", "");
    if (number == 1) return {""};
    if (number == 2) return answer("500 Internal Server Error", "", "");
    return answer("200 OK", "", "at last");
  });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server), 100).body, "at last");
}

TEST(HttpClient, GivesTheLastAnswerWhenAttemptsRunOut) {
  ScriptedServer server([](auto&, auto) { return answer("502 Bad Gateway", "", "down"); });
  Client client;
  const auto response = client.fetch_text(get(server), 100).response;
  EXPECT_EQ(response.status, 502);
  EXPECT_EQ(response.error, "down");
  EXPECT_EQ(server.requests().size(), 4);
}

TEST(HttpClient, WaitsAsLongAsRetryAfterSays) {
  ScriptedServer server([](auto&, std::size_t number) {
    return number == 0 ? answer("429 Too Many Requests", "Retry-After: 1\r\n", "")
                       : answer("200 OK", "", "x");
  });
  Client client;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(client.fetch_text(get(server), 100).body, "x");
  EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
}

TEST(HttpClient, GivesUpOnAServerThatAsksForTooLongAWait) {
  ScriptedServer server(
      [](auto&, auto) { return answer("429 Too Many Requests", "Retry-After: 3600\r\n", ""); });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server), 100).response.status, 429);
  EXPECT_EQ(server.requests().size(), 1);
}

TEST(HttpClient, GoesOnWhereACutDownloadStopped) {
  const std::string body = "0123456789";
  ScriptedServer server([&](const std::string& head, std::size_t number) {
    return number == 0 ? cut_after(4, body) : rest_of(body, head);
  });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server), 100).body, body);
  EXPECT_NE(server.requests().at(1).find("Range: bytes=4-\r\n"), std::string::npos);
}

TEST(HttpClient, GoesOnAlsoWhereTheServerSendsAllOfItAgain) {
  const std::string body = "0123456789";
  ScriptedServer server([&](auto&, std::size_t number) {
    return number < 2 ? cut_after(4 + number, body) : answer("200 OK", "", body);
  });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server), 100).body, body);
}

TEST(HttpClient, StartsAtAnOffset) {
  const std::string body = "0123456789";
  ScriptedServer server([&](const std::string& head, auto) { return rest_of(body, head); });
  Client client;
  auto request = get(server);
  request.offset = 7;
  EXPECT_EQ(client.fetch_text(request, 100).body, "789");
}

TEST(HttpClient, RefusesAnotherRangeThanTheOneAskedFor) {
  ScriptedServer server([&](auto&, auto) {
    return answer("206 Partial Content", "Content-Range: bytes 3-9/10\r\n", "3456789");
  });
  Client client;
  auto request = get(server);
  request.offset = 7;
  EXPECT_THROW(client.fetch_text(request, 100), util::Error);
}

TEST(HttpClient, ResumesWhatMayChangeOnlyByItsETag) {
  const std::string body = "0123456789";
  ScriptedServer server([&](const std::string& head, std::size_t number) {
    return number == 0 ? cut_after(4, body, "ETag: \"1\"\r\n") : rest_of(body, head, "ETag: \"1\"\r\n");
  });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server, Content::may_change), 100).body, body);
  EXPECT_NE(server.requests().at(1).find("If-Range: \"1\"\r\n"), std::string::npos);
}

TEST(HttpClient, NoticesThatTheContentChangedBetweenAttempts) {
  ScriptedServer server([&](auto&, std::size_t number) {
    return number == 0 ? cut_after(4, "0123456789", "ETag: \"1\"\r\n")
                       : answer("200 OK", "ETag: \"2\"\r\n", "abcdefghij");
  });
  Client client;
  EXPECT_THROW(client.fetch_text(get(server, Content::may_change), 100), util::Error);
}

TEST(HttpClient, DoesNotMixVersionsOfWhatHasNoETag) {
  ScriptedServer server([&](auto&, auto) { return cut_after(4, "0123456789"); });
  Client client;
  try {
    client.fetch_text(get(server, Content::may_change), 100);
    FAIL();
  } catch (const Failure& error) {
    EXPECT_EQ(error.kind(), Failure::Kind::cut);
  }
  EXPECT_EQ(server.requests().size(), 1);
}

TEST(HttpClient, SaysWhatIsWrongWithAHostThatIsNotThere) {
  Client client;
  std::string url;
  {
    ScriptedServer gone([](auto&, auto) { return Reply{}; });
    url = gone.url();
  }
  try {
    client.fetch_text({.url = Url::parse(url), .retry = quick}, 100);
    FAIL();
  } catch (const Failure& error) {
    EXPECT_EQ(error.kind(), Failure::Kind::connect);
    EXPECT_TRUE(std::string(error.what()).starts_with("cannot get " + url + ": ")) << error.what();
  }
}

TEST(HttpClient, EndsAtOnceWhenCancelled) {
  ScriptedServer server([](auto&, auto) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", true};
  });
  Client client;
  sys::Canceller stop;
  auto request = get(server);
  request.cancel = stop.cancellation();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(client.fetch(request, [&](auto) { stop.cancel(); }), util::Error);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms);
}

TEST(HttpClient, EndsAtOnceWhenCancelledBetweenAttempts) {
  sys::Canceller stop;
  ScriptedServer server([&](auto&, auto) {
    stop.cancel();
    return answer("503 Service Unavailable", "Retry-After: 50\r\n", "");
  });
  Client client;
  auto request = get(server);
  request.cancel = stop.cancellation();
  EXPECT_THROW(client.fetch_text(request, 100), util::Error);
}

TEST(HttpClient, DoesNotWaitForANameServerOnceCancelled) {
  const sys::TempDir directory("/tmp");
  const auto code = test::in_child([&] {
    if (!sys::enter_private_mounts()) return 77;
    const sys::UniqueFd silent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(0x7f004d35);  // 127.0.77.53
    if (::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 77;
    const auto file = directory.path() / "resolv.conf";
    sys::write_file(file, "nameserver 127.0.77.53\noptions timeout:30 attempts:1\n");
    if (::mount(file.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) != 0) return 77;
    for (const auto* proxy : {"HTTP_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"})
      ::unsetenv(proxy);
    sys::Canceller stop;
    const std::jthread asked([&] {
      char question[512];
      if (::recv(silent.get(), question, sizeof question, 0) > 0) stop.cancel();
    });
    Client client;
    Request request{
        .url = Url::parse("http://registry.example/file"), .retry = quick, .cancel = stop.cancellation()};
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(test::error_of([&] { client.fetch_text(request, 100); }), "cancelled");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
    return testing::Test::HasFailure() ? 1 : 0;
  });
  if (code == 77) GTEST_SKIP() << "this process may not mount, or have port 53";
  EXPECT_EQ(code, 0);
}

TEST(HttpClient, NamesAKeyPairThatIsNoFileInsteadOfWaitingForIt) {
  const sys::TempDir directory("/tmp");
  const auto fifo = directory.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Request request{.url = Url::parse("https://127.0.0.1:1/"), .retry = quick};
  request.tls.key_pair = KeyPair{.certificate = fifo, .key = fifo};
  EXPECT_EQ(test::error_of([&] { Client().fetch_text(request, 100); }),
            "'" + fifo.string() + "' is a FIFO, not a file");
}

TEST(HttpClient, LetsTheBodysExceptionThrough) {
  ScriptedServer server([](auto&, auto) { return answer("200 OK", "", "x"); });
  Client client;
  EXPECT_THROW(client.fetch(get(server), [](auto) { throw std::logic_error("full"); }), std::logic_error);
  EXPECT_EQ(client.fetch_text(get(server), 100).body, "x");
}

TEST(HttpClient, AsksTheProxyOfTheEnvironmentButNotForLoopback) {
  ScriptedServer proxy([](auto&, auto) { return answer("200 OK", "", "by proxy"); });
  ScriptedServer server([](auto&, auto) { return answer("200 OK", "", "direct"); });
  ::setenv("HTTP_PROXY", proxy.url().c_str(), 1);
  Client client;
  EXPECT_EQ(client.fetch_text({.url = Url::parse("http://registry.example/x"), .retry = quick}, 100).body,
            "by proxy");
  EXPECT_TRUE(proxy.requests().at(0).starts_with("GET http://registry.example/x HTTP/1.1\r\n"));
  EXPECT_EQ(client.fetch_text(get(server), 100).body, "direct");
  ::setenv("no_proxy", "registry.example", 1);
  auto request = get(server);
  request.url = Url::parse("http://registry.example:1/x");
  request.retry.attempts = 1;
  EXPECT_THROW(client.fetch_text(request, 100), Failure);
  ::unsetenv("HTTP_PROXY");
  ::unsetenv("no_proxy");
}

TEST(HttpClient, ServesManyThreads) {
  ScriptedServer server([](auto&, auto) { return answer("200 OK", "", "x"); });
  Client client;
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] { good += client.fetch_text(get(server), 100).body == "x"; });
    }
  }
  EXPECT_EQ(good, 8);
}

}  // namespace
}  // namespace http
