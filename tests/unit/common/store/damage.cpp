// Every entry of a filled store as everything that it should not be: a miss, one warning, and repaired.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view document = "a document";
constexpr auto image_name = "docker.io/library/base:1";

// What stands outside the store and must stay as it is.
struct Outside {
  fs::path file;
  fs::path directory;
};

struct Kind {
  const char* name;
  std::function<void(const fs::path&, const Outside&)> put;
};

void make_socket(const fs::path& path) {
  const sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sys::UniqueFd parent(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const auto name = "/proc/self/fd/" + std::to_string(parent.get()) + "/" + path.filename().string();
  ASSERT_LT(name.size(), sizeof address.sun_path);  // which is why the parent goes by its descriptor
  name.copy(address.sun_path, name.size());
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

const std::vector<Kind>& wrong_kinds() {
  static const std::vector<Kind> kinds = {
      {"fifo", [](auto& path, auto&) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); }},
      {"socket", [](auto& path, auto&) { make_socket(path); }},
      {"device",
       [](auto& path, auto&) {
         // Whoever opens it to read reads for ever.
         ASSERT_EQ(::mknod(path.c_str(), S_IFCHR | 0600, ::makedev(1, 5)), 0);
       }},
      {"directory",
       [](auto& path, auto&) {
         fs::create_directory(path);
         std::ofstream(path / "inside") << "x";
       }},
      {"link to a file", [](auto& path, auto& outside) { fs::create_symlink(outside.file, path); }},
      {"link to a directory", [](auto& path, auto& outside) { fs::create_symlink(outside.directory, path); }},
      {"link to nothing",
       [](auto& path, auto& outside) { fs::create_symlink(outside.directory / "made", path); }},
      {"second name", [](auto& path, auto& outside) { fs::create_hard_link(outside.file, path); }},
      {"empty file", [](auto& path, auto&) { std::ofstream{path}; }},
      {"other file", [](auto& path, auto&) { std::ofstream(path) << "{\"schema\": \"none of ours\"}"; }},
      {"huge file",
       [](auto& path, auto&) {
         std::ofstream{path};
         fs::resize_file(path, std::uintmax_t{1} << 40);
       }},
  };
  return kinds;
}

class StoreDamageTest : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root makes device nodes";
    fs::create_directory(outside_.directory);
    std::ofstream(outside_.file) << "outside";
    std::ofstream(outside_.directory / "inside") << "outside";
    use();
    ASSERT_EQ(warnings_, std::vector<std::string>());
  }

  // As a build does: makes what is not there. Says how many parts were.
  int use() {
    warnings_.clear();
    bool sound = false;
    const int hits = try_use(sound);
    return sound ? hits : try_use(sound);
  }

  int try_use(bool& sound) {
    Store store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); },
                             .owner = Owner::store});
    int hits = 0;
    const Blob blob{hash::sha256(document), document.size()};
    if (store.names().find(image_name) == blob) ++hits;
    if (store.blobs().read(blob) == document) {
      ++hits;
    } else if (auto download = store.blobs().download(blob)) {
      if (download->offset() > 0) download->restart();
      download->write(std::as_bytes(std::span(document)));
      EXPECT_TRUE(download->finish());
    }
    store.names().put(image_name, blob);
    const auto chain = hash::sha256("chain");
    if (const auto root = store.trees().find(chain)) {
      ++hits;
    } else if (auto making = store.trees().make(chain)) {
      sys::write_file(making->root() / "file", "content");
      making->commit(Fidelity::whole);
    }
    const Step step{.diff_id = hash::sha256("layer"),
                    .blob = blob,
                    .media_type = "layer",
                    .created = {.seconds = 1},
                    .parts = {{plan::KeyPart::Kind::option, "user", hash::sha256("part")}}};
    if (store.steps().find(plan::key_of(step.parts)) == step) {
      ++hits;
    } else {
      store.steps().put(plan::key_of(step.parts), step);
    }
    ++hits;
    store.mounts().lease(hash::sha256("key"), Sharing::locked, [&](int directory) {
      --hits;
      EXPECT_EQ(::mkdirat(directory, "file", 0755), 0);
    });
    EXPECT_EQ(store.blobs().read(blob), document);
    EXPECT_EQ(store.names().find(image_name), blob);
    sound = store.is_sound();
    EXPECT_TRUE(!sound || store.trees().find(chain));  // one that is damaged is gone once that is found out
    return hits;
  }

  void expect_nothing_changed_outside() {
    EXPECT_EQ(sys::read_file(outside_.file), "outside");
    EXPECT_EQ(sys::read_file(outside_.directory / "inside"), "outside");
    EXPECT_EQ(std::distance(fs::directory_iterator(outside_.directory), fs::directory_iterator()), 1);
    EXPECT_EQ(std::distance(fs::directory_iterator(temp_.path()), fs::directory_iterator()), 3);
  }

  // An empty folder is a miss without a word, what a lock or the record of a cache mount says does not
  // matter, and what a cut download holds is found out when it is complete.
  static bool is_harmless(const fs::path& path, const Kind& kind, bool was_directory) {
    const std::string_view name = kind.name;
    if (was_directory) return name == "directory";
    if (path.filename() == "mount.json" && name == "second name") return true;  // never written to
    const bool is_any_file = path.filename() == "lock" || path.filename() == "mount.json" ||
                             path.parent_path().filename() == "partial";
    return is_any_file && (name == "empty file" || name == "other file" || name == "huge file");
  }

  std::vector<fs::path> entries() const {
    std::vector<fs::path> paths = {directory_};
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
      if (entry.path().filename() != "file") paths.push_back(entry.path());  // of the tree itself
    }
    paths.push_back(directory_ / "partial" / hash::sha256(document).hex());
    return paths;
  }

  // Without a disk where there is memory: some hundred stores are filled.
  sys::TempDir temp_{fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()};
  fs::path directory_ = temp_.path() / "store";
  Outside outside_{temp_.path() / "outside-file", temp_.path() / "outside"};
  std::vector<std::string> warnings_;
};

TEST_F(StoreDamageTest, OfAnyKindIsAMissAndAWarningAndRepaired) {
  const auto paths = entries();
  ASSERT_EQ(paths.size(), 20);
  for (const auto& path : paths) {
    for (const auto& kind : wrong_kinds()) {
      SCOPED_TRACE(path.string() + " as " + kind.name);
      const bool was_directory = fs::is_directory(fs::symlink_status(path));
      fs::remove_all(path);
      kind.put(path, outside_);
      use();
      EXPECT_LE(warnings_.size(), 1) << testing::PrintToString(warnings_);
      if (!is_harmless(path, kind, was_directory)) {
        EXPECT_EQ(warnings_.size(), 1);
      }
      EXPECT_EQ(use(), 5);
      EXPECT_EQ(warnings_, std::vector<std::string>());
      expect_nothing_changed_outside();
    }
  }
}

}  // namespace
}  // namespace store
