#include <gtest/gtest.h>

#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "tests/support/tar_archive.hpp"

using test::member;

namespace {

struct Sparse {
  tar::Entry entry;
  std::string content;
};

Sparse read_sparse(const std::string& archive) {
  const auto source = stream::from_string(archive);
  tar::Reader reader(*source, "'a.tar'");
  Sparse sparse;
  if (!reader.next(sparse.entry)) throw util::Error("empty");
  char buffer[1000];
  while (const auto count = reader.read(std::as_writable_bytes(std::span(buffer))))
    sparse.content.append(buffer, count);
  tar::Entry next;
  EXPECT_FALSE(reader.next(next));
  return sparse;
}

using Map = std::vector<tar::Extent>;

std::string old_sparse(const Map& map, std::uint64_t real_size, const std::string& content) {
  std::string block =
      test::header({.path = "s", .kind = 'S', .content = content, .magic = std::string("ustar  \0", 8)});
  std::string more;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const std::string pair = test::octal(map[i].offset, 11) + '\0' + test::octal(map[i].size, 11) + '\0';
    if (i < 4) {
      test::put(block, 386 + 24 * i, pair);
      continue;
    }
    if ((i - 4) % 21 == 0) {
      if (!more.empty()) more[more.size() - 512 + 504] = '\1';
      more.append(512, '\0');
    }
    test::put(more, more.size() - 512 + 24 * ((i - 4) % 21), pair);
  }
  if (!more.empty()) block[482] = '\1';
  test::put(block, 483, test::octal(real_size, 11));
  return test::sealed(block) + more + test::padded(content);
}

}  // namespace

TEST(TarSparse, ReadsPaxVersion1) {
  const std::string map = test::padded("2\n1000\n3\n5000\n2\n");
  const auto [entry, content] = read_sparse(member({.path = "GNUSparseFile.1/s",
                                                    .content = map + "abcde",
                                                    .pax = {{"GNU.sparse.major", "1"},
                                                            {"GNU.sparse.minor", "0"},
                                                            {"GNU.sparse.name", "s"},
                                                            {"GNU.sparse.realsize", "6000"}}}) +
                                            test::end_mark());
  EXPECT_EQ(entry.path, "s");
  EXPECT_EQ(entry.size, 6000u);
  EXPECT_EQ(entry.sparse, (Map{{1000, 3}, {5000, 2}}));
  EXPECT_EQ(content, "abcde");
}

TEST(TarSparse, TakesNoNameWithANulByte) {
  EXPECT_THROW(read_sparse(member({.path = "s",
                                   .content = "",
                                   .pax = {{"GNU.sparse.major", "1"},
                                           {"GNU.sparse.minor", "0"},
                                           {"GNU.sparse.name", std::string("a\0b", 3)},
                                           {"GNU.sparse.realsize", "0"}}})),
               util::Error);
}

TEST(TarSparse, ReadsPaxVersions0) {
  const auto v01 = read_sparse(member({.path = "cut",
                                       .content = "abcde",
                                       .pax = {{"GNU.sparse.size", "6000"},
                                               {"GNU.sparse.numblocks", "2"},
                                               {"GNU.sparse.map", "1000,3,5000,2"},
                                               {"GNU.sparse.name", "s"}}}));
  EXPECT_EQ(v01.entry.path, "s");
  EXPECT_EQ(v01.entry.sparse, (Map{{1000, 3}, {5000, 2}}));
  const auto v00 = read_sparse(member({.path = "s",
                                       .content = "abcde",
                                       .pax = {{"GNU.sparse.size", "6000"},
                                               {"GNU.sparse.numblocks", "2"},
                                               {"GNU.sparse.offset", "1000"},
                                               {"GNU.sparse.numbytes", "3"},
                                               {"GNU.sparse.offset", "5000"},
                                               {"GNU.sparse.numbytes", "2"}}}));
  EXPECT_EQ(v00.entry.sparse, (Map{{1000, 3}, {5000, 2}}));
  EXPECT_EQ(v00.entry.size, 6000u);
}

TEST(TarSparse, ReadsTheOldFormatWithItsExtensionBlocks) {
  Map map;
  std::string data;
  for (unsigned i = 0; i < 60; ++i) {
    map.push_back({i * 100, 1});
    data += static_cast<char>('a' + i % 26);
  }
  const auto [entry, content] = read_sparse(old_sparse(map, 1 << 20, data) + test::end_mark());
  EXPECT_EQ(entry.sparse, map);
  EXPECT_EQ(entry.size, 1u << 20);
  EXPECT_EQ(content, data);
}

TEST(TarSparse, DropsEmptyExtents) {
  const auto entry = read_sparse(old_sparse({{0, 2}, {100, 0}}, 100, "ab")).entry;
  EXPECT_EQ(entry.sparse, (Map{{0, 2}}));
}

TEST(TarSparse, RefusesMapsThatCannotBe) {
  EXPECT_THROW(read_sparse(old_sparse({{5, 2}, {6, 2}}, 100, "abcd")), util::Error);   // overlap
  EXPECT_THROW(read_sparse(old_sparse({{50, 2}, {6, 2}}, 100, "abcd")), util::Error);  // order
  EXPECT_THROW(read_sparse(old_sparse({{5, 2}, {99, 2}}, 100, "abcd")), util::Error);  // beyond the end
  EXPECT_THROW(read_sparse(old_sparse({{5, 2}}, 100, "abcd")), util::Error);           // content left over
  EXPECT_THROW(read_sparse(old_sparse({{5, 9}}, 100, "abcd")), util::Error);           // content missing
  const auto version1 = [](const std::string& map) {
    return read_sparse(
        member({.path = "s", .content = map, .pax = {{"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}}}));
  };
  EXPECT_THROW(version1("1\n"), util::Error);
  EXPECT_THROW(version1(test::padded("70000\n")), util::Error);
  EXPECT_THROW(version1(test::padded("x\n")), util::Error);
  EXPECT_THROW(version1(std::string(512, '0')), util::Error);
}

TEST(TarSparse, RefusesMapsWithoutEnd) {
  std::string block = old_sparse({{0, 1}}, 1, "");
  block[482] = '\1';
  std::string more(512, '\0');
  more[504] = '\1';
  std::string archive = test::sealed(block);
  for (int i = 0; i < 10; ++i)
    archive += more;
  EXPECT_THROW(read_sparse(archive), util::Error);
}

TEST(TarSparse, RefusesUnknownVersions) {
  EXPECT_THROW(
      read_sparse(member({.path = "s", .pax = {{"GNU.sparse.major", "2"}, {"GNU.sparse.minor", "0"}}})),
      util::Error);
}
