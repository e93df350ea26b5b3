// Records as streams of blocks.
#include "common/store/seals.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <type_traits>

#include "common/hash/sha256.hpp"
#include "common/store/tree_record.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

constexpr std::string_view seals_format = "oci-build/file-seals/1 ";
constexpr std::size_t full_block = 64 << 10;
constexpr std::size_t most_path = 4096;
constexpr std::size_t digest_size = 32;
const std::string what = "record of files";

struct Lengths {
  std::uint16_t shared;
  std::uint16_t rest;
};

constexpr std::size_t most_block =
    full_block + sizeof(Lengths) + most_path + sizeof(sys::FileState) + digest_size;
static_assert(std::is_trivially_copyable_v<sys::FileState> && sizeof(sys::FileState) == 32);

struct BlockHead {
  std::uint32_t size;
  std::array<std::uint8_t, digest_size> digest;
};
static_assert(sizeof(BlockHead) == 36);

// Empty where the boot is unknown.
std::string header() {
  const auto boot = boot_id();
  return boot.empty() ? "" : std::string(seals_format) + boot + "\n";
}

hash::Digest digest_of(std::string_view header, std::uint64_t number, std::string_view content) {
  hash::Sha256 sha;
  sha.update(std::as_bytes(std::span(header)));
  sha.update(std::as_bytes(std::span(&number, 1)));
  sha.update(std::as_bytes(std::span(content)));
  return sha.finish();
}

// In the order of a walk, where what lies in a directory comes before its next neighbour.
bool comes_before(std::string_view one, std::string_view other) {
  const auto [a, b] = std::mismatch(one.begin(), one.end(), other.begin(), other.end());
  if (a == one.end() || b == other.end()) return b != other.end();
  if (*a == '/' || *b == '/') return *a == '/';
  return static_cast<unsigned char>(*a) < static_cast<unsigned char>(*b);
}

// False at the end before that.
bool read_whole(int fd, std::span<std::byte> into) {
  while (!into.empty()) {
    const auto count = sys::read_some(fd, into, what);
    if (count == 0) return false;
    into = into.subspan(count);
  }
  return true;
}

template <typename Value>
bool take(std::string_view block, std::size_t& at, Value& value) {
  if (block.size() - at < sizeof(value)) return false;
  std::memcpy(&value, block.data() + at, sizeof(value));
  at += sizeof(value);
  return true;
}

template <typename Value>
void append(std::string& text, const Value& value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

bool SealReader::next_block() {
  BlockHead head;
  if (!read_whole(fd_.get(), std::as_writable_bytes(std::span(&head, 1))) || head.size > most_block)
    return false;
  block_.resize(head.size);
  path_.clear();
  at_ = 0;
  return read_whole(fd_.get(), std::as_writable_bytes(std::span(block_))) &&
         digest_of(header_, number_++, block_) == hash::Digest::from_bytes(head.digest);
}

bool SealReader::next() {
  if (at_ == block_.size() && !next_block()) return false;
  Lengths lengths;
  if (!take(block_, at_, lengths) || lengths.shared > path_.size() || lengths.rest > block_.size() - at_)
    return false;
  path_.resize(lengths.shared);
  path_.append(block_, at_, lengths.rest);
  at_ += lengths.rest;
  digest_at_ = at_ + sizeof(state_);
  std::array<std::uint8_t, digest_size> digest;
  return take(block_, at_, state_) && take(block_, at_, digest);
}

std::optional<hash::Digest> SealReader::find(std::string_view path, const sys::FileState& state) {
  try {
    while (!is_done_ && (!is_begun_ || comes_before(path_, path))) {
      is_begun_ = true;
      is_done_ = !next();
    }
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    is_done_ = true;
  }
  if (is_done_ || path_ != path || state_ != state) return std::nullopt;
  std::array<std::uint8_t, digest_size> digest;
  std::memcpy(digest.data(), block_.data() + digest_at_, digest.size());
  return hash::Digest::from_bytes(digest);
}

SealWriter::SealWriter(NewEntry file, std::string header, const Folder& folder, std::string name)
    : file_(std::move(file)), header_(std::move(header)), folder_(folder), name_(std::move(name)) {
  sys::write_all(file_.fd(), header_, what);
}

void SealWriter::add(std::string_view path, const sys::FileState& state, const hash::Digest& digest) {
  if (path.size() > most_path) return;
  const auto shared = static_cast<std::size_t>(
      std::mismatch(path.begin(), path.end(), path_.begin(), path_.end()).first - path.begin());
  append(block_,
         Lengths{static_cast<std::uint16_t>(shared), static_cast<std::uint16_t>(path.size() - shared)});
  block_ += path.substr(shared);
  append(block_, state);
  block_.append(reinterpret_cast<const char*>(digest.bytes().data()), digest.bytes().size());
  path_ = path;
  if (block_.size() >= full_block) end_block();
}

void SealWriter::end_block() {
  BlockHead head{.size = static_cast<std::uint32_t>(block_.size()), .digest = {}};
  const auto digest = digest_of(header_, number_++, block_);
  std::copy(digest.bytes().begin(), digest.bytes().end(), head.digest.begin());
  sys::write_all(file_.fd(), std::as_bytes(std::span(&head, 1)), what);
  sys::write_all(file_.fd(), block_, what);
  block_.clear();
  path_.clear();
}

void SealWriter::commit() {
  if (!block_.empty()) end_block();
  file_.place(folder_, name_);
}

std::optional<SealReader> Seals::read(const hash::Digest& name) try {
  auto wanted = header();
  auto fd = find_file(folder_, name.hex());
  if (!fd || wanted.empty()) return std::nullopt;
  std::string found(wanted.size(), '\0');
  if (!read_whole(fd.get(), std::as_writable_bytes(std::span(found))) || found != wanted) return std::nullopt;
  note_use(folder_, name.hex(), fd.get(), spill_);
  return SealReader(std::move(fd), std::move(wanted));
} catch (const util::Error& error) {
  if (error.is_cancelled()) throw;
  return std::nullopt;  // what is no file is replaced by the next one that is written
}

std::optional<SealWriter> Seals::write(const hash::Digest& name) try {
  auto begin = header();
  if (spill_.store() != nullptr || begin.empty()) return std::nullopt;
  if (!is_own_file(folder_, name.hex())) remove_entry(folder_, name.hex());
  return SealWriter(NewEntry::file(partial_), std::move(begin), folder_, name.hex());
} catch (const util::Error& error) {
  if (error.is_cancelled()) throw;
  return std::nullopt;
}

}  // namespace store
