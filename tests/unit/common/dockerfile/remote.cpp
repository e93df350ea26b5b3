// Sources of ADD: paths, URLs, git repositories.
#include "common/dockerfile/remote.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/source.hpp"
#include "tests/unit/common/dockerfile/frontend.hpp"

namespace {

using namespace dockerfile;

GitSource git(const std::string& source) {
  return std::get<GitSource>(parse_remote(source));
}

bool is_path(const std::string& source) {
  return std::holds_alternative<std::monostate>(parse_remote(source));
}

std::string file_name(const std::string& source) {
  return std::get<UrlSource>(parse_remote(source)).file_name;
}

TEST(Remote, IsNoPath) {
  for (const char* path :
       {"a", "/a/b", "./a@b:c", "github.com/foo/bar.git", "ftp://h/x.git", "a b@c:d", "@a:b", ""}) {
    EXPECT_TRUE(is_path(path)) << path;
  }
}

TEST(Remote, IsGitByItsProtocolOrItsEnding) {
  EXPECT_EQ(git("git@host:a/b").remote, "git@host:a/b");
  EXPECT_EQ(git("ssh://git@host/a").remote, "ssh://git@host/a");
  EXPECT_EQ(git("git://host/a").remote, "git://host/a");
  EXPECT_EQ(git("https://host/a.git").remote, "https://host/a.git");
  EXPECT_EQ(git("HTTPS://host/a.git#x").remote, "https://host/a.git");
}

TEST(Remote, HasARefAndASubdirectoryInItsFragment) {
  const auto source = git("https://host/a.git#v1:x/../y/");
  EXPECT_EQ(source.ref, "v1");
  EXPECT_EQ(source.subdir, "y");
  EXPECT_EQ(git("git@host:a#:sub").subdir, "sub");
}

TEST(Remote, HasQueries) {
  const auto source =
      git("https://host/a.git?tag=v1&subdir=x%2Fy&checksum=abc&keep-git-dir&submodules=false&mtime=commit&"
          "fetch-by-commit=1");
  EXPECT_EQ(source, (GitSource{"https://host/a.git", "refs/tags/v1", "x/y", "abc", true, false, true, true}));
  EXPECT_EQ(git("https://host/a.git?branch=refs/heads/b").ref, "refs/heads/b");
  EXPECT_EQ(git("https://host/a.git?commit=abc&ref=r").checksum, "abc");
}

TEST(Remote, RefusesQueriesThatAreUnknownOrContradictEachOther) {
  for (const char* query : {"?foo=1", "?ref=", "?ref=a&ref=b", "?ref=a#b", "?tag=a&branch=b", "?mtime=now",
                            "?submodules=maybe", "?subdir=a#b:c", "?tag=a#b"}) {
    EXPECT_THROW(parse_remote(std::string("https://host/a.git") + query), SyntaxError) << query;
  }
}

TEST(Remote, IsAUrlWithTheNameOfItsPath) {
  EXPECT_EQ(file_name("http://host/a/b.tar?x=y#z"), "b.tar");
  EXPECT_EQ(file_name("https://host/a%20b"), "a b");
  EXPECT_EQ(file_name("https://host/"), "__unnamed__");
  EXPECT_EQ(file_name("https://host"), "__unnamed__");
  EXPECT_EQ(file_name("https://host/a.git/b"), "b");
}

TEST(Remote, IsRefusedByCopy) {
  using test::fault;
  EXPECT_TRUE(
      fault("FROM scratch\nCOPY http://h/f /").starts_with("Dockerfile:2: source can't be a URL for COPY\n"));
  EXPECT_TRUE(fault("FROM scratch\nCOPY https://h/f.git /")
                  .starts_with("Dockerfile:2: source can't be a git ref for COPY\n"));
}

TEST(Remote, IsAllThatAChecksumCanBeFor) {
  using test::fault;
  EXPECT_EQ(fault("FROM scratch\nADD --checksum=sha256:x http://h/f /"), "");
  EXPECT_TRUE(fault("FROM scratch\nADD --checksum=sha256:x f /")
                  .starts_with("Dockerfile:2: checksum requires HTTP(S) or Git sources\n"));
  EXPECT_TRUE(fault("FROM scratch\nADD --checksum=sha256:x http://h/f http://h/g /")
                  .starts_with("Dockerfile:2: checksum can't be specified for multiple sources\n"));
  EXPECT_TRUE(fault("FROM scratch\nADD --checksum=a https://h/f.git?checksum=b /")
                  .starts_with("Dockerfile:2: checksum mismatch \"a\" != \"b\"\n"));
  EXPECT_TRUE(fault("FROM scratch\nADD --keep-git-dir https://h/f.git?keep-git-dir=0 /")
                  .starts_with("Dockerfile:2: inconsistent keep-git-dir configuration\n"));
}

TEST(Remote, IsShownWithoutItsLogin) {
  EXPECT_EQ(without_login("https://user:secret@host/a@b.git"), "https://xxxxx:xxxxx@host/a@b.git");
  EXPECT_EQ(without_login("https://token@host/x.git"), "https://xxxxx@host/x.git");
  for (const auto* plain : {"https://host/a@b.git", "git@host:x.git", "https://@host/x.git", "https://host"})
    EXPECT_EQ(without_login(plain), plain);
}

}  // namespace
