// Wildcards, --parents and --exclude, and the symlinks on the way.
#include "common/solver/copy_sources.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <optional>

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/source.hpp"
#include "common/sys/cancellation.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// Matches of a wildcard, found as Go's filepath.Walk and filepath.Match find them: a directory that matches
// is not looked into.
class Matches {
public:
  Matches(SourceTree& tree, std::string base, std::string pattern, const sys::Cancellation& cancel)
      : tree_(tree),
        base_(std::move(base)),
        pattern_(std::move(pattern)),
        cancel_(cancel),
        // Only a class of characters can match a slash.
        most_components_(pattern_.find('[') != std::string::npos
                             ? SIZE_MAX
                             : static_cast<std::size_t>(std::count(pattern_.begin(), pattern_.end(), '/')) +
                                   1) {}

  std::vector<std::string> find() {
    look_into("", 0);
    return std::move(found_);
  }

private:
  void look_into(const std::string& relative, std::size_t components) {
    const auto directory = relative.empty() ? base_ : base_.empty() ? relative : base_ + "/" + relative;
    for (const auto& name : tree_.list(directory)) {
      cancel_.check();
      const auto path = relative.empty() ? name : relative + "/" + name;
      const auto full = base_.empty() ? path : base_ + "/" + path;
      // It could be in no layer either.
      if (full.size() >= PATH_MAX)
        throw util::Error("lstat /" + util::escape(full, 200) + ": file name too long");
      if (context::matches_glob(pattern_, path)) {
        found_.push_back(full);
      } else if (components + 1 < most_components_) {
        const auto status = tree_.status(full);
        if (status && S_ISDIR(status->st_mode)) look_into(path, components + 1);
      }
    }
  }

  SourceTree& tree_;
  const std::string base_;
  const std::string pattern_;
  const sys::Cancellation cancel_;
  const std::size_t most_components_;
  std::vector<std::string> found_;
};

// The paths that one source of a COPY means.
std::vector<std::string> resolve(const From& from, const std::string& source, bool wildcards,
                                 const sys::Cancellation& cancel) {
  const std::string path = sys::clean_path(source);
  if (!wildcards || !context::has_wildcards(path)) return {path};
  std::string plain;
  std::string pattern;
  for (const auto& part : util::split(path, '/')) {
    auto& side = pattern.empty() && !context::has_wildcards(part) ? plain : pattern;
    side += (side.empty() ? "" : "/") + part;
  }
  const std::string base = follow(from.tree, plain);
  const auto status = from.tree.status(base);
  std::vector<std::string> found;
  if (status && S_ISDIR(status->st_mode)) found = Matches(from.tree, base, pattern, cancel).find();
  // Of a context what may match is sent to BuildKit: not the directory where nothing does.
  if (!status || (found.empty() && !from.seen().status(base)))
    throw util::Error("lstat /" + util::escape(base) + ": no such file or directory");
  return found;
}

[[noreturn]] void throw_not_found(const std::string& path, const std::string& written) {
  throw dockerfile::SyntaxError(not_found(path), written);
}

// True if `excludes` leaves any of what stands at `path` of the tree, called `name` there; `above` is what it
// said of the directory.
bool leaves_any(SourceTree& tree, const std::string& path, const std::string& name,
                const context::Ignore& excludes, const context::Ignore::Matches& above) {
  const auto verdict = excludes.judge(name, above);
  if (!verdict.ignored) return true;
  if (!excludes.has_exceptions()) return false;
  const auto status = tree.status(path);
  if (!status || !S_ISDIR(status->st_mode)) return false;
  const auto entries = tree.list(path);
  return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return leaves_any(tree, entry_path(path, entry), entry_path(name, entry), excludes, verdict.matches);
  });
}

// The same for a path of several components.
bool leaves_any(SourceTree& tree, const std::string& path, const std::string& name,
                const context::Ignore& excludes) {
  return leaves_any(tree, path, name, excludes, excludes.matches_above(name));
}

// The path of what `pattern` names below a directory, where it is there. No link on the way is followed, as
// no pattern matches behind one; it may itself be one that leads nowhere.
std::optional<std::string> as_written(SourceTree& tree, std::string path, const std::string& pattern) {
  for (const auto& part : util::split(pattern, '/')) {
    const auto status = tree.status(path);
    if (!status || !S_ISDIR(status->st_mode)) return std::nullopt;
    path += (path.empty() ? "" : "/") + part;
  }
  return tree.status(path) ? std::optional(path) : std::nullopt;
}

// --parents: what stands before "/./" is where to begin, the rest a pattern that keeps its directories. A
// path without wildcards must be there, and not be excluded, if it `is_required`.
std::string split_pivot(const std::string& path, SourceTree& tree, bool is_required, CopyOptions& options) {
  const auto pivot = path.find("/./");
  const std::string begin = pivot == std::string::npos ? "/" : path.substr(0, pivot);
  const std::string pattern = sys::clean_path(pivot == std::string::npos ? path : path.substr(pivot + 3));
  if (is_required && !context::has_wildcards(begin) && !context::has_wildcards(pattern)) {
    const std::string required = sys::clean_path(begin + "/" + pattern);
    const auto place = as_written(tree, follow(tree, sys::clean_path(begin)), pattern);
    // What has no name of its own, such as "." or "d/./", matches nothing.
    if (pattern.empty() || !place || !leaves_any(tree, *place, pattern, options.excludes))
      throw_not_found(required, path);
  }
  options.include = pattern;
  return begin;
}

// Where a path of a source leads, as BuildKit finds out before it copies anything.
std::string lead(SourceTree& tree, const std::string& path, const std::string& written) {
  try {
    return follow(tree, path);
  } catch (const util::Error& error) {
    throw dockerfile::SyntaxError(error.what(), written);
  }
}

}  // namespace

From context_of(const LocalFiles& files) {
  return {.tree = *files.tree, .sent = files.sent.get()};
}

bool is_looked_for(const plan::Copy& op, const plan::Copy::Source& source) {
  if (!op.link && source.from == op.base) return false;
  const auto path = sys::clean_path(source.path);
  if (op.parents || !op.excludes.empty() || !source.wildcards || context::has_wildcards(path)) return true;
  return std::none_of(op.sources.begin(), op.sources.end(), [&](const auto& other) {
    const auto above = sys::clean_path(other.path);
    return other.from == source.from && !above.empty() && !context::has_wildcards(above) &&
           path.starts_with(above + "/");
  });
}

std::vector<FoundPath> find_source(const plan::Copy& op, const plan::Copy::Source& source, const From& from,
                                   CopyOptions& options) {
  std::string path = source.path;
  if (op.parents && source.wildcards) path = split_pivot(path, from.tree, is_looked_for(op, source), options);
  require_targets(op, source, path, from, options);
  std::vector<FoundPath> found;
  for (const auto& match : resolve(from, path, source.wildcards, options.cancel)) {
    const std::string followed = source.wildcards ? lead(from.tree, match, source.path) : match;
    auto& seen = followed == match ? from.tree : from.seen();
    if (!seen.status(followed)) {
      // With --exclude BuildKit looks for files below a path before it looks for the path.
      const bool by_content = op.excludes.empty() || op.parents;
      if (by_content && is_looked_for(op, source)) throw_not_found(match, source.path);
      throw dockerfile::SyntaxError("lstat /" + followed + ": no such file or directory", source.path);
    }
    found.push_back({match, followed});
  }
  return found;
}

void require_targets(const plan::Copy& op, const plan::Copy::Source& source, const std::string& path,
                     const From& from, const CopyOptions& options) {
  if (!source.wildcards || (op.excludes.empty() && !op.parents) || !is_looked_for(op, source)) return;
  const auto include = context::Ignore::from_patterns({options.include.value_or("**")});
  const auto require = [&](const std::string& at, const std::string& shown, const std::string& name) {
    const auto status = from.tree.status(at);
    if (!status || !S_ISLNK(status->st_mode)) return;
    if (!include.ignores(name) || options.excludes.ignores(name)) return;
    if (!from.seen().status(lead(from.seen(), at, source.path))) throw_not_found(shown, source.path);
  };
  const auto clean = sys::clean_path(path);
  if (context::has_wildcards(clean)) {
    for (const auto& match : resolve(from, clean, true, options.cancel))
      require(match, match, "");
  } else if (clean.empty()) {
    for (const auto& name : from.tree.list(""))
      require(name, name, name);
  } else {
    const auto slash = clean.rfind('/');
    const auto directory =
        slash == std::string::npos ? "" : lead(from.tree, clean.substr(0, slash), source.path);
    require(entry_path(directory, dockerfile::base_name("/" + clean)), clean, "");
  }
}

}  // namespace solver
