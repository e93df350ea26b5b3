// The document of a cache, ours and foreign.
#include "common/cache/records.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/unit/common/cache/example_records.hpp"

namespace cache {
namespace {

using Json = nlohmann::json;

TEST(CacheRecords, AreReadAsTheyWereWritten) {
  const auto records = example_records();
  EXPECT_EQ(parse_records(to_json(records)), records);
  EXPECT_EQ(to_json(parse_records(to_json(records))), to_json(records));
}

TEST(CacheRecords, HaveAManifestWithEachLayerOnce) {
  const auto records = example_records({{"one", "same"}, {"other", "same"}, {"third", "else"}});
  const auto json = to_json(records);
  const auto manifest = manifest_of(records, json);
  EXPECT_EQ(manifest.layers.size(), 2);
  EXPECT_EQ(manifest.config.media_type, "application/vnd.oci-build.cache.v1+json");
  EXPECT_EQ(manifest.config.digest, hash::sha256(json));
  EXPECT_EQ(image::parse_manifest(image::to_json(manifest), "it").layers.size(), 2);
}

// What reading the example after `change` fails with.
std::string error_after(const std::function<void(Json&)>& change) {
  auto document = Json::parse(to_json(example_records()));
  change(document);
  return test::error_of([&] { parse_records(document.dump()); });
}

TEST(CacheRecords, OfAnotherFormAreRefused) {
  const std::string no_error = "no error";
  EXPECT_EQ(error_after([](Json&) {}), no_error);
  const std::vector<std::function<void(Json&)>> changes = {
      [](Json& it) { it["schema"] = "oci-build/cache/2"; },
      [](Json& it) { it["more"] = 1; },
      [](Json& it) { it.erase("notes"); },
      [](Json& it) { it["steps"] = 1; },
      [](Json& it) { it["steps"][0]["key"] = hash::sha256("another").str(); },
      [](Json& it) { it["steps"][0]["parts"][0]["value"] = hash::sha256("another").str(); },
      [](Json& it) { it["steps"][0]["parts"][0]["kind"] = "magic"; },
      [](Json& it) { it["steps"][0]["digest"] = "sha256:../../../etc/passwd"; },
      [](Json& it) { it["steps"][0]["diff_id"] = "md5:00"; },
      [](Json& it) { it["steps"][0]["size"] = -1; },
      [](Json& it) { it["steps"][0]["size"] = std::uint64_t{1} << 60; },
      [](Json& it) { it["steps"][0]["media_type"] = "application/x-executable"; },
      [](Json& it) { it["steps"][0]["created"] = "yesterday"; },
      [](Json& it) { it["steps"][0]["extra"] = Json(); },
      [](Json& it) { it["notes"][0]["digest"] = "x"; },
      [](Json& it) { it["notes"] = Json(200'001, Json::object()); },
      [](Json& it) { it = Json::array(); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i)
    EXPECT_NE(error_after(changes[i]), no_error) << i;
}

// What a sanitizer keeps of memory that was given back counts, too.
#if defined(__clang__)  // which makes the builds with sanitizers
constexpr long most_growth = 640;
#else
constexpr long most_growth = 64;
#endif

// Whether to read it takes no more memory than that many MiB, whatever comes out.
bool takes_little(const std::string& json) {
  const auto highest = [] {
    struct rusage usage {};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
  };
  return test::in_child([&] {
           const long before = highest();
           test::error_of([&] { parse_records(json); });
           const long growth = highest() - before;
           return growth <= most_growth ? 0 : 1;
         }) == 0;
}

std::string repeated(const std::string& text, std::size_t bytes) {
  std::string all;
  all.reserve(bytes + text.size());
  while (all.size() < bytes)
    all += text;
  return all;
}

// As one value of the library they took 0.8 GB.
TEST(CacheRecords, OfAnyLengthTakeLittleMemory) {
  const std::string head = R"({"schema":"oci-build/cache/1","notes":[)";
  const auto digest = hash::sha256("x").str();
  std::string notes = head;
  for (int i = 0; i < 100'000; ++i) {
    const auto number = std::to_string(1'000'000 + i);
    notes += R"({"key":"sha256:)" + number + digest.substr(digest.size() - 57) + R"(","digest":")" + digest +
             "\"},";
  }
  notes.back() = ']';
  EXPECT_TRUE(takes_little(notes + ",\"steps\":[]}"));
  // Sanitizers make it slow, and their own memory hides what it takes.
  const auto most =
      (test::has_address_sanitizer || test::has_thread_sanitizer ? 1 << 20 : most_records_bytes) - 1000;
  EXPECT_TRUE(takes_little(head + repeated("[],", most)));
  EXPECT_TRUE(takes_little(head + repeated("0,", most)));
  EXPECT_TRUE(takes_little(R"({"steps":[{"parts":[)" + repeated("{},", most)));
}

TEST(CacheRecords, StandInTheConfigOfAnImage) {
  const auto json = to_json(example_records());
  const auto in = [](const std::string& value) {
    return parse_config_records("{\"architecture\":\"amd64\",\"" + std::string(config_field) + "\":" + value +
                                "}");
  };
  EXPECT_EQ(in(json), example_records());
  EXPECT_EQ(in("null"), std::nullopt);
  EXPECT_EQ(parse_config_records("{}"), std::nullopt);
  for (const auto* wrong : {"[]", "\"text\"", "{\"schema\":\"oci-build/cache/1\"}"})
    EXPECT_NE(test::error_of([&] { in(wrong); }), "no error") << wrong;
}

}  // namespace
}  // namespace cache
