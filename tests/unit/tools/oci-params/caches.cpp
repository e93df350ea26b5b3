#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

class Caches : public RequestTest {
protected:
  static Strings written(const std::vector<document::CacheEntry>& entries) {
    Strings texts;
    for (const auto& entry : entries)
      texts.push_back(entry.attributes.str());
    return texts;
  }
};

TEST_F(Caches, TheTasksCacheIsUsedWhereItIs) {
  EXPECT_FALSE(read({}).cache.directory);
  make_directory("cache");
  EXPECT_EQ(read({}).cache.directory, "cache");
  make_directory("state");
  EXPECT_EQ(read({{"STATE_DIR", "state"}}).cache.directory, "state");
  EXPECT_EQ(error_of({{"STATE_DIR", "none"}}),
            "STATE_DIR: 'none' does not exist; is its input missing from the task?");
}

TEST_F(Caches, ACacheThatIsAFileIsAnError) {
  write("cache");
  EXPECT_EQ(error_of({}), "caches: 'cache' is not a directory; name one");
}

TEST_F(Caches, EntriesStandOnLinesInBuildKitsWords) {
  write("old/index.json", "{}");
  const auto cache = read({{"CACHE_FROM", "type=registry,ref=r.example.com/c\n\n type=local,src=old\n"},
                           {"CACHE_TO", "type=inline\ntype=local,dest=new,mode=max"}})
                         .cache;
  EXPECT_EQ(written(cache.from), (Strings{"type=registry,ref=r.example.com/c", "type=local,src=old"}));
  EXPECT_EQ(written(cache.to), (Strings{"type=inline", "type=local,dest=new,mode=max"}));
}

TEST_F(Caches, ALocalCacheWithoutContentIsLeftOut) {
  make_directory("old");
  const Variables variables = {{"CACHE_FROM", "type=local,src=old"}};
  params::Findings findings;
  EXPECT_TRUE(params::read_request(params::Environment(variables), findings).cache.from.empty());
  EXPECT_EQ(findings.warnings(),
            (Strings{"CACHE_FROM: 'old' holds no cache yet, so nothing is read from it"}));
}

TEST_F(Caches, EntriesSayWhatTheyLackAndShowNoKeys) {
  write("file");
  const auto from = [](const std::string& entry) { return error_of({{"CACHE_FROM", entry}}); };
  const auto to = [](const std::string& entry) { return error_of({{"CACHE_TO", entry}}); };
  EXPECT_EQ(from("r.example.com/c"),
            "CACHE_FROM: the entry names no type; write type=registry,ref=IMAGE or type=local,...");
  EXPECT_EQ(
      to("type=s4,secret_access_key=hunter2"),
      "CACHE_TO: the type 's4' is none of registry, local, inline, gha, s3, azblob; did you mean 's3'?");
  EXPECT_EQ(to("type=registry"), "CACHE_TO: the entry of type registry names no image; add ref=IMAGE");
  EXPECT_EQ(from("type=local"), "CACHE_FROM: the entry of type local names no directory; add src=DIRECTORY");
  EXPECT_EQ(to("type=local,src=a"),
            "CACHE_TO: the entry of type local names no directory; add dest=DIRECTORY");
  EXPECT_EQ(from("type=local,src=absent"), "CACHE_FROM: 'absent' is not a directory; name one that exists");
  EXPECT_EQ(to("type=local,dest=file"), "CACHE_TO: 'file' is not a directory; name one");
  EXPECT_EQ(from("type=inline"),
            "CACHE_FROM: a cache of type inline is read from its image; write type=registry,ref=IMAGE");
  EXPECT_EQ(from("type=\"local"),
            "CACHE_FROM: a quote stands inside a field; quote the whole field, as in \"src=a,b\"");
}

TEST_F(Caches, WhatMayStayIsANumberWithAUnit) {
  const auto size = [](const std::string& text) { return read({{"CACHE_MAX_SIZE", text}}).cache.max_size; };
  const auto age = [](const std::string& text) { return read({{"CACHE_MAX_AGE", text}}).cache.max_age; };
  EXPECT_EQ(read({}).cache.max_size, std::nullopt);
  EXPECT_EQ(read({}).cache.max_age, std::nullopt);
  EXPECT_EQ(size("10GB"), 10'000'000'000U);
  EXPECT_EQ(size("512 mib"), 512U << 20);
  EXPECT_EQ(size("1000"), 1000U);
  EXPECT_EQ(size("0"), 0U);
  EXPECT_EQ(age("30d"), 30U * 24 * 3600);
  EXPECT_EQ(age("2 w"), 14U * 24 * 3600);
  EXPECT_EQ(age("0"), 0U);
  for (const auto* text : {"10G", "GB", "-1GB", "1.5GB", "ten", "10GB more", "99999999999999999999B"})
    EXPECT_EQ(error_of({{"CACHE_MAX_SIZE", text}}),
              "CACHE_MAX_SIZE: '" + std::string(text) + "' is no amount; write it as in 10GB or 512MiB");
  EXPECT_EQ(error_of({{"CACHE_MAX_SIZE", "9999999999GB"}}),
            "CACHE_MAX_SIZE: '9999999999GB' is more than there can be; give less");
  for (const auto* text : {"30", "30GB", "1y"})
    EXPECT_EQ(error_of({{"CACHE_MAX_AGE", text}}),
              "CACHE_MAX_AGE: '" + std::string(text) + "' is no amount; write it as in 30d or 12h");
}

}  // namespace
