#include "common/layer/pack.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/tar/writer.hpp"
#include "tests/support/error_of.hpp"

namespace layer {
namespace {

sys::UniqueFd open_directory(const std::filesystem::path& path) {
  return sys::UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

TEST(Pack, EndsInTheMiddleOfAFileWhenCancelled) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  sys::write_file(directory.path() / "holes", "");
  ASSERT_EQ(::truncate((directory.path() / "holes").c_str(), off_t{1} << 40), 0);
  const auto root = open_directory(directory.path());
  const sys::UniqueFd blob(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  sys::Canceller stop;
  const std::jthread caller([&] { stop.cancel(); });
  EXPECT_EQ(test::error_of([&] {
              pack(*directory_changes(root.get()), nullptr, {blob.get(), "blob"}, {}, stop.cancellation());
            }),
            "cancelled");
}

TEST(Pack, EndsWhileItComparesWhenCancelled) {
  const sys::TempDir upper(std::filesystem::temp_directory_path());
  const sys::TempDir lower(std::filesystem::temp_directory_path());
  for (const auto* directory : {&upper, &lower}) {
    const auto path = directory->path() / "holes";
    sys::write_file(path, "");
    ASSERT_EQ(::truncate(path.c_str(), off_t{1} << 40), 0);
    // Without nanoseconds the content is compared.
    const timespec times[2] = {{1000, 0}, {1000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  const auto upper_fd = open_directory(upper.path());
  const auto lower_fd = open_directory(lower.path());
  const auto below = directory_changes(lower_fd.get());
  const sys::UniqueFd blob(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  sys::Canceller stop;
  const std::jthread caller([&] { stop.cancel(); });
  EXPECT_EQ(
      test::error_of([&] {
        pack(*directory_changes(upper_fd.get()), below.get(), {blob.get(), "blob"}, {}, stop.cancellation());
      }),
      "cancelled");
}

// Layers that others have made hold what ours never do.
TEST(Repack, KeepsHolesAndPartsOfSeconds) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  const auto path = directory.path() / "holes";
  tar::Entry entry;
  entry.path = "sparse";
  entry.mtime = {.seconds = 3, .nanoseconds = 5};
  entry.size = 1 << 20;
  entry.sparse = {{4096, 4}};
  const auto write = [&](stream::Sink& sink) {
    tar::Writer writer(sink);
    writer.add(entry);
    writer.write(std::as_bytes(std::span("data", 4)));
    writer.finish();
    sink.finish();
  };
  const sys::UniqueFd source(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  stream::HashingSink hashed(stream::to_fd(source.get(), "the layer"));
  write(hashed);
  const PackedLayer packed{.diff_id = hashed.digest(),
                           .blob = {.media_type = "application/vnd.oci.image.layer.v1.tar",
                                    .digest = hashed.digest(),
                                    .size = hashed.size()}};
  for (const std::int64_t newest : {5, 3}) {
    const sys::UniqueFd made(
        ::open((directory.path() / "made").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    PackOptions options;
    options.compressor = stream::Compressor::none;
    options.newest_mtime = newest;
    const auto repacked = repack(sys::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), packed,
                                 {made.get(), "it"}, options);
    if (newest == 3) entry.mtime.nanoseconds = 0;  // which are later
    const sys::UniqueFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    stream::HashingSink expected(stream::to_fd(nothing.get(), "nothing"));
    write(expected);
    EXPECT_EQ(repacked.diff_id, expected.digest()) << newest;
  }
}

// Changes in which a directory becomes a symlink once what is in it was listed.
class Exchanged : public ChangeSet {
public:
  explicit Exchanged(const ChangeSet& changes) : changes_(changes) {}

  std::vector<std::string> list(const std::string& directory) const override {
    is_exchanged_ = directory == "d";
    return changes_.list(directory);
  }
  std::optional<struct stat> status(const std::string& path) const override {
    return changes_.status(is_exchanged_ && path == "d" ? "link" : path);
  }
  std::string read_link(const std::string& path) const override { return changes_.read_link(path); }
  std::string capability(const std::string& path) const override { return changes_.capability(path); }
  bool has_more_attributes(const std::string& path) const override {
    return changes_.has_more_attributes(path);
  }
  bool is_opaque(const std::string& directory) const override { return changes_.is_opaque(directory); }
  sys::UniqueFd open(const std::string& path) const override { return changes_.open(path); }

private:
  const ChangeSet& changes_;
  mutable bool is_exchanged_ = false;
};

TEST(Pack, PutsNothingBelowADirectoryThatBecameASymlink) {
  const sys::TempDir upper(std::filesystem::temp_directory_path());
  const sys::TempDir lower(std::filesystem::temp_directory_path());
  for (const auto* directory : {&upper, &lower})
    std::filesystem::create_directory(directory->path() / "d");
  sys::write_file(upper.path() / "d/new", "x");
  std::filesystem::create_symlink("/", upper.path() / "link");
  const auto upper_fd = open_directory(upper.path());
  const auto lower_fd = open_directory(lower.path());
  const auto changes = directory_changes(upper_fd.get());
  const auto below = directory_changes(lower_fd.get());
  const sys::UniqueFd blob(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(test::error_of([&] {
              pack(Exchanged(*changes), below.get(), {blob.get(), "blob"}, {}, {});
            }),
            "'d' changed while it was packed");
}

}  // namespace
}  // namespace layer
