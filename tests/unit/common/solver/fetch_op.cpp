// Downloads of ADD from a server that answers as each test says.
#include "common/solver/fetch_op.hpp"

#include "common/hash/sha256.hpp"
#include "common/store/store.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/common/solver/ops.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using test::Lines;

constexpr const char* dated = "Last-Modified: Thu, 01 Jan 1970 00:16:40 GMT\r\n";

class FetchOp : public test::Ops {
protected:
  // Answers all requests from now on.
  void serve(const std::string& status, const std::string& fields, const std::string& body) {
    const std::lock_guard lock(mutex_);
    reply_ = test::answer(status, fields, body);
  }

  Change fetched(Fetching fetching = Fetching::if_changed) {
    return fetch(op_, fetching, trees(), cache_, cancel());
  }

  // What is_current() says, and whether it names the content.
  std::pair<bool, bool> current() {
    std::optional<hash::Digest> identity;
    const bool is = is_current(op_, *cache_, identity, cancel());
    return {is, identity.has_value()};
  }

  // The heads of the requests since it was asked last: their first words, and the ETag that they name.
  Lines requests() {
    Lines found;
    const auto all = server_.requests();
    for (; asked_ < all.size(); ++asked_) {
      const auto& head = all[asked_];
      const auto tag = head.find("If-None-Match: ");
      found.push_back(
          head.substr(0, head.find(' ')) +
          (tag != std::string::npos ? " " + head.substr(tag + 15, head.find('\r', tag) - tag - 15) : ""));
    }
    return found;
  }

  hash::Checksum checksum_of(const std::string& content) {
    return {hash::Algorithm::sha256, std::string(hash::sha256(content).hex())};
  }

private:
  std::mutex mutex_;
  test::Reply reply_ = test::answer("200 OK", "", "");
  test::ScriptedServer server_{[this](const std::string&, std::size_t) {
    const std::lock_guard lock(mutex_);
    return reply_;
  }};
  std::size_t asked_ = 0;

protected:
  store::Store store_{outside() / "store"};
  StepCache steps_{store_, "Dockerfile"};
  StepCache* cache_ = &steps_;
  plan::Http op_{.url = server_.url("/file"), .file_name = "file", .checksum = std::nullopt};
};

TEST_F(FetchOp, FileIsAloneInItsFilesystemAndAsOldAsTheServerSays) {
  serve("200 OK", dated, "content");
  const auto change = fetched();
  EXPECT_EQ(lines(change), (Lines{"f 600 0:0 file: content"}));
  EXPECT_EQ(status(change, "file").st_mtim.tv_sec, 1000);
  serve("200 OK", "", "content");
  EXPECT_EQ(status(fetched(), "file").st_mtim.tv_sec, 0);
}

TEST_F(FetchOp, ContentNamesTheChange) {
  serve("200 OK", "", "content");
  const auto first = fetched().identity;
  EXPECT_TRUE(first);
  EXPECT_EQ(fetched(Fetching::anew).identity, first);
  serve("200 OK", "", "other content");
  EXPECT_NE(fetched(Fetching::anew).identity, first);
}

TEST_F(FetchOp, FailureSaysTheStatus) {
  serve("404 Not Found", "", "no such file");
  EXPECT_EQ(test::error_of([&] { fetched(); }), "failed to load cache key: invalid response status 404");
}

TEST_F(FetchOp, WrongChecksumFails) {
  serve("200 OK", "", "content");
  op_.checksum = checksum_of("content");
  EXPECT_EQ(lines(fetched()), (Lines{"f 600 0:0 file: content"}));
  op_.checksum = checksum_of("other");
  EXPECT_EQ(test::error_of([&] { fetched(); }),
            "digest mismatch " + checksum_of("content").str() + ": " + checksum_of("other").str());
}

TEST_F(FetchOp, WhatHasNotChangedComesOutOfTheStore) {
  serve("200 OK", std::string(dated) + "ETag: \"1\"\r\n", "content");
  const auto first = fetched();
  EXPECT_EQ(requests(), Lines{"GET"});
  serve("304 Not Modified", "", "");
  const auto second = fetched();
  EXPECT_EQ(requests(), Lines{"GET \"1\""});
  EXPECT_EQ(lines(second), lines(first));
  EXPECT_EQ(second.identity, first.identity);
  EXPECT_EQ(status(second, "file").st_mtim.tv_sec, 1000);
}

TEST_F(FetchOp, WhatIsWantedAnewIsAskedForWithoutConditions) {
  serve("200 OK", "ETag: \"1\"\r\n", "content");
  fetched();
  requests();
  fetched(Fetching::anew);
  EXPECT_EQ(requests(), Lines{"GET"});
}

TEST_F(FetchOp, WithoutACacheNothingIsKept) {
  cache_ = nullptr;
  serve("200 OK", "ETag: \"1\"\r\n", "content");
  fetched();
  EXPECT_EQ(lines(fetched()), (Lines{"f 600 0:0 file: content"}));
  EXPECT_EQ(requests(), (Lines{"GET", "GET"}));
  EXPECT_FALSE(fs::exists(outside() / "store/blobs" / hash::sha256("content").hex()));
}

TEST_F(FetchOp, SameETagMeansTheSameFile) {
  EXPECT_EQ(current(), std::pair(false, false));  // nothing was downloaded yet
  serve("200 OK", "ETag: \"1\"\r\n", "content");
  fetched();
  requests();
  EXPECT_EQ(current(), std::pair(true, true));
  EXPECT_EQ(requests(), Lines{"HEAD \"1\""});
  EXPECT_EQ(lines(fetched(Fetching::from_store)), (Lines{"f 600 0:0 file: content"}));
  EXPECT_EQ(requests(), Lines{});
  serve("200 OK", "ETag: \"2\"\r\n", "other content");
  EXPECT_EQ(current(), std::pair(false, false));
  serve("500 Internal Server Error", "", "");
  EXPECT_EQ(current(), std::pair(false, false));
}

TEST_F(FetchOp, WithoutAnETagNobodyCanTell) {
  serve("200 OK", dated, "content");
  fetched();
  requests();
  EXPECT_EQ(current(), std::pair(false, false));
  EXPECT_EQ(requests(), Lines{});
}

TEST_F(FetchOp, ChecksumNamesTheFileWithoutTheServer) {
  op_.checksum = checksum_of("content");
  EXPECT_EQ(current(), std::pair(false, true));
  serve("200 OK", "", "content");
  fetched();
  requests();
  EXPECT_EQ(current(), std::pair(true, true));
  EXPECT_EQ(requests(), Lines{});
}

TEST_F(FetchOp, DamageInTheStoreIsDownloadedAgain) {
  serve("200 OK", "ETag: \"1\"\r\n", "content");
  fetched();
  sys::write_file(outside() / "store/blobs" / hash::sha256("content").hex(), "c0ntent");
  testing::internal::CaptureStderr();
  EXPECT_EQ(lines(fetched(Fetching::from_store)), (Lines{"f 600 0:0 file: content"}));
  testing::internal::GetCapturedStderr();  // the warning of the store
}

TEST_F(FetchOp, EndsWhenCancelled) {
  canceller_.cancel();
  EXPECT_EQ(test::error_of([&] { fetched(); }), "cancelled");
}

}  // namespace
}  // namespace solver
