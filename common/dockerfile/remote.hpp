// Sources of ADD that lie elsewhere: git repositories and URLs, told from paths by their text alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace dockerfile {

struct GitSource {
  std::string remote;    // as git takes it, without query and fragment
  std::string ref;       // branch, tag, "refs/..." or commit; empty: the remote's HEAD
  std::string subdir;    // what of the tree counts; empty: all of it
  std::string checksum;  // the commit it must be, or a prefix of it; empty: any
  std::optional<bool> keep_git_dir;
  bool submodules = true;
  bool commit_times = false;     // files get the time of the commit, not of the checkout
  bool fetch_by_commit = false;  // `checksum` is fetched, whatever `ref` is

  friend bool operator==(const GitSource&, const GitSource&) = default;
};

struct UrlSource {
  std::string url;
  std::string file_name;  // what the file is called in a destination that is a directory

  friend bool operator==(const UrlSource&, const UrlSource&) = default;
};

// Nothing for a path.
using RemoteSource = std::variant<std::monostate, GitSource, UrlSource>;

// Git: "git@host:path", "ssh://", "git://", and "http(s)://" whose path ends in ".git"; a fragment
// "#ref:subdir" and the queries ref, tag, branch, subdir, checksum, commit, keep-git-dir, submodules, mtime
// and fetch-by-commit. Throws SyntaxError for another query, and for ones that contradict each other.
RemoteSource parse_remote(const std::string& source);

// `remote` of a GitSource without the name and the password that a URL may hold, for people.
std::string without_login(const std::string& remote);

}  // namespace dockerfile
