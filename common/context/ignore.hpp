// .dockerignore: which files of a directory are no part of the build context.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/context/pattern.hpp"

namespace context {

class Ignore {
public:
  // Nothing is ignored.
  Ignore() = default;

  // From the text of an ignore file. Throws util::Error for a malformed pattern.
  static Ignore parse(std::string_view text);
  // From patterns as COPY --exclude gives them. The same rules but for comments.
  static Ignore from_patterns(const std::vector<std::string>& patterns);

  bool empty() const noexcept { return patterns_.empty(); }
  bool has_exceptions() const noexcept;
  const std::vector<Pattern>& patterns() const noexcept { return patterns_; }

  // Which patterns matched a directory, so that what lies in it need not ask again.
  class Matches {
    friend class Ignore;
    std::vector<bool> matched_;
  };
  struct Verdict {
    bool ignored = false;
    Matches matches;
  };

  // For a walk from the root down: `directory` is what came out for the directory that `path` lies in.
  Verdict judge(std::string_view path, const Matches& directory) const;

  // What came out for the directory that `path` lies in, after each one above it.
  Matches matches_above(std::string_view path) const;

  // For a path alone: as if asked for every directory above it with no knowledge.
  bool ignores(std::string_view path) const;

  // True if nothing inside an ignored directory can be in after all.
  bool ignores_all_below(std::string_view directory) const;

  // True if a COPY or ADD of `source` finds nothing because it is ignored: worth a warning. Ignore files with
  // exceptions are not judged: a part of what is ignored may be in.
  bool ignores_source(std::string_view source) const;

private:
  void add(std::string_view line);

  std::vector<Pattern> patterns_;
};

// "NAME.dockerignore", whether it is there or not.
std::filesystem::path ignore_file_beside(std::filesystem::path dockerfile);

// The ignore file that counts: "NAME.dockerignore" beside the Dockerfile, else ".dockerignore" at the
// context's root; nothing if there is neither. For a named context (no Dockerfile) only the latter. What
// leads out of the context by a link is none (sys::path_within), as for BuildKit.
std::optional<std::filesystem::path> find_ignore_file(const std::filesystem::path& context,
                                                      const std::filesystem::path& dockerfile = {});

// Reads it. Throws util::Error naming the file.
Ignore load_ignore(const std::filesystem::path& context, const std::filesystem::path& dockerfile = {});

}  // namespace context
