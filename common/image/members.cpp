// Members of directories and tars.
#include "common/image/members.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>

#include "common/sys/file.hpp"
#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

class DirectoryMembers : public Members {
public:
  DirectoryMembers(const std::filesystem::path& path, FileLinks links)
      : path_(path), links_(links), root_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_) util::throw_errno("cannot open " + util::quote(path.string()));
  }

  std::optional<Location> find(const std::string& name) const override {
    const auto parts = util::split(name, '/');
    sys::UniqueFd parent;
    int at = root_.get();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // O_NONBLOCK: opening a FIFO that somebody put there must not wait for its writer.
      const bool last = i + 1 == parts.size();
      int flags = last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
      if (!last || links_ == FileLinks::refused) flags |= O_NOFOLLOW;
      sys::UniqueFd fd(::openat(at, parts[i].c_str(), flags | O_CLOEXEC));
      if (!fd && errno == ENOENT) return std::nullopt;
      if (!fd) fail(name, at, parts[i]);
      parent = std::move(fd);
      at = parent.get();
    }
    sys::require_regular(at, shown(name));
    struct stat status;
    if (::fstat(at, &status) != 0) util::throw_errno("cannot open " + shown(name));
    return Location{std::make_shared<const sys::UniqueFd>(std::move(parent)), 0,
                    static_cast<std::uint64_t>(status.st_size), path_ / name};
  }

private:
  std::string shown(const std::string& name) const { return util::quote((path_ / name).string()); }

  [[noreturn]] void fail(const std::string& name, int at, const std::string& part) const {
    const int error = errno;
    struct stat status;
    if (::fstatat(at, part.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) {
      throw util::Error(shown(name) + " is reached through a symbolic link, which images may not hold");
    }
    util::throw_errno("cannot open " + shown(name), error);
  }

  std::filesystem::path path_;
  FileLinks links_;
  sys::UniqueFd root_;
};

// Gives little at first after a skip and more as the reader goes on: headers stand alone between large
// members, and in rows between small ones.
class IndexingSource : public stream::Source {
public:
  explicit IndexingSource(std::unique_ptr<stream::Source> inner) : inner_(std::move(inner)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = inner_->read(buffer.first(std::min(buffer.size(), step_)));
    step_ = std::min(step_ * 2, max_step);
    return count;
  }

  std::uint64_t skip(std::uint64_t count) override {
    step_ = min_step;
    return inner_->skip(count);
  }

private:
  static constexpr std::size_t min_step = 2048, max_step = 65536;

  std::unique_ptr<stream::Source> inner_;
  std::size_t step_ = min_step;
};

// A member's name as it is looked up: without "." and doubled slashes. Nothing for names that leave the
// archive, which nothing refers to.
std::optional<std::string> clean(std::string_view name) {
  std::string cleaned;
  for (const auto& part : util::split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    cleaned += (cleaned.empty() ? "" : "/") + part;
  }
  if (cleaned.empty() || name.starts_with('/')) return std::nullopt;
  return cleaned;
}

// What a symlink in `directory` means, without leaving the archive.
std::optional<std::string> resolve(const std::string& directory, const std::string& target) {
  if (target.starts_with('/')) return std::nullopt;
  std::vector<std::string> parts;
  for (const auto& part : util::split(directory + "/" + target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return std::nullopt;
    } else {
      parts.pop_back();
    }
  }
  return util::join(parts, "/");
}

class TarMembers : public Members {
public:
  TarMembers(sys::UniqueFd fd, const std::string& what)
      : fd_(std::make_shared<const sys::UniqueFd>(std::move(fd))), what_(what) {
    struct stat status;
    if (::fstat(fd_->get(), &status) != 0) util::throw_errno("cannot read " + what_);
    IndexingSource source(stream::from_range(fd_, 0, static_cast<std::uint64_t>(status.st_size), what_));
    tar::Reader reader(source, what_);
    tar::Entry entry;
    std::size_t count = 0;
    for (bool more = first(reader, entry); more; more = reader.next(entry)) {
      if (++count > max_members)
        throw util::Error(what_ + " has more than 100000 members, so it is no image");
      add(entry);
    }
  }

  std::optional<Location> find(const std::string& name) const override {
    std::string current = name;
    for (int hops = 0; hops < max_hops; ++hops) {
      const auto found = members_.find(current);
      if (found == members_.end()) return std::nullopt;
      const Member& member = found->second;
      if (member.ambiguous) throw util::Error(what_ + " holds " + util::quote(current) + " twice");
      if (!member.link_target) return Location{fd_, member.offset, member.size, {}};
      current = *member.link_target;
    }
    throw util::Error(what_ + ": " + util::quote(name) + " is a symbolic link that leads nowhere");
  }

private:
  struct Member {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::optional<std::string> link_target;
    bool ambiguous = false;
  };

  static constexpr std::size_t max_members = 100'000;
  static constexpr int max_hops = 8;

  // What is no tar at all fails at its first header, and is no damaged image but none.
  bool first(tar::Reader& reader, tar::Entry& entry) const {
    try {
      return reader.next(entry);
    } catch (const util::Error&) {
      throw util::Error(what_ + " is no image: it is not a tar archive; " + expected_images);
    }
  }

  void add(const tar::Entry& entry) {
    const auto name = clean(entry.path);
    if (!name) return;
    Member member{entry.data_offset, entry.size, std::nullopt};
    if (entry.type == tar::Type::symlink) {
      const auto slash = name->rfind('/');
      member.link_target =
          resolve(slash == std::string::npos ? "" : name->substr(0, slash), entry.link_target);
      if (!member.link_target) return;
    } else if (entry.type == tar::Type::hard_link) {
      member.link_target = clean(entry.link_target);
      if (!member.link_target) return;
    } else if (entry.type != tar::Type::regular) {
      return;
    }
    // Its bytes do not stand in a row; nothing writes images like that.
    if (entry.sparse)
      throw util::Error(what_ + ": " + util::quote(*name) + " is a sparse file, which images may not hold");
    const auto [place, added] = members_.emplace(*name, std::move(member));
    if (!added) place->second.ambiguous = true;
  }

  std::shared_ptr<const sys::UniqueFd> fd_;
  std::string what_;
  std::unordered_map<std::string, Member> members_;
};

}  // namespace

std::unique_ptr<Members> directory_members(const std::filesystem::path& path, FileLinks links) {
  return std::make_unique<DirectoryMembers>(path, links);
}

std::unique_ptr<Members> tar_members(sys::UniqueFd fd, const std::string& what) {
  return std::make_unique<TarMembers>(std::move(fd), what);
}

std::string read_unchecked(const Location& location, const std::string& what) {
  if (location.size > max_document_size) {
    throw util::Error(what + " is larger than " + util::human_size(max_document_size));
  }
  return stream::read_all(*stream::from_range(location.fd, location.offset, location.size, what), what,
                          max_document_size);
}

}  // namespace image
