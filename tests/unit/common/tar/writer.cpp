// Archives as Go's archive/tar writes them.
#include "common/tar/writer.hpp"

#include <gtest/gtest.h>

#include "common/stream/source.hpp"
#include "common/util/error.hpp"

namespace {

class TextSink : public stream::Sink {
public:
  void write(std::span<const std::byte> data) override {
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void finish() override {}

  std::string text;
};

// The archive of one empty member.
std::string archive_of(const tar::Entry& entry) {
  TextSink sink;
  tar::Writer writer(sink);
  writer.add(entry);
  writer.finish();
  return sink.text;
}

std::string field(const std::string& archive, std::size_t offset, std::size_t size) {
  return archive.substr(offset, size).c_str();
}

tar::Entry named(const std::string& path) {
  tar::Entry entry;
  entry.path = path;
  entry.mode = 0644;
  return entry;
}

}  // namespace

TEST(Writer, EndsWithTwoZeroBlocksAndNothingMore) {
  TextSink sink;
  tar::Writer(sink).finish();
  EXPECT_EQ(sink.text, std::string(1024, '\0'));
}

TEST(Writer, WritesAPlainUstarHeaderWhereThatSuffices) {
  auto entry = named("a/b");
  entry.uid = 07777777;
  entry.mtime.seconds = 5;
  const auto archive = archive_of(entry);
  ASSERT_EQ(archive.size(), 512U + 1024U);
  EXPECT_EQ(field(archive, 0, 100), "a/b");
  EXPECT_EQ(field(archive, 100, 8), "0000644");
  EXPECT_EQ(field(archive, 108, 8), "7777777");
  EXPECT_EQ(field(archive, 136, 12), "00000000005");
  EXPECT_EQ(archive.substr(257, 8), std::string("ustar\0"
                                                "00",
                                                8));
  EXPECT_EQ(field(archive, 329, 8), "0000000");
}

TEST(Writer, SplitsALongNameOverThePrefixField) {
  const std::string directory(60, 'd');
  const auto archive = archive_of(named(directory + "/" + directory + "/f"));
  ASSERT_EQ(archive.size(), 512U + 1024U);
  EXPECT_EQ(field(archive, 0, 100), "f");
  EXPECT_EQ(field(archive, 345, 155), directory + "/" + directory);
}

TEST(Writer, PutsANameThatCannotBeSplitIntoAPaxHeader) {
  const std::string name(150, 'n');
  const auto archive = archive_of(named(name));
  ASSERT_EQ(archive.size(), 3 * 512U + 1024U);
  EXPECT_EQ(archive[156], 'x');
  EXPECT_EQ(archive.substr(512, 160), "160 path=" + name + "\n");
  EXPECT_EQ(archive.substr(1024, 100), std::string(100, 'n'));
}

TEST(Writer, PutsANumberTooLargeForItsFieldIntoAPaxHeader) {
  auto entry = named("f");
  entry.uid = 010000000;
  const auto archive = archive_of(entry);
  EXPECT_EQ(field(archive, 512, 512), "15 uid=2097152\n");
}

TEST(Writer, PutsPartsOfASecondIntoAPaxHeader) {
  const auto shown = [](std::int64_t seconds, std::uint32_t nanoseconds) {
    auto entry = named("a");
    entry.mtime = {seconds, nanoseconds};
    const auto archive = archive_of(entry);
    const auto source = stream::from_string(archive);
    tar::Entry read;
    EXPECT_TRUE(tar::Reader(*source, "it").next(read));
    EXPECT_EQ(read.mtime, entry.mtime);
    return archive.substr(512, archive.find('\n', 512) - 512);
  };
  EXPECT_EQ(shown(5, 250'000'000), "14 mtime=5.25");
  EXPECT_EQ(shown(5, 1), "21 mtime=5.000000001");
  EXPECT_EQ(shown(-1, 500'000'000), "14 mtime=-0.5");
  EXPECT_EQ(shown(-2, 250'000'000), "15 mtime=-1.75");
}

TEST(Writer, WritesASparseFileWithItsMapAndItsExtentsAlone) {
  for (const std::vector<tar::Extent>& map :
       {std::vector<tar::Extent>{}, {{0, 3}}, {{512, 600}, {5000, 5000}}, {{9000, 1000}}}) {
    TextSink sink;
    tar::Writer writer(sink);
    auto entry = named(std::string(200, 'd') + "/sparse");
    entry.size = 10'000;
    entry.sparse = map;
    writer.add(entry);
    std::string content;
    for (const auto& extent : map)
      content += std::string(extent.size, 'x');
    writer.write(std::as_bytes(std::span(content)));
    writer.add(named("next"));
    writer.finish();

    const auto source = stream::from_string(sink.text);
    tar::Reader reader(*source, "it");
    tar::Entry read;
    ASSERT_TRUE(reader.next(read));
    EXPECT_EQ(read.path, entry.path);
    EXPECT_EQ(read.size, entry.size);
    EXPECT_EQ(read.sparse, map);
    std::string there(10'000, ' ');
    std::size_t got = 0;
    while (const auto count = reader.read(std::as_writable_bytes(std::span(there).subspan(got))))
      got += count;
    EXPECT_EQ(there.substr(0, got), content);
    ASSERT_TRUE(reader.next(read));
    EXPECT_EQ(read.path, "next");
    EXPECT_FALSE(reader.next(read));
  }
}

TEST(Writer, RefusesANameWithANulByte) {
  EXPECT_THROW(archive_of(named(std::string("a\0b", 3))), util::Error);
}
