// Bodies that come compressed, and servers that are not there.
#include <gtest/gtest.h>

#include "common/stream/sink.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/http/requests.hpp"

namespace http {
namespace {

using test::answer;
using test::Reply;
using test::ScriptedServer;

class StringSink : public stream::Sink {
public:
  explicit StringSink(std::string& text) : text_(text) {}
  void write(std::span<const std::byte> data) override {
    text_.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void finish() override {}

private:
  std::string& text_;
};

std::string gzip(const std::string& text) {
  std::string compressed;
  const auto sink =
      stream::compress(std::make_unique<StringSink>(compressed), stream::Compressor::gzip, std::nullopt);
  sink->write(std::as_bytes(std::span(text)));
  sink->finish();
  return compressed;
}

// Text that is long enough to be cut within.
const std::string content = [] {
  std::string text;
  for (std::uint32_t state = 1; text.size() < 5000; state = state * 1664525 + 1013904223)
    text += std::to_string(state);
  return text;
}();

Reply compressed(std::size_t size = std::string::npos) {
  const auto body = gzip(content);
  auto reply = answer("200 OK", "ETag: \"e\"\r\nContent-Encoding: GZip\r\n", body);
  if (size < body.size()) reply.bytes.resize(reply.bytes.size() - body.size() + size);
  return reply;
}

TEST(HttpCoding, DecodesWhatComesCompressed) {
  ScriptedServer server([](auto&, auto) { return compressed(); });
  Client client;
  for (const auto coding : {Coding::gzip, Coding::plain}) {
    auto request = get(server);
    request.coding = coding;
    EXPECT_EQ(client.fetch_text(request, 1 << 20).body, content);
  }
  EXPECT_NE(server.requests().at(0).find("\r\nAccept-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_EQ(server.requests().at(1).find("Accept-Encoding"), std::string::npos);
}

TEST(HttpCoding, BeginsAnewWhereACompressedBodyWasCut) {
  ScriptedServer server([](auto&, std::size_t number) { return compressed(number == 0 ? 2000 : -1); });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server, Content::may_change), 1 << 20).body, content);
  EXPECT_EQ(server.requests().at(1).find("Range"), std::string::npos) << server.requests().at(1);
}

// What fits one read of the connection is unpacked to any size.
TEST(HttpCoding, EndsAtOnceWhenCancelledWithinWhatOneReadUnpacksTo) {
  const std::string zeros(16 << 20, '\0');
  ScriptedServer server(
      [&](auto&, auto) { return answer("200 OK", "Content-Encoding: gzip\r\n", gzip(zeros)); });
  Client client;
  sys::Canceller stop;
  auto request = get(server);
  request.cancel = stop.cancellation();
  std::size_t count = 0;
  EXPECT_EQ(test::error_of([&] {
              client.fetch(request, [&](auto data) {
                count += data.size();
                stop.cancel();
              });
            }),
            "cancelled");
  EXPECT_LT(count, zeros.size() / 4);
}

TEST(HttpCoding, TakesNoRangeOfWhatIsCompressed) {
  ScriptedServer server([](const std::string& head, auto) {
    if (head.find("Range: ") == std::string::npos) return compressed();
    return answer("206 Partial Content", "Content-Range: bytes 7-9/*\r\nContent-Encoding: gzip\r\n", "abc");
  });
  Client client;
  auto request = get(server);
  request.offset = 7;
  EXPECT_EQ(client.fetch_text(request, 1 << 20).body, content.substr(7));
}

TEST(HttpCoding, LeavesOtherCodingsAndAnswersWithoutABodyAlone) {
  ScriptedServer server([](auto&, std::size_t number) {
    return number == 0 ? answer("200 OK", "Content-Encoding: br\r\n", "as it is")
                       : answer("200 OK", "Content-Encoding: gzip\r\n", "");
  });
  Client client;
  EXPECT_EQ(client.fetch_text(get(server), 100).body, "as it is");
  EXPECT_EQ(client.fetch_text(get(server), 100).body, "");
}

TEST(HttpCoding, RefusesACompressedBodyThatIsDamaged) {
  const auto body = gzip(content);
  ScriptedServer server([&](auto&, std::size_t number) {
    return answer("200 OK", "Content-Encoding: gzip\r\n", number == 0 ? body.substr(0, 2000) : "no gzip");
  });
  Client client;
  EXPECT_EQ(test::error_of([&] { client.fetch_text(get(server), 1 << 20); }),
            "the body of " + server.url("/file") + " is cut off within its gzip data");
  EXPECT_EQ(test::error_of([&] { client.fetch_text(get(server), 1 << 20); }),
            "the body of " + server.url("/file") + " is damaged: its gzip data cannot be decoded");
}

// With the delays that are used in earnest.
TEST(HttpClient, AsksOnceMoreWhereNobodyIs) {
  std::string url, port;
  {
    ScriptedServer gone([](auto&, auto) { return Reply{}; });
    url = gone.url();
    port = std::to_string(gone.port());
  }
  std::vector<std::string> told;
  Request request{.url = Url::parse(url)};
  request.on_retry = [&](const std::string& message) { told.push_back(message); };
  EXPECT_EQ(test::error_of([&] { Client().fetch_text(request, 100); }),
            "cannot get " + url + ": Failed to connect to 127.0.0.1 port " + port + ": Connection refused");
  ASSERT_EQ(told.size(), 1);
  EXPECT_NE(told[0].find("Connection refused; trying again in 0."), std::string::npos) << told[0];
}

}  // namespace
}  // namespace http
