#include "common/util/date.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace util {
namespace {

TEST(Date, IsWrittenAsGoWritesIt) {
  for (const auto& [given, written] : std::initializer_list<std::pair<const char*, const char*>>{
           {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
           {"2020-02-29T23:59:59.120000000Z", "2020-02-29T23:59:59.12Z"},
           {"2020-01-01T00:00:00.1234567891Z", "2020-01-01T00:00:00.123456789Z"},
           {"2001-02-03T04:05:06+00:00", "2001-02-03T04:05:06Z"},
           {"2001-02-03T04:05:06-00:00", "2001-02-03T04:05:06Z"},
           {"2001-02-03T04:05:06+02:00", "2001-02-03T04:05:06+02:00"},
           {"2001-02-03T04:05:06-09:30", "2001-02-03T04:05:06-09:30"},
           {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
           {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"}}) {
    EXPECT_EQ(Date::parse(given).str(), written);
  }
}

TEST(Date, IsAMomentWhateverTheOffset) {
  EXPECT_EQ(Date::parse("2001-02-03T04:05:06+02:00").seconds, Date::parse("2001-02-03T02:05:06Z").seconds);
  EXPECT_TRUE(Date::parse("2001-02-03T04:05:06.5Z").is_after(Date::parse("2001-02-03T04:05:06Z")));
  EXPECT_FALSE(Date::parse("2001-02-03T04:05:06+02:00").is_after(Date::parse("2001-02-03T04:05:06Z")));
}

TEST(Date, SaysWhatIsWrongInGosWords) {
  const std::string layout = " as \"2006-01-02T15:04:05Z07:00\": cannot parse ";
  for (const auto& [text, reason] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", layout + "\"\" as \"2006\""},
           {"yesterday", layout + "\"yesterday\" as \"2006\""},
           {"2001", layout + "\"\" as \"-\""},
           {"2001-13-01T00:00:00Z", ": month out of range"},
           {"2001-02-29T00:00:00Z", ": day out of range"},
           {"2001-02-03 00:00:00Z", layout + "\" 00:00:00Z\" as \"T\""},
           {"2001-02-03T24:00:00Z", ": hour out of range"},
           {"2001-02-03T00:00:00", layout + "\"\" as \"Z07:00\""},
           {"2001-02-03T00:00:00+1:00", layout + "\"+1:00\" as \"Z07:00\""},
           {"2001-02-03T00:00:00+24:00", layout + "\"+24:00\" as \"Z07:00\""},
           {"2001-02-03T00:00:00Zx", ": extra text: \"x\""}}) {
    EXPECT_EQ(test::error_of([&, &given = text] { Date::parse(given); }),
              "parsing time \"" + text + "\"" + reason);
  }
}

}  // namespace
}  // namespace util
