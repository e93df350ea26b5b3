// The walk over a change set.
#include "common/layer/diff.hpp"

#include <cstring>
#include <optional>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

bool same_content(const ChangeSet& upper, const ChangeSet& lower, const std::string& path,
                  const sys::Cancellation& cancel) {
  const auto a = upper.open(path);
  const auto b = lower.open(path);
  util::Buffer left(64 << 10), right(64 << 10);
  for (;;) {
    cancel.check();
    const std::size_t count = sys::read_some(a.get(), left, util::quote(path));
    std::size_t filled = 0;
    while (filled < count) {
      const std::size_t more =
          sys::read_some(b.get(), std::span(right).subspan(filled, count - filled), util::quote(path));
      if (more == 0) return false;
      filled += more;
    }
    if (count == 0) return true;
    if (std::memcmp(left.data(), right.data(), count) != 0) return false;
  }
}

class Walk {
public:
  Walk(const ChangeSet& upper, const ChangeSet* lower, const ChangeVisitor& visit,
       const sys::Cancellation& cancel)
      : upper_(upper), lower_(lower), visit_(visit), cancel_(cancel) {}

  void run() { directory("", lower_, Below::visible); }

private:
  // Whether what lies below a directory still shows, or an opaque directory has replaced it: then everything
  // below that does not stand in the upper directory again was removed.
  enum class Below { visible, replaced };

  // `lower` is null where what lies below is no directory: a symlink there leads to no part of the lower
  // tree.
  void directory(const std::string& path, const ChangeSet* lower, Below below) {
    const auto names = upper_.list(path);
    std::vector<std::string> lower_names;
    if (below == Below::replaced && lower != nullptr) lower_names = lower->list(path);
    auto next_lower = lower_names.begin();
    const auto remove_up_to = [&](const std::string* limit) {
      for (; next_lower != lower_names.end() && (limit == nullptr || *next_lower < *limit); ++next_lower) {
        visit_({.kind = Change::Kind::removed, .path = join(path, *next_lower)});
      }
    };
    for (const auto& name : names) {
      cancel_.check();
      const auto status = upper_.status(join(path, name));
      if (!status) continue;
      // A whiteout in a directory that replaced what was below is one of the removals found by comparing.
      if (below == Below::replaced && is_whiteout(*status)) continue;
      remove_up_to(&name);
      if (next_lower != lower_names.end() && *next_lower == name) ++next_lower;
      entry(join(path, name), *status, lower, below);
    }
    remove_up_to(nullptr);
  }

  void entry(const std::string& path, const struct stat& status, const ChangeSet* lower, Below below) {
    sys::check_length(path);
    const auto lower_status = lower != nullptr ? lower->status(path) : std::nullopt;
    if (is_whiteout(status)) {
      if (lower_status) visit_({.kind = Change::Kind::removed, .path = path});
      return;
    }
    if (!lower_status || !is_same(path, status, *lower_status)) {
      visit_({.kind = Change::Kind::written, .path = path, .status = status});
    }
    if (!S_ISDIR(status.st_mode)) return;
    if (!lower_status || !S_ISDIR(lower_status->st_mode)) {
      below = Below::visible;  // nothing there to be removed
      lower = nullptr;
    } else if (upper_.is_opaque(path)) {
      below = Below::replaced;
    }
    directory(path, lower, below);
  }

  bool is_same(const std::string& path, const struct stat& upper, const struct stat& lower) const {
    if (upper.st_mode != lower.st_mode || upper.st_uid != lower.st_uid || upper.st_gid != lower.st_gid ||
        upper.st_rdev != lower.st_rdev) {
      return false;
    }
    if (!S_ISLNK(upper.st_mode) && upper_.capability(path) != lower_->capability(path)) {
      return false;
    }
    if (S_ISDIR(upper.st_mode)) return true;
    if (upper.st_size != lower.st_size || upper.st_mtim.tv_sec != lower.st_mtim.tv_sec ||
        upper.st_mtim.tv_nsec != lower.st_mtim.tv_nsec) {
      return false;
    }
    if (upper.st_mtim.tv_nsec != 0) return true;
    if (S_ISLNK(upper.st_mode)) return upper_.read_link(path) == lower_->read_link(path);
    return !S_ISREG(upper.st_mode) || upper.st_size == 0 || same_content(upper_, *lower_, path, cancel_);
  }

  static std::string join(const std::string& directory, const std::string& name) {
    return directory.empty() ? name : directory + "/" + name;
  }

  const ChangeSet& upper_;
  const ChangeSet* lower_;
  const ChangeVisitor& visit_;
  const sys::Cancellation& cancel_;
};

}  // namespace

void diff(const ChangeSet& upper, const ChangeSet* lower, const ChangeVisitor& visit,
          const sys::Cancellation& cancel) {
  Walk(upper, lower, visit, cancel).run();
}

}  // namespace layer
