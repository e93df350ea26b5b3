#include "common/tar/reader.hpp"

#include <gtest/gtest.h>

#include "common/util/error.hpp"
#include "tests/support/tar_archive.hpp"

using test::end_mark;
using test::member;

namespace {

struct Read {
  tar::Entry entry;
  std::string content;
};

std::vector<Read> read_everything(const std::string& archive) {
  const auto source = stream::from_string(archive);
  tar::Reader reader(*source, "'a.tar'");
  std::vector<Read> members;
  tar::Entry entry;
  while (reader.next(entry)) {
    Read read{entry, {}};
    char buffer[1000];
    while (const auto count = reader.read(std::as_writable_bytes(std::span(buffer))))
      read.content.append(buffer, count);
    members.push_back(std::move(read));
  }
  return members;
}

Read read_one(const std::string& archive) {
  auto members = read_everything(archive + end_mark());
  EXPECT_EQ(members.size(), 1u);
  return members.empty() ? Read{} : members.front();
}

std::string error_of(const std::string& archive) {
  try {
    read_everything(archive);
  } catch (const util::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST(TarReader, GivesEveryFactOfAPlainMember) {
  const auto [entry, content] = read_one(member(
      {.path = "dir/file", .content = "hello", .mode = 06755, .uid = 12, .gid = 34, .mtime = 1234567890}));
  EXPECT_EQ(entry.path, "dir/file");
  EXPECT_EQ(entry.type, tar::Type::regular);
  EXPECT_EQ(entry.mode, 06755u);
  EXPECT_EQ(entry.uid, 12u);
  EXPECT_EQ(entry.gid, 34u);
  EXPECT_EQ(entry.mtime, (tar::Timestamp{1234567890, 0}));
  EXPECT_EQ(entry.size, 5u);
  EXPECT_EQ(entry.data_offset, 512u);
  EXPECT_FALSE(entry.sparse);
  EXPECT_EQ(content, "hello");
}

TEST(TarReader, KnowsTheTypes) {
  const std::vector<std::pair<char, tar::Type>> kinds = {
      {'\0', tar::Type::regular},     {'0', tar::Type::regular},   {'7', tar::Type::regular},
      {'1', tar::Type::hard_link},    {'2', tar::Type::symlink},   {'3', tar::Type::character_device},
      {'4', tar::Type::block_device}, {'5', tar::Type::directory}, {'6', tar::Type::fifo},
      {'D', tar::Type::directory}};
  for (const auto& [kind, type] : kinds)
    EXPECT_EQ(read_one(member({.path = "x", .kind = kind})).entry.type, type);
}

TEST(TarReader, TakesAnOldMemberWithATrailingSlashForADirectory) {
  EXPECT_EQ(read_one(member({.path = "dir/", .kind = '\0', .magic = ""})).entry.type, tar::Type::directory);
}

TEST(TarReader, PassesOverVolumeLabelsAndRefusesOtherKinds) {
  EXPECT_EQ(read_everything(member({.path = "label", .kind = 'V'}) + member({.path = "x"})).size(), 1u);
  EXPECT_EQ(
      error_of(member({.path = "x", .kind = 'M'})),
      "'a.tar' is damaged: tar header at byte 0: 'x' is of the kind 'M', which has no meaning in images");
}

TEST(TarReader, GivesDeviceNumbersAndLinkTargets) {
  const auto device =
      read_one(member({.path = "null", .kind = '3', .device_major = 1, .device_minor = 3})).entry;
  EXPECT_EQ(device.device_major, 1u);
  EXPECT_EQ(device.device_minor, 3u);
  EXPECT_EQ(read_one(member({.path = "l", .kind = '2', .link_target = "../t"})).entry.link_target, "../t");
}

// Some tars write the size of the linked file there, others put a body behind it only when the size says so.
TEST(TarReader, HardLinksHaveNoContentWhateverTheirSizeSays) {
  std::string link = test::header({.path = "link", .kind = '1', .link_target = "file"});
  test::put(link, 124, test::octal(700, 11));
  const auto members = read_everything(test::sealed(link) + member({.path = "next"}) + end_mark());
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].entry.size, 0u);
  EXPECT_EQ(members[1].entry.path, "next");
}

TEST(TarReader, JoinsThePrefixOfUstarButNotOfGnu) {
  std::string block = test::header({.path = "name"});
  test::put(block, 345, "pre/fix");
  EXPECT_EQ(read_one(test::sealed(block)).entry.path, "pre/fix/name");
  test::put(block, 257, std::string("ustar  \0", 8));
  EXPECT_EQ(read_one(test::sealed(block)).entry.path, "name");
}

TEST(TarReader, TakesTheShorterPrefixOfStar) {
  std::string block = test::header({.path = "name"});
  test::put(block, 345, std::string(131, 'p'));
  test::put(block, 476, "00000000012 00000000013 ");
  test::put(block, 508, std::string("tar\0", 4));
  EXPECT_EQ(read_one(test::sealed(block)).entry.path, std::string(131, 'p') + "/name");
}

TEST(TarReader, TakesGnuLongNames) {
  const std::string name(300, 'n');
  const std::string target(400, 't');
  const auto entry = read_one(member({.path = "././@LongLink", .kind = 'L', .content = name + '\0'}) +
                              member({.path = "././@LongLink", .kind = 'K', .content = target + '\0'}) +
                              member({.path = "cut", .kind = '2', .link_target = "cut"}))
                         .entry;
  EXPECT_EQ(entry.path, name);
  EXPECT_EQ(entry.link_target, target);
}

TEST(TarReader, LetsPaxRecordsOverrideTheHeader) {
  const auto [entry, content] = read_one(member({.path = "cut",
                                                 .content = "12345",
                                                 .pax = {{"path", "whole/\xff\n=name"},
                                                         {"uid", "3000000000"},
                                                         {"gid", "4000000000"},
                                                         {"mtime", "12.5"},
                                                         {"comment", "passed over"},
                                                         {"hdrcharset", "BINARY"},
                                                         {"SCHILY.xattr.user.x", std::string("a\0\n=b", 5)},
                                                         {"SCHILY.xattr.user.empty", ""}}}));
  EXPECT_EQ(entry.path, "whole/\xff\n=name");
  EXPECT_EQ(entry.uid, 3000000000u);
  EXPECT_EQ(entry.gid, 4000000000u);
  EXPECT_EQ(entry.mtime, (tar::Timestamp{12, 500'000'000}));
  EXPECT_EQ(entry.xattrs.at("user.x"), std::string("a\0\n=b", 5));
  EXPECT_EQ(entry.xattrs.at("user.empty"), "");
  EXPECT_EQ(content, "12345");
}

TEST(TarReader, CountsTimesBefore1970Downwards) {
  const auto mtime = [](const std::string& value) {
    return read_one(member({.path = "x", .pax = {{"mtime", value}}})).entry.mtime;
  };
  EXPECT_EQ(mtime("-1.25"), (tar::Timestamp{-2, 750'000'000}));
  EXPECT_EQ(mtime("-3"), (tar::Timestamp{-3, 0}));
  EXPECT_EQ(mtime("1.1234567899"), (tar::Timestamp{1, 123'456'789}));
  EXPECT_EQ(read_one(member({.path = "x", .mtime = -86400})).entry.mtime, (tar::Timestamp{-86400, 0}));
}

TEST(TarReader, TakesTheSizeFromPax) {
  std::string archive = member({.path = "x", .content = "12345", .pax = {{"size", "5"}}});
  test::put(archive, 1024 + 124, test::octal(0, 11));
  archive = archive.substr(0, 1024) + test::sealed(archive.substr(1024, 512)) + archive.substr(1536);
  EXPECT_EQ(read_one(archive).content, "12345");
}

TEST(TarReader, PassesOverGlobalPaxHeadersAndWhatStandsBeforeThem) {
  const std::string global = test::pax_record("mtime", "7") + test::pax_record("uid", "5");
  const std::string header = test::pax_record("uid", "6");
  const auto members = read_everything(
      member({.path = "g", .kind = 'g', .content = global}) + member({.path = "a"}) +
      member({.path = "h", .kind = 'x', .content = header}) +
      member({.path = "g", .kind = 'g', .content = global}) + member({.path = "b"}) + end_mark());
  ASSERT_EQ(members.size(), 2u);
  for (const auto& [entry, content] : members) {
    EXPECT_NE(entry.mtime.seconds, 7) << entry.path;
    EXPECT_NE(entry.uid, 5u) << entry.path;
    EXPECT_NE(entry.uid, 6u) << entry.path;
  }
}

TEST(TarReader, TakesOfSeveralPaxHeadersTheLast) {
  const std::string first = test::pax_record("path", "first") + test::pax_record("uid", "5");
  const std::string last = test::pax_record("path", "last");
  const auto members = read_everything(member({.path = "h", .kind = 'x', .content = first}) +
                                       member({.path = "h", .kind = 'x', .content = last}) +
                                       member({.path = "a", .uid = 1}) + end_mark());
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].entry.path, "last");
  EXPECT_EQ(members[0].entry.uid, 1u);
}

TEST(TarReader, RefusesAGlobalHeaderThatNamesEveryFile) {
  EXPECT_EQ(error_of(member({.path = "g", .kind = 'g', .content = test::pax_record("path", "x")})),
            "'a.tar' is damaged: tar header at byte 0: it is a global PAX header with 'path', which only one "
            "member "
            "can have");
}

TEST(TarReader, RefusesPaxHeadersThatAreNotWellFormed) {
  for (const std::string& records :
       {std::string("9999 path=x\n"), std::string("path=x\n"), std::string("10 path=xx"),
        std::string("6 a b\n"), std::string("5 =x\n"), std::string("0 a=b\n"), std::string("-6 a=b\n"),
        std::string("18446744073709551616 a=b\n"), test::pax_record("path", std::string("a\0b", 3)),
        test::pax_record(std::string("a\0b", 3), "x"), test::pax_record("uid", "-1"),
        test::pax_record("mtime", "1e9"), test::pax_record("size", "9999999999999999999")}) {
    EXPECT_NE(error_of(member({.path = "p", .kind = 'x', .content = records}) + member({.path = "x"})),
              "no error")
        << records;
  }
}

TEST(TarReader, RefusesTooMuchInFrontOfAMember) {
  const std::string big = test::pax_record("comment", std::string(600 << 10, 'x'));
  EXPECT_EQ(
      error_of(member({.path = "p", .kind = 'x', .content = big}) +
               member({.path = "p", .kind = 'L', .content = std::string(600 << 10, 'x')})),
      "'a.tar' is damaged: tar header at byte 615424: its PAX header or long name is larger than 1 MiB");
}

TEST(TarReader, TakesChecksumsOfSignedBytes) {
  std::string block = test::header({.path = "\xe4"});
  test::put(block, 148, "        ");
  int sum = 0;
  for (const char byte : block)
    sum += static_cast<signed char>(byte);
  test::put(block, 148, test::octal(static_cast<unsigned>(sum), 6) + std::string("\0 ", 2));
  EXPECT_EQ(read_one(block).entry.path, "\xe4");
}

TEST(TarReader, RefusesWrongChecksumsAndNumbers) {
  std::string block = test::header({.path = "x"});
  test::put(block, 0, "y");
  EXPECT_EQ(error_of(block), "'a.tar' is damaged: tar header at byte 0: its checksum is wrong");
  test::put(block, 124, "00000000009");
  EXPECT_EQ(error_of(test::sealed(block)),
            "'a.tar' is damaged: tar header at byte 0: its size is not a number");
  test::put(block, 124, test::base256(-5, 12));
  EXPECT_EQ(error_of(test::sealed(block)), "'a.tar' is damaged: tar header at byte 0: its size cannot be -5");
}

TEST(TarReader, EndsAtTwoZeroBlocksOrAtTheEndOfTheSource) {
  EXPECT_EQ(read_everything("").size(), 0u);
  EXPECT_EQ(read_everything(end_mark()).size(), 0u);
  EXPECT_EQ(read_everything(member({.path = "x"})).size(), 1u);
  EXPECT_EQ(read_everything(member({.path = "x"}) + std::string(512, '\0')).size(), 1u);
  EXPECT_EQ(read_everything(member({.path = "x"}) + end_mark() + "rubbish").size(), 1u);
}

TEST(TarReader, RefusesAMemberBehindALoneZeroBlock) {
  EXPECT_EQ(error_of(std::string(512, '\0') + member({.path = "x"})),
            "'a.tar' is damaged: tar header at byte 0: it follows the end mark of the archive");
}

TEST(TarReader, NoticesEveryCut) {
  const std::string archive =
      member({.path = "x", .content = std::string(600, 'c'), .pax = {{"mtime", "1"}}});
  for (std::size_t size = 1; size < archive.size(); ++size) {
    ASSERT_NE(error_of(archive.substr(0, size)), "no error") << size;
  }
}

TEST(TarReader, SaysByTheCauseThatItIsDamage) {
  for (const auto& bytes :
       {std::string(100, 'x'), member({.path = "x", .content = "content"}).substr(0, 515)}) {
    try {
      read_everything(bytes);
      ADD_FAILURE() << bytes.size();
    } catch (const util::Error& error) {
      EXPECT_TRUE(error.is_damage()) << error.what();
    }
  }
}

TEST(TarReader, NoticesASizeThatLies) {
  std::string block = test::header({.path = "x"});
  test::put(block, 124, test::base256(INT64_MAX, 12));
  EXPECT_EQ(error_of(test::sealed(block) + "short"),
            "'a.tar' is damaged: it ends in the middle of a tar member, at byte 517");
}

TEST(TarReader, SkipsContentThatNobodyReads) {
  class Counting : public stream::Source {
  public:
    explicit Counting(std::string content) : inner_(stream::from_string(std::move(content))) {}
    std::size_t read(std::span<std::byte> buffer) override { return inner_->read(buffer); }
    std::uint64_t skip(std::uint64_t count) override {
      skipped += count;
      return inner_->skip(count);
    }
    std::uint64_t skipped = 0;

  private:
    std::unique_ptr<stream::Source> inner_;
  };
  Counting source(member({.path = "big", .content = std::string(10 << 20, 'x')}) + member({.path = "next"}));
  tar::Reader reader(source, "'a.tar'");
  tar::Entry entry;
  ASSERT_TRUE(reader.next(entry));
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.path, "next");
  EXPECT_EQ(entry.data_offset, (10u << 20) + 1024);
  EXPECT_GT(source.skipped, 9u << 20);
}
