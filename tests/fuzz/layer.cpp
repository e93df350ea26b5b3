// Two layers of any bytes, one over the other: nothing outside the root may change.
#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "common/layer/apply.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/fuzz/tar_input.hpp"

namespace {

namespace fs = std::filesystem;

// Below a directory of their own, so that ".." leads to where it would be noticed.
struct Surroundings {
  sys::TempDir top{fs::temp_directory_path(), "fuzz-layer-"};
  fs::path root = top.path() / "a" / "root";
  fs::path secret = top.path() / "secret";

  Surroundings() {
    fs::create_directories(root);
    sys::write_file(secret, "untouched");
  }

  void check() const {
    if (sys::read_file(secret) != "untouched") __builtin_trap();
    if (std::distance(fs::directory_iterator(top.path()), fs::directory_iterator()) != 2) __builtin_trap();
    if (std::distance(fs::directory_iterator(top.path() / "a"), fs::directory_iterator()) != 1)
      __builtin_trap();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte says how many blocks make the lower layer.
  if (size < 1) return 0;
  const std::size_t lower = std::min<std::size_t>(data[0] * 512u, size - 1);
  const Surroundings surroundings;
  auto root = sys::RootedDir::open(surroundings.root);
  layer::Applier applier(root, {.max_size = 1 << 20});
  try {
    applier.apply(*stream::from_string(fuzz::sealed_archive(data + 1, lower)), "the lower layer");
    applier.apply(*stream::from_string(fuzz::sealed_archive(data + 1 + lower, size - 1 - lower)),
                  "the upper layer");
    applier.finish();
  } catch (const util::Error&) {}
  surroundings.check();
  return 0;
}
