// Caches that answer slowly or not at all: each costs a time that has an end.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/cache/exports.hpp"
#include "common/cache/imports.hpp"
#include "common/cache/patience.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/cache/example_records.hpp"

namespace cache {
namespace {

using std::chrono::milliseconds;
using test::answer;
using test::error_of;

bool asks(const std::string& head, std::string_view method, std::string_view part) {
  return head.starts_with(method) && head.substr(0, head.find("\r\n")).find(part) != std::string::npos;
}

class SlowCache : public testing::Test {
protected:
  std::string entry(const test::ScriptedServer& server) const {
    return "type=registry,ref=127.0.0.1:" + std::to_string(server.port()) + "/app";
  }

  Imports imports(const test::ScriptedServer& server) {
    return Imports({entry_of(document::CacheEntry::parse(entry(server), Direction::from), Direction::from)},
                   settings_, store_, [this](const std::string& message) { messages_.push_back(message); });
  }

  std::string error_of_write(const test::ScriptedServer& server) {
    store_.blobs().put("made");
    return error_of([&] {
      write(entry_of(document::CacheEntry::parse(entry(server), Direction::to), Direction::to),
            example_records({{"make", "made"}}), settings_, [&](const store::Blob& wanted) {
              return store_.blobs().open_file(wanted, store::Check::digest);
            });
    });
  }

  sys::TempDir directory_{std::filesystem::temp_directory_path()};
  store::Store store_{directory_.path() / "store"};
  // As in use, but for the length.
  registry::Settings settings_ = {.retry = {.attempts = 2, .first_delay = milliseconds(1)},
                                  .timeouts = {.connect = milliseconds(1000),
                                               .stall = milliseconds(100),
                                               .head = milliseconds(100),
                                               .document = milliseconds(300)}};
  std::vector<std::string> messages_;
};

TEST_F(SlowCache, ThatNeverAnswersIsOneMessageAndNoHit) {
  const test::ScriptedServer server([](auto&, auto) { return test::Reply{.bytes = "", .hold = true}; });
  auto slow = imports(server);
  EXPECT_FALSE(slow.find(plan::key_of(parts_of("make"))));
  EXPECT_FALSE(slow.note(hash::sha256("files")));
  ASSERT_EQ(messages_.size(), 1);
  EXPECT_NE(messages_[0].find("no answer came in time"), std::string::npos) << messages_[0];
}

TEST_F(SlowCache, WhoseManifestComesByteByByteIsOneMessageAndNoHit) {
  const test::ScriptedServer server([](const std::string& head, auto) {
    if (head.starts_with("HEAD")) return answer("405 Method Not Allowed", "", "");
    return test::Reply{.bytes =
                           "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n"
                           "Content-Length: 100000\r\n\r\n",
                       .drip = true};
  });
  auto slow = imports(server);
  EXPECT_FALSE(slow.find(plan::key_of(parts_of("make"))));
  ASSERT_EQ(messages_.size(), 1);
  EXPECT_NE(messages_[0].find("the server sends next to nothing"), std::string::npos) << messages_[0];
}

TEST_F(SlowCache, WhoseLayerComesByteByByteIsGivenUp) {
  const auto records = example_records({{"make", "made"}});
  const auto document = to_json(records);
  const auto manifest = image::to_json(manifest_of(records, document));
  const test::ScriptedServer server([&](const std::string& head, auto) {
    if (asks(head, "GET", "/manifests/") || asks(head, "HEAD", "/manifests/"))
      return answer("200 OK", "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n",
                    asks(head, "GET", "") ? manifest : "");
    if (asks(head, "GET", hash::sha256(document).str())) return answer("200 OK", "", document);
    return test::Reply{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", .hold = true};
  });
  auto slow = imports(server);
  const auto step = slow.find(plan::key_of(parts_of("make")));
  ASSERT_TRUE(step) << (messages_.empty() ? "" : messages_[0]);
  EXPECT_NE(error_of([&] { slow.fetch(*step); }).find("the server sends next to nothing"), std::string::npos);
  EXPECT_TRUE(slow.has_failed());
}

TEST_F(SlowCache, ThatNeverAnswersIsNotWrittenTo) {
  const test::ScriptedServer server([](auto&, auto) { return test::Reply{.bytes = "", .hold = true}; });
  EXPECT_NE(error_of_write(server).find("no answer came in time"), std::string::npos);
}

TEST_F(SlowCache, ThatTakesALayerAndSaysNothingMoreIsNotWrittenTo) {
  const test::ScriptedServer server([](const std::string& head, auto) {
    if (head.starts_with("HEAD")) return answer("404 Not Found", "", "");
    if (head.starts_with("POST")) return answer("202 Accepted", "Location: /v2/app/blobs/uploads/1\r\n", "");
    return test::Reply{.bytes = "", .hold = true};
  });
  EXPECT_NE(error_of_write(server).find("no answer came in time"), std::string::npos);
}

TEST(CachePatience, HasAnEnd) {
  const auto settings = with_less_patience({});
  EXPECT_LE(settings.retry.attempts, 3);
  EXPECT_LE(settings.retry.longest_retry_after, std::chrono::seconds(5));
  EXPECT_LE(settings.timeouts.connect, std::chrono::seconds(5));
  EXPECT_LE(settings.timeouts.head, std::chrono::seconds(20));
  EXPECT_LE(settings.timeouts.document, std::chrono::seconds(60));
  EXPECT_LE(settings.timeouts.stall, std::chrono::seconds(20));
  EXPECT_GE(settings.timeouts.slowest, 64 << 10);
  // Who has even less keeps it.
  EXPECT_EQ(with_less_patience({.retry = {.attempts = 1}}).retry.attempts, 1);
}

}  // namespace
}  // namespace cache
