// The change of one output directory from what an earlier build left to what this one made, with a journal: a
// killed build leaves on disk all that the next one needs to take the change back or to finish it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace oci_build {

// Everything a build may leave in an output directory. What an earlier build left under these names and this
// one does not make goes away, so that all files of a directory speak of the same image.
inline constexpr std::string_view output_names[] = {
    "image.tar", "image", "digest", "manifest-digest", "rootfs", "metadata.json", "labels.json"};

// Lies in the staging directory while there is something to recover. Several directories that change
// together have one leader: what its commit() did holds for all of them.
struct Journal {
  struct Name {
    std::string name;
    std::optional<mode_t> old;   // st_mode of what lies in the directory already
    std::optional<mode_t> made;  // and of what lies in staging
  };
  std::vector<Name> names;
  std::optional<std::filesystem::path> leader;   // its staging directory, relative to this output directory
  std::vector<std::filesystem::path> followers;  // theirs, in the leader's journal
};

// NUL-terminated fields, because paths are bytes. One that was not written to its end gives nothing.
std::string to_text(const Journal& journal);
std::optional<Journal> parse_journal(const std::string& text);

// Works on what is on disk, so that it goes on where a killed build stopped, as often as need be. The output
// directory is the parent of the staging directory. Everything here throws util::Error.
class Publication {
public:
  // Begins: finds what is to be moved and writes the journal. Nothing has been moved yet.
  Publication(std::filesystem::path staging, std::optional<std::filesystem::path> leader,
              std::vector<std::filesystem::path> followers);

  // What a build that ended left in `staging`, if it left anything to recover.
  static std::optional<Publication> find(const std::filesystem::path& staging);

  const Journal& journal() const noexcept { return journal_; }
  bool is_committed() const noexcept { return committed_; }

  // Puts what was made in place, and what was there into the staging directory.
  void exchange();
  // Makes exchange() hold, by one rename; for the leader alone.
  void commit();
  // Before commit: everything is as it was.
  void take_back();
  // After commit: does what could not have been taken back.
  void finish();
  // There is nothing to recover any more: the staging directory may go.
  void end();

private:
  Publication(std::filesystem::path staging, Journal journal, bool committed);

  std::filesystem::path directory_;
  std::filesystem::path staging_;
  Journal journal_;
  bool committed_ = false;
};

}  // namespace oci_build
