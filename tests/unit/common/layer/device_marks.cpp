// Files that stand for devices, as those read them who show and pack trees.
#include "common/sys/device_marks.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "common/layer/change_set.hpp"
#include "common/sys/file.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/trial.hpp"
#include "common/util/error.hpp"
#include "tests/support/lose_right.hpp"

namespace {

using sys::DeviceMarks;
using sys::RootedDir;

void require(bool condition, const std::string& what) {
  if (!condition) throw util::Error(what);
}

// What `action` finds wrong as one who may make no device; the marks of this process end with it.
std::optional<std::string> without_devices(
    const std::function<void(RootedDir& root, const std::filesystem::path& path)>& action) {
  return sys::why_not([&] {
    const sys::TempDir directory(std::filesystem::temp_directory_path());
    test::lose_right(CAP_MKNOD);
    DeviceMarks::keep_for_process();
    auto root = RootedDir::open(directory.path());
    action(root, directory.path());
  });
}

const dev_t loop1 = ::makedev(7, 1);

TEST(DeviceMarks, AreShownAsTheDevices) {
  EXPECT_EQ(without_devices([](RootedDir& root, const std::filesystem::path& path) {
              const auto device = *root.find("device");
              require(!root.make_node(device, S_IFBLK, loop1), "a device is refused");
              require(root.is_mark(device), "it could be made");
              root.set_mode(device, 0640);
              const auto status = root.status(device);
              require(status->st_mode == (S_IFBLK | 0640) && status->st_rdev == loop1, "another device");
              require(!root.open_file(device), "it opens");
              const auto packed = layer::directory_changes(path)->status("device");
              require(packed->st_mode == (S_IFBLK | 0640) && packed->st_rdev == loop1,
                      "another one in the layer");
              require(packed->st_size == 0, "it has a size");
            }),
            std::nullopt);
}

TEST(DeviceMarks, AreWhateverBecomesOfTheirNames) {
  EXPECT_EQ(without_devices([](RootedDir& root, const std::filesystem::path& path) {
              const auto device = *root.find("device");
              require(!root.make_node(device, S_IFCHR, loop1), "a device is refused");
              root.make_hard_link(*root.find("link"), device);
              std::filesystem::rename(path / "device", path / "moved");
              for (const auto* name : {"link", "moved"})
                require(root.status(*root.find(name))->st_rdev == loop1, "another device");
              sys::write_file(path / "moved", "a file");
              require(S_ISREG(root.status(*root.find("moved"))->st_mode), "what replaced it is a device");
            }),
            std::nullopt);
}

TEST(DeviceMarks, AreNoFilesOfOthers) {
  EXPECT_EQ(without_devices([](RootedDir& root, const std::filesystem::path& path) {
              require(!root.make_node(*root.find("device"), S_IFCHR, loop1), "a device is refused");
              const auto size = std::filesystem::file_size(path / "device");
              sys::write_file(path / "file", std::string(size, 'x'));
              require(S_ISREG(root.status(*root.find("file"))->st_mode), "a file is a device");
              require(bool{root.open_file("file")}, "it does not open");
            }),
            std::nullopt);
}

TEST(DeviceMarks, OfAnotherProcessMeanWhatTheyMeantThere) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  DeviceMarks one;
  const auto content = one.content_for({S_IFCHR, loop1});
  sys::write_file(directory.path() / "device", *content);
  EXPECT_EQ(sys::why_not([&] {
              DeviceMarks::keep_for_process();
              auto root = RootedDir::open(directory.path());
              const auto device = *root.find("device");
              require(S_ISREG(root.status(device)->st_mode), "it is known");
              DeviceMarks::of_process()->learn(one.contents());
              require(root.status(device)->st_rdev == loop1, "it is not known");
            }),
            std::nullopt);
}

TEST(DeviceMarks, EndSomewhere) {
  DeviceMarks marks;
  for (dev_t number = 1; number <= DeviceMarks::most; ++number)
    ASSERT_TRUE(marks.content_for({S_IFCHR, number}));
  EXPECT_FALSE(marks.content_for({S_IFCHR, DeviceMarks::most + 1}));
  EXPECT_TRUE(marks.content_for({S_IFCHR, 1}));
}

TEST(DeviceMarks, AreWhiteoutsWhereNobodyMayMakeThose) {
  DeviceMarks one;
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  sys::write_file(directory.path() / "gone", *one.content_for({S_IFCHR, 0}));
  EXPECT_EQ(sys::why_not([&] {
              DeviceMarks::keep_for_process();
              DeviceMarks::of_process()->learn(one.contents());
              require(layer::is_whiteout(*layer::directory_changes(directory.path())->status("gone")),
                      "a file");
            }),
            std::nullopt);
}

TEST(DeviceMarks, AreNotMadeForWhoDoesNotKeepThem) {
  const sys::TempDir directory(std::filesystem::temp_directory_path());
  EXPECT_EQ(sys::why_not([&] {
              test::lose_right(CAP_MKNOD);
              auto root = RootedDir::open(directory.path());
              require(
                  root.make_node(*root.find("device"), S_IFCHR, loop1) == std::errc::operation_not_permitted,
                  "it was made");
            }),
            std::nullopt);
}

}  // namespace
