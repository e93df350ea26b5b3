// The small values: durations, modes, ports, signals, paths.
#include <gtest/gtest.h>

#include "common/dockerfile/chmod.hpp"
#include "common/dockerfile/duration.hpp"
#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/ports.hpp"
#include "common/dockerfile/source.hpp"
#include "tests/support/error_of.hpp"

namespace {

using namespace dockerfile;
using test::error_of;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

TEST(Duration, AddsUpItsParts) {
  EXPECT_EQ(parse_duration("1h2m3.5s"), 1h + 2min + 3500ms);
  EXPECT_EQ(parse_duration("100ms"), 100ms);
  EXPECT_EQ(parse_duration("1.5us2ns"), 1502ns);
  EXPECT_EQ(parse_duration("3\u00b5s"), 3us);
  EXPECT_EQ(parse_duration("3\u03bcs"), 3us);
  EXPECT_EQ(parse_duration(".5m"), 30s);
  EXPECT_EQ(parse_duration("-1s"), -1s);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("2562047h47m16.854775807s"), std::chrono::nanoseconds::max());
}

TEST(Duration, IsRefusedInGosWords) {
  EXPECT_EQ(error_of([] { parse_duration("5"); }), "time: missing unit in duration \"5\"");
  EXPECT_EQ(error_of([] { parse_duration("5y"); }), "time: unknown unit \"y\" in duration \"5y\"");
  for (const char* text : {"", "x", ".s", "-", "1s.", "2562047h47m16.854775808s", "99999999999999999999s"}) {
    EXPECT_EQ(error_of([&] { parse_duration(text); }),
              std::string("time: invalid duration \"") + text + "\"");
  }
}

TEST(Duration, IsPrintedAsGoPrintsIt) {
  EXPECT_EQ(to_string(0ns), "0s");
  EXPECT_EQ(to_string(1ns), "1ns");
  EXPECT_EQ(to_string(1500ns), "1.5µs");
  EXPECT_EQ(to_string(1500us), "1.5ms");
  EXPECT_EQ(to_string(90s), "1m30s");
  EXPECT_EQ(to_string(3600s), "1h0m0s");
  EXPECT_EQ(to_string(3600s + 1ns), "1h0m0.000000001s");
  EXPECT_EQ(to_string(-1500ms), "-1.5s");
}

std::uint32_t applied(std::string_view text, std::uint32_t mode,
                      Chmod::FileKind kind = Chmod::FileKind::other) {
  return Chmod::parse(text).apply(mode, kind);
}

TEST(Chmod, IsOctal) {
  EXPECT_EQ(Chmod::parse("0755").octal(), 0755U);
  EXPECT_EQ(applied("7777", 0), 07777U);
  EXPECT_FALSE(Chmod::parse("u=r").octal());
}

TEST(Chmod, IsSymbolic) {
  EXPECT_EQ(applied("u=rwX,go=rX", 0640), 0644U);
  EXPECT_EQ(applied("u=rwX,go=rX", 0750), 0755U);
  EXPECT_EQ(applied("u=rwX,go=rX", 0600, Chmod::FileKind::directory), 0755U);
  EXPECT_EQ(applied("a+x", 0644), 0755U);
  EXPECT_EQ(applied("+w", 0444), 0666U);
  EXPECT_EQ(applied("go-w", 0666), 0644U);
  EXPECT_EQ(applied("go=", 0777), 0700U);
  EXPECT_EQ(applied("=r", 04755), 0444U);
  EXPECT_EQ(applied("u+r-w+x", 0200), 0500U);
}

TEST(Chmod, CopiesClasses) {
  EXPECT_EQ(applied("g=u", 0740), 0770U);
  EXPECT_EQ(applied("go=u-w", 0750), 0755U);
  EXPECT_EQ(applied("o+g", 0750), 0755U);
  EXPECT_EQ(applied("u-o", 0751), 0651U);
}

TEST(Chmod, KnowsSetIdAndStickyBits) {
  EXPECT_EQ(applied("u+s", 0755), 04755U);
  EXPECT_EQ(applied("g+s", 0755), 02755U);
  EXPECT_EQ(applied("o+s", 0755), 0755U);
  EXPECT_EQ(applied("+t", 0755), 01755U);
  EXPECT_EQ(applied("u=rwx", 04755), 0755U);
}

TEST(Chmod, IsRefused) {
  for (const char* text : {"99999", "10000", "0o755", "75a"}) {
    EXPECT_EQ(error_of([&] { Chmod::parse(text); }),
              std::string("invalid chmod parameter: '") + text +
                  "'. it should be octal string and between 0 and 07777");
  }
  for (const char* text : {"", "u", "u+q", "u+r,", "x+r", "u+r g+w", "+755"}) {
    EXPECT_EQ(error_of([&] { Chmod::parse(text); }), "invalid syntax") << text;
  }
}

TEST(Port, IsANumberOrARangeWithAProtocol) {
  EXPECT_EQ(parse_port("80").ports, Words{"80/tcp"});
  EXPECT_EQ(parse_port("80/").ports, Words{"80/tcp"});
  EXPECT_EQ(parse_port("3-5/UDP").ports, (Words{"3/udp", "4/udp", "5/udp"}));
  EXPECT_TRUE(parse_port("3/UDP").odd_case);
  EXPECT_EQ(parse_port("7-7/sctp").ports, Words{"7/sctp"});
}

TEST(Port, MayHaveAnAddressAndAHostPort) {
  EXPECT_EQ(parse_port("127.0.0.1:8080:80").ports, Words{"80/tcp"});
  EXPECT_EQ(parse_port("[::1]:8080:80").ports, Words{"80/tcp"});
  EXPECT_EQ(parse_port("1-9:80").ports, Words{"80/tcp"});
  EXPECT_TRUE(parse_port("8080:80").has_mapping);
  EXPECT_FALSE(parse_port("80").has_mapping);
}

TEST(Port, IsRefused) {
  const std::vector<std::pair<const char*, const char*>> faults = {
      {"abc", "invalid containerPort: abc"},
      {"65536", "invalid containerPort: 65536"},
      {"9-7", "invalid containerPort: 9-7"},
      {"/tcp", "invalid port: \"/tcp\": no port specified"},
      {"80/foo", "invalid port: \"80/foo\": invalid proto: foo"},
      {"x:80", "invalid hostPort: x"},
      {"300.1.1.1:1:2", "invalid IP address: 300.1.1.1"},
      {"1-2:4-6", "invalid ranges specified for container and host Ports: 4-6 and 1-2"}};
  for (const auto& [word, message] : faults) {
    EXPECT_EQ(error_of([&, text = word] { parse_port(text); }), message);
  }
}

TEST(Signal, IsANameOrANumber) {
  for (const char* text : {"TERM", "SIGTERM", "sigkill", "9", "64", "-1", "RTMIN", "RTMIN+15", "rtmax-14"}) {
    EXPECT_TRUE(is_signal(text)) << text;
  }
  for (const char* text : {"", "0", "SIG", "SIGFOO", "RTMIN+16", "RTMAX-15", "RTMIN+01", "TERM "}) {
    EXPECT_FALSE(is_signal(text)) << text;
  }
}

TEST(Paths, AreCleanedAsText) {
  const std::vector<std::pair<const char*, const char*>> paths = {
      {"", "."},         {"/", "/"},   {"//a//b/", "/a/b"}, {"a/./b/../c", "a/c"}, {"../a", "../a"},
      {"a/../..", ".."}, {"/..", "/"}, {"/../a", "/a"},     {"./", "."},           {"a/..", "."}};
  for (const auto& [path, cleaned] : paths)
    EXPECT_EQ(clean_path(path), cleaned) << path;
  EXPECT_EQ(join_path("/a", "../b"), "/b");
  EXPECT_EQ(join_path("", "b/"), "b");
  EXPECT_EQ(join_path("a/", ""), "a");
  EXPECT_EQ(base_name("/a/b//"), "b");
  EXPECT_EQ(base_name("///"), "/");
  EXPECT_EQ(base_name(""), ".");
}

}  // namespace
