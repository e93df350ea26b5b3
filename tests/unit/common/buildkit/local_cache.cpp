// The task's cache directory through builds that end well and builds that do not.
#include "common/buildkit/local_cache.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace {

namespace fs = std::filesystem;
using buildkit::LocalCache;

class LocalCacheTest : public testing::Test {
protected:
  const fs::path& dir() const { return dir_.path(); }

  std::optional<LocalCache> open(std::size_t targets = 1) const {
    return std::optional<LocalCache>(std::in_place, dir(), document::Output(), targets);
  }

  // Where a cache says that buildctl is to write.
  static fs::path destination(const LocalCache& cache) {
    for (const auto& field : util::split(cache.exports(0).at(0), ',')) {
      if (field.starts_with("dest=")) return std::string(field.substr(5));
    }
    return {};
  }

  static std::string put_blob(const fs::path& layout, const std::string& content) {
    const auto digest = hash::sha256(content);
    fs::create_directories(layout / "blobs/sha256");
    const auto path = layout / "blobs/sha256" / digest.hex();
    if (!fs::exists(path)) sys::write_file(path, content);
    return digest.str();
  }

  // What buildctl leaves in `layout`: for each tag a manifest over the layers given.
  static void export_to(const fs::path& layout, const std::vector<std::string>& tags,
                        const std::vector<std::string>& layers) {
    std::vector<std::string> descriptors;
    for (const auto& layer : layers)
      descriptors.push_back("{\"digest\":\"" + put_blob(layout, layer) + "\"}");
    const auto config = put_blob(layout, "config of " + util::join(layers, ","));
    const auto manifest = put_blob(layout, "{\"config\":{\"digest\":\"" + config + "\"},\"layers\":[" +
                                               util::join(descriptors, ",") + "]}");
    std::vector<std::string> entries;
    for (const auto& tag : tags) {
      entries.push_back("{\"digest\":\"" + manifest +
                        "\",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" + tag + "\"}}");
    }
    sys::write_file(layout / "index.json", "{\"manifests\":[" + util::join(entries, ",") + "]}");
    sys::write_file(layout / "oci-layout", "{}");
    fs::create_directory(layout / "ingest");
  }

  void build(const std::vector<std::string>& layers) const {
    auto cache = open();
    export_to(destination(*cache), {"target-0"}, layers);
    cache->commit();
  }

  std::set<std::string> blobs() const {
    std::set<std::string> contents;
    for (const auto& entry : fs::directory_iterator(dir() / "buildkit/blobs/sha256"))
      contents.insert(sys::read_file(entry.path()));
    return contents;
  }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir()), fs::directory_iterator()));
  }

private:
  sys::TempDir dir_{fs::temp_directory_path()};
};

TEST_F(LocalCacheTest, OfAnEmptyDirectoryGivesNothingToImport) {
  EXPECT_TRUE(open()->imports().empty());
  EXPECT_EQ(entries(), 0U);
}

TEST_F(LocalCacheTest, IsImportedByTheNextBuild) {
  build({"a"});
  const auto current = fs::canonical(dir() / "buildkit").string();
  EXPECT_EQ(open()->imports(), std::vector<std::string>{"type=local,src=" + current + ",tag=target-0"});
}

TEST_F(LocalCacheTest, HoldsWhatTheLastBuildUsedAndNothingElse) {
  build({"a", "b"});
  build({"b", "c"});
  const auto held = blobs();
  EXPECT_TRUE(held.contains("b"));
  EXPECT_TRUE(held.contains("c"));
  EXPECT_FALSE(held.contains("a"));
  EXPECT_EQ(held.size(), 4U);  // with the manifest and its config
  EXPECT_EQ(entries(), 2U);    // the link and what it names
}

TEST_F(LocalCacheTest, WritesNoBlobTwice) {
  const auto inode = [&] {
    struct stat status;
    EXPECT_EQ(::stat((dir() / "buildkit/blobs/sha256" / hash::sha256("kept").hex()).c_str(), &status), 0);
    return status.st_ino;
  };
  build({"kept", "old"});
  const auto before = inode();
  build({"kept", "new"});
  EXPECT_EQ(inode(), before);
}

TEST_F(LocalCacheTest, IsUnchangedAfterABuildThatFailed) {
  build({"a"});
  {
    auto cache = open();
    export_to(destination(*cache), {"target-0"}, {"b"});
  }
  EXPECT_TRUE(blobs().contains("a"));
  EXPECT_EQ(entries(), 2U);
}

TEST_F(LocalCacheTest, IsUnchangedWhenATargetIsMissing) {
  build({"a"});
  auto cache = open(2);
  export_to(destination(*cache), {"target-0"}, {"b"});
  EXPECT_THROW(cache->commit(), util::Error);
  cache.reset();
  EXPECT_TRUE(blobs().contains("a"));
  EXPECT_EQ(entries(), 2U);
}

TEST_F(LocalCacheTest, KeepsEveryTargetOfABuild) {
  auto cache = open(2);
  export_to(destination(*cache), {"target-0", "target-1"}, {"a"});
  cache->commit();
  cache.reset();
  EXPECT_EQ(open()->imports().size(), 2U);
}

TEST_F(LocalCacheTest, DropsWhatAKilledBuildLeftBehind) {
  build({"a"});
  fs::create_directories(dir() / "buildkit.killed/blobs/sha256");
  fs::create_symlink("buildkit.killed", dir() / "buildkit.killed.link");
  open();
  EXPECT_EQ(entries(), 2U);
}

TEST_F(LocalCacheTest, LeftByTheStockTaskIsImportedOnceAndReplaced) {
  export_to(dir(), {"latest"}, {"a"});
  auto cache = open();
  EXPECT_EQ(cache->imports(),
            std::vector<std::string>{"type=local,src=" + fs::canonical(dir()).string() + ",tag=latest"});
  export_to(destination(*cache), {"target-0"}, {"a", "b"});
  cache->commit();
  cache.reset();
  EXPECT_FALSE(fs::exists(dir() / "index.json"));
  EXPECT_FALSE(fs::exists(dir() / "blobs"));
  EXPECT_EQ(entries(), 2U);
  EXPECT_TRUE(blobs().contains("a"));
}

TEST_F(LocalCacheTest, LeftByTheStockTaskStaysWhenTheBuildFails) {
  export_to(dir(), {"latest"}, {"a"});
  open();
  EXPECT_TRUE(fs::exists(dir() / "index.json"));
  EXPECT_EQ(open()->imports().size(), 1U);
}

TEST_F(LocalCacheTest, ThatIsDamagedIsReplaced) {
  build({"a"});
  sys::write_file(dir() / "buildkit/index.json", "not JSON");
  EXPECT_TRUE(open()->imports().empty());
  build({"b"});
  EXPECT_TRUE(blobs().contains("b"));
  EXPECT_EQ(entries(), 2U);
}

TEST_F(LocalCacheTest, OfWrongKindsIsNeitherReadNorFollowedAndReplaced) {
  const sys::TempDir outside(fs::temp_directory_path());
  export_to(outside.path(), {"target-0"}, {"outside"});
  const auto before = std::distance(fs::recursive_directory_iterator(outside.path()), {});
  const std::vector<std::pair<const char*, std::function<void(const fs::path&)>>> kinds = {
      {"fifo", [](auto& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); }},
      {"link", [&](auto& path) { fs::create_directory_symlink(outside.path(), path); }},
      {"link to nothing", [](auto& path) { fs::create_symlink("nothing", path); }},
      {"directory", [](auto& path) { fs::create_directory(path); }},
      {"empty file", [](auto& path) { sys::write_file(path, ""); }},
  };
  build({"a"});
  for (const auto* place :
       {"buildkit", "target", "index.json", "oci-layout", "blobs", "blobs/sha256", "blob"}) {
    for (const auto& [kind, put] : kinds) {
      SCOPED_TRACE(std::string(place) + " as " + kind);
      const std::string_view name = place;
      const auto layout = fs::canonical(dir() / "buildkit");
      const auto path = name == "buildkit" ? dir() / "buildkit"
                        : name == "target" ? layout
                        : name == "blob"   ? layout / "blobs/sha256" / hash::sha256("a").hex()
                                           : layout / name;
      const bool was_directory = fs::is_directory(fs::symlink_status(path));
      fs::remove_all(path);
      put(path);
      {
        const auto cache = open();
        const bool is_its_kind = was_directory ? std::string_view(kind) == "directory"
                                               : std::string_view(kind) == "empty file" &&
                                                     name != "buildkit" && name != "index.json";
        const bool is_read = is_its_kind || (name == "oci-layout" && std::string_view(kind) == "directory");
        if (!is_read || name == "target" || name == "blobs") {
          EXPECT_TRUE(cache->damage());
          EXPECT_TRUE(cache->imports().empty());
        }
        EXPECT_FALSE(cache->why_read_only());
      }
      build({"a"});
      const auto cache = open();
      EXPECT_EQ(cache->damage(), std::nullopt);
      EXPECT_EQ(cache->imports().size(), 1U);
      EXPECT_EQ(std::distance(fs::recursive_directory_iterator(outside.path()), {}), before);
    }
  }
}

TEST_F(LocalCacheTest, InUseByAnotherBuildIsReadOnly) {
  build({"a"});
  const auto first = open();
  const auto second = open();
  EXPECT_FALSE(first->why_read_only());
  EXPECT_EQ(second->why_read_only(), "another build is using '" + dir().string() + "'");
  EXPECT_EQ(second->imports().size(), 1U);
  EXPECT_TRUE(second->exports(0).empty());
}

TEST_F(LocalCacheTest, IsCompressedLikeTheImage) {
  document::Output output;
  output.compression = document::Compression::zstd;
  const LocalCache cache(dir(), output, 1);
  EXPECT_TRUE(cache.exports(0).at(0).ends_with(",compression=zstd"));
}

}  // namespace
