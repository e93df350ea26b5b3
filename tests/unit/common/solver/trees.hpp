// What the tests of copies share: a source and a destination on disk.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "common/solver/source_tree.hpp"
#include "common/sys/file.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/temp_dir.hpp"

namespace test {

namespace fs = std::filesystem;

class Trees : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "files of other owners need root";
    ::umask(022);
    fs::create_directory(outside_.path() / "root");
    fs::permissions(root(), fs::perms{0755});
    sys::write_file(outside_.path() / "secret", "secret", 0600);
  }

  fs::path source() const { return source_.path(); }
  fs::path root() const { return outside_.path() / "root"; }
  fs::path outside() const { return outside_.path(); }

  static void write(const fs::path& path, const std::string& content, mode_t mode = 0644) {
    fs::create_directories(path.parent_path());
    sys::write_file(path, content, mode);
  }

  static struct stat status(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status;
  }

  // "type mode uid:gid" of an entry.
  static std::string facts(const fs::path& path) {
    const auto found = status(path);
    char text[64];
    const char type = S_ISDIR(found.st_mode)   ? 'd'
                      : S_ISLNK(found.st_mode) ? 'l'
                      : S_ISREG(found.st_mode) ? 'f'
                                               : '?';
    std::snprintf(text, sizeof text, "%c %o %u:%u", type, found.st_mode & 07777, found.st_uid, found.st_gid);
    return text;
  }

  // All names below the root, and that nothing beside it has changed.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root()))
      names.push_back(entry.path().lexically_relative(root()));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(sys::read_file(outside() / "secret"), "secret");
    EXPECT_EQ(std::distance(fs::directory_iterator(outside()), fs::directory_iterator()), 2);
    return names;
  }

private:
  sys::TempDir source_{sys::scratch_directory()};
  sys::TempDir outside_{sys::scratch_directory()};
};

}  // namespace test
