// How much of a server's answer is read, and how long it may take.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/http/requests.hpp"

namespace http {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::Reply;
using test::ScriptedServer;

TEST(HttpBounds, ReadsNoMoreOfAnErrorThanItShows) {
  for (const std::string status : {"404 Not Found", "200 OK", "307 Temporary Redirect"}) {
    ScriptedServer server([&](auto&, std::size_t number) {
      const auto first = number == 0 ? status : "403 Forbidden";
      if (first == "200 OK") return answer("403 Forbidden", "", "short");
      return Reply{"HTTP/1.1 " + first + "\r\nLocation: /next\r\nContent-Length: 99999999\r\n\r\n" +
                       std::string(1 << 20, 'x'),
                   true};
    });
    Client client;
    const auto response = client.fetch_text(get(server), 100).response;
    EXPECT_GE(response.status, 403) << status;
    EXPECT_LE(response.error.size(), 16 << 10);
  }
}

TEST(HttpBounds, TriesAgainAfterAnErrorThatDoesNotEnd) {
  ScriptedServer server([](auto&, std::size_t number) {
    if (number == 1) return answer("200 OK", "", "at last");
    return Reply{"HTTP/1.1 503 Busy\r\nContent-Length: 99999999\r\n\r\n" + std::string(1 << 20, 'x'), true};
  });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server), 100).body, "at last");
}

// The kind of the Failure that getting from `server` ends with, tried once.
Failure::Kind kind_of_failure(const ScriptedServer& server, const Timeouts& timeouts) {
  Client client(timeouts);
  auto request = get(server);
  request.retry.attempts = 1;
  try {
    client.fetch_text(request, 1 << 20);
  } catch (const Failure& failure) {
    return failure.kind();
  }
  throw std::logic_error("no failure");
}

TEST(HttpBounds, RefusesFieldsWithoutEnd) {
  ScriptedServer server([](auto&, auto) {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    while (bytes.size() < 300 << 10)
      bytes += "Field: " + std::string(1000, 'x') + "\r\n";
    return Reply{bytes, true};
  });
  EXPECT_EQ(kind_of_failure(server, {}), Failure::Kind::protocol);
}

TEST(HttpBounds, RefusesPreliminaryAnswersWithoutEnd) {
  ScriptedServer server([](auto&, auto) {
    std::string bytes;
    while (bytes.size() < 300 << 10)
      bytes += "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    return Reply{bytes, true};
  });
  EXPECT_EQ(kind_of_failure(server, {}), Failure::Kind::protocol);
}

TEST(HttpBounds, WaitsForAnAnswerNoLongerThanItsTime) {
  ScriptedServer server([](auto&, auto) { return Reply{"HTTP/1.1 200 OK\r\nField: ", true}; });
  EXPECT_EQ(kind_of_failure(server, {.head = 50ms}), Failure::Kind::timeout);
}

TEST(HttpBounds, WaitsForADocumentNoLongerThanItsTime) {
  ScriptedServer server([](auto&, auto) { return Reply{"HTTP/1.1 200 OK\r\n\r\nx", true}; });
  EXPECT_EQ(kind_of_failure(server, {.document = 50ms}), Failure::Kind::timeout);
}

TEST(HttpBounds, GivesUpOnAServerThatSendsNextToNothing) {
  ScriptedServer server([](auto&, auto) { return Reply{"HTTP/1.1 200 OK\r\n\r\nx", false, true}; });
  EXPECT_EQ(kind_of_failure(server, {.stall = 50ms, .slowest = 1 << 20}), Failure::Kind::timeout);
}

TEST(HttpBounds, TakesTheStatusOfAnErrorThatComesByteForByte) {
  ScriptedServer server([](auto&, auto) { return Reply{"HTTP/1.1 404 Not Found\r\n\r\nx", false, true}; });
  Client client({.head = 100ms});
  EXPECT_EQ(client.fetch_text(get(server), 100).response.status, 404);
  EXPECT_EQ(server.requests().size(), 1);
}

TEST(HttpBounds, HasOneDeadlineForAllRedirectsOfAnAttempt) {
  ScriptedServer server([](auto&, auto) {
    return Reply{"HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\nx", false, true};
  });
  EXPECT_EQ(kind_of_failure(server, {.head = 100ms}), Failure::Kind::timeout);
  EXPECT_LE(server.requests().size(), 2);
}

TEST(HttpBounds, HasOneDeadlineForAllAttemptsAtADocument) {
  ScriptedServer server([](auto&, auto) { return answer("503 Busy", "Retry-After: 50\r\n", ""); });
  Client client({.document = 20s});
  EXPECT_EQ(client.fetch_text(get(server), 100).response.status, 503);
  EXPECT_EQ(server.requests().size(), 1);
}

TEST(HttpBounds, NoticesAStalledServer) {
  ScriptedServer server([](auto&, auto) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", true};
  });
  Client client(Timeouts{.stall = 50ms});
  auto request = get(server);
  request.retry.attempts = 1;
  try {
    client.fetch_text(request, 100);
    FAIL();
  } catch (const Failure& error) {
    EXPECT_EQ(error.kind(), Failure::Kind::timeout);
  }
}

}  // namespace
}  // namespace http
