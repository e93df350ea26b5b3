// One line for each blob.
#include "common/store/blob_seal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "common/hash/sha256.hpp"
#include "common/store/tree_record.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file_state.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

constexpr std::string_view seal_format = "oci-build/blob-seal/1 ";

// Nothing where the boot is unknown.
std::string seal_text(const struct stat& status) {
  const auto boot = boot_id();
  if (boot.empty()) return {};
  std::string facts = boot;
  for (const auto number :
       {static_cast<long long>(status.st_size), static_cast<long long>(status.st_mode),
        static_cast<long long>(status.st_uid), static_cast<long long>(status.st_gid),
        static_cast<long long>(status.st_mtim.tv_sec), static_cast<long long>(status.st_mtim.tv_nsec),
        static_cast<long long>(status.st_ctim.tv_sec), static_cast<long long>(status.st_ctim.tv_nsec)})
    facts += " " + std::to_string(number);
  return std::string(seal_format) + hash::sha256(facts).hex() + "\n";
}

}  // namespace

bool is_sealed(const Folder& folder, const std::string& name, const struct stat& now) noexcept {
  try {
    const auto file = find_file(folder, use_of(name));
    std::array<char, 128> content{};
    const ssize_t size = file ? ::pread(file.get(), content.data(), content.size(), 0) : -1;
    return size > 0 && std::string_view(content.data(), static_cast<std::size_t>(size)) == seal_text(now);
  } catch (const util::Error&) {
    return false;
  }
}

void put_seal(const Folder& folder, const std::string& name, const struct stat& before) noexcept {
  try {
    const auto text = seal_text(before);
    if (text.empty() || !sys::is_past(before.st_ctim)) return;
    const auto file = open_own_file(folder, use_of(name));
    // Half of one is none, and so is one with more behind it.
    if (::ftruncate(file.get(), 0) == 0) [[maybe_unused]]
      const auto ignored = ::pwrite(file.get(), text.data(), text.size(), 0);
  } catch (const util::Error&) {}  // whoever comes next reads the bytes again
}

}  // namespace store
