// Bodies that are sent: whole, again, from where a server has it, and no longer than it takes any of it.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tests/support/error_of.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/http/requests.hpp"

namespace http {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::Reply;
using test::ScriptedServer;

Upload upload_of(const std::string& bytes) {
  return {
      .offset = 0, .size = bytes.size(), .read = [&bytes](std::uint64_t offset, std::span<std::byte> buffer) {
        std::memcpy(buffer.data(), bytes.data() + offset, buffer.size());
      }};
}

Request send(const ScriptedServer& server, Method method, const std::string& bytes) {
  auto request = get(server);
  request.method = method;
  request.upload = upload_of(bytes);
  return request;
}

TEST(HttpUpload, SendsTheWholeBodyAndItsFieldsAtOnce) {
  ScriptedServer server([](auto&, auto) { return answer("201 Created", "", ""); });
  const std::string bytes(3 << 20, 'x');
  Client client;
  auto request = send(server, Method::put, bytes);
  request.headers.push_back({"Content-Type", "application/octet-stream"});
  EXPECT_EQ(client.fetch_text(request, 100).response.status, 201);
  EXPECT_EQ(server.bodies(), std::vector{bytes});
  const auto head = server.requests().at(0);
  EXPECT_TRUE(head.starts_with("PUT /file HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("\r\nContent-Length: 3145728\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nContent-Type: application/octet-stream\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Expect"), std::string::npos) << head;
}

TEST(HttpUpload, SendsAnEmptyBodyAsOne) {
  ScriptedServer server([](auto&, auto) { return answer("202 Accepted", "", ""); });
  Client client;
  for (const auto method : {Method::post, Method::patch})
    EXPECT_EQ(client.fetch_text(send(server, method, ""), 100).response.status, 202);
  EXPECT_TRUE(server.requests().at(0).starts_with("POST "));
  EXPECT_TRUE(server.requests().at(1).starts_with("PATCH "));
  for (const auto& head : server.requests())
    EXPECT_NE(head.find("\r\nContent-Length: 0\r\n"), std::string::npos) << head;
}

TEST(HttpUpload, BeginsAgainAfterAnErrorThatPasses) {
  ScriptedServer server([](auto&, std::size_t number) {
    return number == 0 ? answer("503 Busy", "", "") : answer("201 Created", "", "");
  });
  const std::string bytes = "all of it";
  Client client;
  EXPECT_EQ(client.fetch_text(send(server, Method::put, bytes), 100).response.status, 201);
  EXPECT_EQ(server.bodies(), (std::vector{bytes, bytes}));
}

TEST(HttpUpload, GoesOnWhereItsOwnerSaysAfterACut) {
  ScriptedServer server([](auto&, std::size_t number) {
    return number == 0 ? Reply{.bytes = "", .takes = 4} : answer("202 Accepted", "", "");
  });
  const std::string bytes = "0123456789";
  Client client;
  auto request = send(server, Method::patch, bytes);
  int asked = 0;
  request.before_retry = [&](Request& again) {
    ++asked;
    again.url = Url::parse(server.url("/other"));
    again.upload->offset = 4;
  };
  EXPECT_EQ(client.fetch_text(request, 100).response.status, 202);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(server.bodies(), (std::vector<std::string>{"0123", "456789"}));
  EXPECT_TRUE(server.requests().at(1).starts_with("PATCH /other ")) << server.requests().at(1);
}

TEST(HttpUpload, CountsNoAttemptThatBroughtItOn) {
  ScriptedServer server([](auto&, std::size_t number) {
    return number < 6 ? answer("500 Oh", "", "") : answer("202 Accepted", "", "");
  });
  const std::string bytes(8 << 20, 'x');
  Client client;
  auto request = send(server, Method::patch, bytes);
  request.before_retry = [](Request& again) { again.upload->offset += 1 << 20; };
  EXPECT_EQ(client.fetch_text(request, 100).response.status, 202);
  request.before_retry = [](Request&) {};
  ScriptedServer down([](auto&, auto) { return answer("500 Oh", "", ""); });
  request.url = Url::parse(down.url());
  EXPECT_EQ(client.fetch_text(request, 100).response.status, 500);
  EXPECT_EQ(down.requests().size(), 4);
}

TEST(HttpUpload, EndsWhenNobodyTakesIt) {
  ScriptedServer server([](auto&, auto) { return Reply{.bytes = "", .hold = true, .takes = 1}; });
  const std::string bytes(64 << 20, 'x');
  Client client({.stall = 200ms, .slowest = 1 << 20});
  auto request = send(server, Method::put, bytes);
  request.retry.attempts = 1;
  EXPECT_EQ(test::error_of([&] { client.fetch_text(request, 100); }),
            "cannot send to " + request.url.display() + ": the server takes next to nothing");
}

TEST(HttpUpload, EndsWhenNoAnswerFollows) {
  ScriptedServer server([](auto&, auto) { return Reply{.bytes = "", .hold = true}; });
  const std::string bytes = "some";
  Client client({.head = 100ms});
  auto request = send(server, Method::put, bytes);
  request.retry.attempts = 1;
  EXPECT_EQ(test::error_of([&] { client.fetch_text(request, 100); }),
            "cannot send to " + request.url.display() + ": no answer came in time");
}

TEST(HttpUpload, LeavesWithWhatReadingItThrows) {
  ScriptedServer server([](auto&, auto) { return answer("201 Created", "", ""); });
  Client client;
  auto request = get(server);
  request.method = Method::put;
  request.upload = {.offset = 0, .size = 5, .read = [](auto, auto) { throw util::Error("no such bytes"); }};
  EXPECT_EQ(test::error_of([&] { client.fetch_text(request, 100); }), "no such bytes");
}

TEST(HttpUpload, IsNotSentToWhereItIsRedirected) {
  ScriptedServer server([](auto&, auto) { return answer("307 There", "Location: /elsewhere\r\n", ""); });
  const std::string bytes = "some";
  Client client;
  EXPECT_EQ(client.fetch_text(send(server, Method::put, bytes), 100).response.status, 307);
  EXPECT_EQ(server.requests().size(), 1);
}

}  // namespace
}  // namespace http
