// Layers as a whole: their limits, their whiteouts, the order of things.
#include "common/layer/apply.hpp"

#include <vector>

#include "common/layer/member_path.hpp"
#include "common/layer/whiteout.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/cancellation.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

[[noreturn]] void fail_size(std::uint64_t limit) {
  throw util::Error("the image unpacks to more than " + util::human_size(limit) + ", the limit that was set");
}

// Passes an archive through until it is cancelled, and stops a decompression bomb: not only files, headers
// too are bytes of the archive.
class LimitedSource : public stream::Source {
public:
  LimitedSource(stream::Source& inner, std::uint64_t left, std::uint64_t limit,
                const sys::Cancellation& cancel)
      : inner_(inner), left_(left), limit_(limit), cancel_(cancel) {}

  std::size_t read(std::span<std::byte> buffer) override {
    cancel_.check();
    return static_cast<std::size_t>(count(inner_.read(buffer)));
  }
  std::uint64_t skip(std::uint64_t size) override {
    cancel_.check();
    return count(inner_.skip(size > left_ ? left_ + 1 : size));
  }
  std::uint64_t left() const noexcept { return left_; }

private:
  std::uint64_t count(std::uint64_t size) {
    if (size > left_) fail_size(limit_);
    left_ -= size;
    return size;
  }

  stream::Source& inner_;
  std::uint64_t left_;
  std::uint64_t limit_;
  const sys::Cancellation& cancel_;
};

}  // namespace

Applier::Applier(sys::RootedDir& root, ApplyOptions options)
    : root_(root),
      options_(options),
      members_(root, options.reading == Reading::overlay ? containerd_members : umoci_members,
               options.cancel),
      lowest_(!options.over_others),
      archive_left_(options.max_size) {}

void Applier::apply(stream::Source& archive, const std::string& what) {
  if (options_.reading == Reading::overlay && !lowest_) {
    apply_over_others(archive, what);
  } else {
    read_members(archive, what);
  }
  lowest_ = false;
}

void Applier::read_members(stream::Source& archive, const std::string& what) {
  LimitedSource limited(archive, archive_left_, options_.max_size, options_.cancel);
  tar::Reader reader(limited, what);
  tar::Entry entry;
  written_.clear();
  while (reader.next(entry)) {
    ++count_;
    count_size(entry.size);
    const std::string path = member_path(entry.path);
    if (options_.reading == Reading::overlay) {
      apply_overlay_member(entry, reader, path);
    } else if (!apply_whiteout(path)) {
      apply_member(entry, reader, path);
    }
  }
  // What follows the end mark belongs to the digest.
  stream::drain(limited);
  archive_left_ = limited.left();
}

void Applier::count_size(std::uint64_t size) {
  // The sizes of sparse files are not in the archive, so their sum may overflow.
  if (__builtin_add_overflow(bytes_, size, &bytes_))
    throw util::Error("the sizes of the files are too large");
  if (bytes_ > options_.max_size) fail_size(options_.max_size);
}

void Applier::finish() {
  members_.finish();
}

Report Applier::report() const {
  Report report;
  static_cast<Losses&>(report) = members_.losses();
  report.members = count_;
  report.bytes = bytes_;
  return report;
}

void Applier::apply_member(const tar::Entry& entry, tar::Reader& reader, const std::string& path) {
  if (path.empty() && entry.type != tar::Type::directory) {
    throw util::Error("the member " + util::quote(entry.path) + " would replace the root directory");
  }
  const auto place = root_.find_or_make_parents(path);
  mark_written(place);
  if (upper_ && entry.type == tar::Type::directory) upper_->described.insert(place.str());
  members_.put(entry, reader, place);
}

bool Applier::apply_whiteout(const std::string& path) {
  const Whiteout whiteout = parse_whiteout(path);
  if (whiteout.kind == Whiteout::Kind::none) return false;
  if (whiteout.kind == Whiteout::Kind::reserved || lowest_) return true;
  // The marker itself is looked for, so that a parent that is a symlink is followed as for any other member.
  const auto marker = root_.find(path);
  if (!marker) return true;
  if (whiteout.kind == Whiteout::Kind::name) {
    hide(marker->parent().child(whiteout.hidden));
  } else {
    hide_below(marker->parent());
  }
  return true;
}

// Takes away what lower layers have there.
void Applier::hide(const sys::RootedPath& place) {
  if (!is_written(place)) {
    members_.remove(place);
  } else if (const auto status = root_.status(place); status && S_ISDIR(status->st_mode)) {
    hide_below(place);
  }
}

void Applier::hide_below(const sys::RootedPath& directory) {
  std::vector<sys::RootedPath> directories = {directory};
  while (!directories.empty()) {
    const auto parent = std::move(directories.back());
    directories.pop_back();
    for (const auto& name : root_.list(parent)) {
      const auto place = parent.child(name);
      if (!is_written(place)) {
        members_.remove(place);
      } else if (const auto status = root_.status(place); status && S_ISDIR(status->st_mode)) {
        directories.push_back(place);
      }
    }
  }
}

void Applier::mark_written(const sys::RootedPath& place) {
  // Nothing lies below the lowest, and a layer that stands alone is all written.
  if (!lowest_) written_.insert_with_parents(place.str());
}

bool Applier::is_written(const sys::RootedPath& place) const {
  return written_.contains(place.str());
}

}  // namespace layer
