// Blobs as files, with the rules by which several builds share them.
#include "common/store/blobs.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "common/store/blob_seal.hpp"
#include "common/store/entries.hpp"
#include "common/store/lock_file.hpp"
#include "common/store/store.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_document_bytes = 64 << 20;
constexpr std::size_t buffer_size = 256 << 10;

std::string entry_of(const hash::Digest& digest) {
  return digest.hex();
}

// Feeds a file into `sha` from its start; the bytes there were, or nothing if it cannot be read.
std::optional<std::uint64_t> hash_file(int fd, hash::Sha256& sha) {
  util::Buffer buffer(buffer_size);
  std::uint64_t size = 0;
  for (;;) {
    sys::Cancellation().check();
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(size));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return size;
    sha.update(std::span(buffer).first(static_cast<std::size_t>(count)));
    size += static_cast<std::uint64_t>(count);
  }
}

bool has_digest(int fd, const hash::Digest& digest) {
  hash::Sha256 sha;
  return hash_file(fd, sha) && sha.finish() == digest;
}

}  // namespace

void warn_on_stderr(const std::string& message) {
  util::log::warning(message);
}

Blobs::Blobs(const Folder& folder, const Folder& partial, Warn warn, Spill& spill)
    : folder_(folder), partial_(partial), warn_(std::move(warn)), spill_(spill) {}

bool Blobs::is_verified(const hash::Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return verified_.contains(digest);
}

bool Blobs::was_damaged(const hash::Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return damaged_.contains(digest);
}

void Blobs::remember_verified(const hash::Digest& digest) {
  const std::lock_guard lock(mutex_);
  verified_.insert(digest);
}

sys::UniqueFd Blobs::open_file(const Blob& blob, Check check) {
  if (auto* other = spill_.store()) {
    if (auto fd = other->blobs().open_file(blob, check)) return fd;
  }
  return open_here(blob, check);
}

sys::UniqueFd Blobs::open_here(const Blob& blob, Check check) {
  sys::UniqueFd fd;
  try {
    fd = find_file(folder_, entry_of(blob.digest));
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    remove_damaged(blob.digest, error.what());
  }
  struct stat there = {};
  if (!fd || ::fstat(fd.get(), &there) != 0) return sys::UniqueFd();
  if (static_cast<std::uint64_t>(there.st_size) != blob.size) {
    remove_damaged(blob.digest, "its size is " + std::to_string(there.st_size) + " bytes, not " +
                                    std::to_string(blob.size));
    return sys::UniqueFd();
  }
  if (check == Check::digest && !is_verified(blob.digest)) {
    if (!has_right_bytes(blob.digest, fd.get(), there)) {
      remove_damaged(blob.digest, "its bytes do not have its digest");
      return sys::UniqueFd();
    }
    remember_verified(blob.digest);
  }
  note_use(folder_, entry_of(blob.digest), fd.get(), spill_);
  return fd;
}

// `there` is what fstat(2) has just said. The bytes of a small one are read as quickly as its seal.
bool Blobs::has_right_bytes(const hash::Digest& digest, int fd, const struct stat& there) {
  const auto entry = entry_of(digest);
  const bool has_seal = note_of_use(there) == NoteOfUse::beside;
  if (has_seal && store::is_sealed(folder_, entry, there)) return true;
  if (!has_digest(fd, digest)) return false;
  struct stat after = {};
  if (has_seal && !spill_.only_looks() && ::fstat(fd, &after) == 0 &&
      after.st_ctim.tv_sec == there.st_ctim.tv_sec && after.st_ctim.tv_nsec == there.st_ctim.tv_nsec)
    put_seal(folder_, entry, there);
  return true;
}

bool Blobs::is_sealed(const Blob& blob) {
  if (const auto* other = spill_.store(); other != nullptr) return false;
  struct stat status = {};
  const auto entry = entry_of(blob.digest);
  return ::fstatat(folder_.fd(), entry.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         note_of_use(status) == NoteOfUse::beside && store::is_sealed(folder_, entry, status);
}

std::optional<std::string> Blobs::read(const Blob& blob) {
  if (blob.size > most_document_bytes) return std::nullopt;
  const auto file = open_file(blob, Check::digest);
  if (!file) return std::nullopt;
  auto content = sys::read_to_end(file.get(), folder_.shown(entry_of(blob.digest)), most_document_bytes);
  if (hash::sha256(content) == blob.digest) return content;
  discard(blob.digest);
  return std::nullopt;
}

std::unique_ptr<stream::Source> Blobs::open(const Blob& blob) {
  auto file = open_file(blob, Check::size);
  if (!file) return nullptr;
  const auto what = "blob " + blob.digest.str();
  return stream::verified(stream::from_fd(std::move(file), what), blob.digest, blob.size, what);
}

Blob Blobs::put(std::string_view content) {
  const Blob blob{hash::sha256(content), content.size()};
  if (has(blob, Check::digest)) return blob;
  if (auto* other = spill_.store()) return other->blobs().put(content);
  try {
    auto made = create();
    const auto file = made.file();
    sys::write_all(file.fd, content, file.what);
    made.commit(blob);
    return blob;
  } catch (const util::Error& error) {
    return spill_.use(error).blobs().put(content);
  }
}

void Blobs::discard(const hash::Digest& digest) {
  remove_damaged(digest, "its bytes do not have its digest");
}

void Blobs::remove_damaged(const hash::Digest& digest, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    verified_.erase(digest);
    damaged_.insert(digest);
  }
  if (spill_.only_looks()) return;
  const auto entry = entry_of(digest);
  sys::UniqueFd fd;
  try {
    fd = find_file(folder_, entry);
    // Right after all when the caller expects another size, or another build has replaced the file.
    if (!fd || (!has_hole(fd.get()) && has_digest(fd.get(), digest))) return;
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;  // else no file of ours, which is damage enough
  }
  try {
    // Whoever holds the lock is about to replace it; without the lock a good replacement could be removed.
    const auto lock = try_lock_file(partial_, entry);
    if (!lock || (fd && !is_file_at(fd.get(), folder_, entry))) return;
    sys::remove_tree_at(folder_.fd(), entry, folder_.shown(entry));
    struct stat status = {};
    if (::fstat(lock->get(), &status) == 0 && status.st_size == 0)
      ::unlinkat(partial_.fd(), entry.c_str(), 0);
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    return warn_("cannot remove the damaged blob " + digest.str() + " from the store: " + error.what());
  }
  warn_("dropped the damaged blob " + digest.str() + " from the store: " + reason);
}

std::optional<Download> Blobs::download(const Blob& blob, const sys::Cancellation& cancel) {
  for (;;) {
    if (has(blob, Check::digest)) return std::nullopt;
    if (auto* other = spill_.store()) return other->blobs().download(blob, cancel);
    std::optional<sys::UniqueFd> fd;
    try {
      fd = try_lock_file(partial_, entry_of(blob.digest));
    } catch (const util::Error& error) {
      return spill_.use(error).blobs().download(blob, cancel);
    }
    if (fd) {
      // The one we waited for may have finished between the look and the lock.
      if (!has(blob, Check::digest)) return Download(*this, blob, std::move(*fd));
      ::unlinkat(partial_.fd(), entry_of(blob.digest).c_str(), 0);
      return std::nullopt;
    }
    // flock(2) cannot wait for a cancellation as well; a download takes so long that asking is good enough.
    cancel.sleep(50ms);
  }
}

NewBlob Blobs::create() {
  return NewBlob(*this);
}

Download::Download(Blobs& blobs, Blob blob, sys::UniqueFd fd)
    : blobs_(&blobs), blob_(std::move(blob)), fd_(std::move(fd)) {
  struct stat status = {};
  const bool may_be_part =
      ::fstat(fd_.get(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) <= blob_.size;
  const auto there = may_be_part ? hash_file(fd_.get(), sha_) : std::nullopt;
  if (there && *there <= blob_.size) {
    offset_ = *there;
  } else {
    restart();
  }
}

Download::~Download() {
  if (fd_ && offset_ == 0) ::unlinkat(blobs_->partial_.fd(), entry_of(blob_.digest).c_str(), 0);
}

void Download::write(std::span<const std::byte> data) {
  assert(data.size() <= blob_.size - offset_);
  if (!is_there_) {
    const auto begin = offset_;
    try {
      write_here(data);
      return;
    } catch (const util::Error& error) {
      data = data.subspan(offset_ - begin);
      spill(error, offset_);
    }
  }
  if (is_there_) {
    offset_ += data.size();
  } else {
    write(data);
  }
}

void Download::write_here(std::span<const std::byte> data) {
  const auto what = blobs_->partial_.shown(entry_of(blob_.digest));
  while (!data.empty()) {
    const ssize_t count = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) util::throw_errno("cannot write " + what);
    const auto written = data.first(static_cast<std::size_t>(count));
    sha_.update(written);
    offset_ += written.size();
    data = data.subspan(written.size());
  }
}

// The first `size` bytes go along.
void Download::spill(const util::Error& reason, std::uint64_t size) {
  auto& other = blobs_->spill_.use(reason).blobs();
  const auto what = blobs_->partial_.shown(entry_of(blob_.digest));
  if (auto next = other.download(blob_)) {
    next->restart();
    util::Buffer buffer(buffer_size);
    while (next->offset_ < size) {
      const auto left = std::min<std::uint64_t>(buffer.size(), size - next->offset_);
      const auto count = sys::read_some_at(fd_.get(), std::span(buffer).first(left), next->offset_, what);
      if (count == 0) throw util::Error(what + " was cut by somebody else");
      next->write(std::span(buffer).first(count));
    }
    ::unlinkat(blobs_->partial_.fd(), entry_of(blob_.digest).c_str(), 0);
    fd_ = std::move(next->fd_);
    sha_ = std::move(next->sha_);
    offset_ = next->offset_;
  } else {
    ::unlinkat(blobs_->partial_.fd(), entry_of(blob_.digest).c_str(), 0);
    fd_ = sys::UniqueFd();
    is_there_ = true;
    offset_ = size;
  }
  blobs_ = &other;
}

void Download::restart() {
  if (!is_there_ && ::ftruncate(fd_.get(), 0) != 0) {
    const int reason = errno;
    const auto what = blobs_->partial_.shown(entry_of(blob_.digest));
    try {
      util::throw_errno("cannot write " + what, reason);
    } catch (const util::Error& error) {
      spill(error, 0);
    }
  }
  sha_ = hash::Sha256();
  offset_ = 0;
}

bool Download::finish() {
  if (is_there_) return true;
  if (offset_ != blob_.size || sha_.finish() != blob_.digest) {
    restart();
    return false;
  }
  try {
    // Renamed before the lock goes with the descriptor, so whoever waits for it finds the blob. Closing a
    // copy of the descriptor says already whether all bytes could be written.
    sys::close_checked(sys::UniqueFd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)), "blob " + blob_.digest.str());
    const auto entry = entry_of(blob_.digest);
    const auto& place = blobs_->folder_;
    if (::renameat(blobs_->partial_.fd(), entry.c_str(), place.fd(), entry.c_str()) != 0)
      util::throw_errno("cannot create " + place.shown(entry));
    blobs_->remember_verified(blob_.digest);
  } catch (const util::Error& error) {
    spill(error, offset_);
    return finish();
  }
  fd_ = sys::UniqueFd();
  return true;
}

void NewBlob::commit(const Blob& blob) {
  file_.place(blobs_->folder_, entry_of(blob.digest));
  blobs_->remember_verified(blob.digest);
}

}  // namespace store
