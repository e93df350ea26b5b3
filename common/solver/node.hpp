// An op while a plan is carried out, and what it means for the others.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/engine/progress.hpp"
#include "common/plan/op.hpp"
#include "common/solver/file_ops.hpp"
#include "common/solver/git_revision.hpp"
#include "common/solver/packing.hpp"
#include "common/solver/schedule.hpp"
#include "common/solver/step_cache.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// What can be asked of an op, each a task that is made when it is asked for first.
enum class Phase {
  resolve,  // finds out whether its layer is in the cache
  make,     // puts its files on disk: carries it out, or unpacks its layer
  settle,   // sees that its layer is in the cache or made
  pack,     // makes a blob of what was carried out
  keep,     // tells the cache of that
  give,     // has the layer as images take it
};
inline constexpr std::size_t phases = 6;

// What a phase writes the phases that need it read, and nobody else.
struct Node {
  explicit Node(const plan::Op& of) : op(of) {}

  const plan::Op& op;
  std::array<std::optional<Schedule::Task>, phases> tasks = {};
  bool is_given = false;  // to an image
  bool is_read = false;   // by another op
  bool is_shown = false;  // as one that was not carried out

  // resolve
  std::optional<LocalFiles> files;       // of a Local
  std::vector<Read> reads;               // of a step
  bool looks_itself = false;             // whatever others say of what it reads
  std::optional<store::Step> found;      // in the cache
  std::string reason;                    // why it was not
  std::optional<plan::OpId> awaits;      // whose files decide that, where nothing may be made
  std::optional<hash::Digest> chain;     // of the layers up to it, where they are known without making any
  std::optional<hash::Digest> image;     // that its stage starts from
  std::optional<hash::Digest> identity;  // of what is fetched elsewhere, where it is known to be as it was
  bool is_current = false;               // the cache has the download
  std::optional<hash::Digest> content;   // of that
  std::optional<GitRevision> revision;   // of a Git

  // make
  Change change;
  util::Date created;
  std::string tag;  // what progress calls it

  // pack
  std::optional<BuiltLayer> built;

  // keep
  std::optional<hash::Digest> made_chain;  // of the layers up to it, where `chain` was not known
};

// The op whose filesystem it changes; nothing for what is no step of a stage.
std::optional<plan::OpId> base_of(const plan::Op& op);

// A layer that is the same on any base.
bool is_independent(const plan::Op& op);

// Those of its inputs whose files it needs when it is carried out.
std::vector<plan::OpId> inputs_to_make(const plan::Op& op);

// What of another op a step reads, by content.
struct WantedRead {
  plan::OpId from;
  std::string path;
  const plan::Copy* copy = nullptr;  // one of these two, with what of it reads
  const plan::Copy::Source* source = nullptr;
  const plan::Run::Mount* mount = nullptr;

  // What names the selection where `filesystem` names that which it is of.
  hash::Digest identity(const hash::Digest& filesystem) const;
  // Throws util::Error as carrying out the step would.
  Content content(const Filesystem& filesystem, snapshot::Snapshotter& snapshotter,
                  const sys::Cancellation& cancel) const;
};
std::vector<WantedRead> reads_of(const plan::Op& op);

// What names the files of the op without a look at them; nothing where only a look can tell.
std::optional<hash::Digest> identity_of(const Node& node, const std::optional<hash::Digest>& chain);

// The key of a step's layer on a base of these layers.
plan::KeyParts key_parts(const Node& node, const hash::Digest& base, const Workshop& workshop);

// Carries the op out; of a Pull it says whether the image was unpacked before. `vertex` may be null for ops
// without a title.
struct Made {
  Change change;
  bool was_there = false;
};
Made carry_out(const Node& node, const Inputs& inputs, Workshop& workshop, engine::Progress::Vertex* vertex);

// The layer that was found in `cache`, as a change of what lies below. Throws util::Error, and as
// sys::Cancellation::check does.
Change unpack(const store::Step& step, const snapshot::Stack& below, Trees& trees, StepCache& cache,
              const sys::Cancellation& cancel);

// Throws what carrying the op out would throw for a source that is not in the build context `local`, where
// BuildKit knows that before it does anything.
void require_sources(const plan::Op& op, plan::OpId local, const LocalFiles& files,
                     const sys::Cancellation& cancel);

}  // namespace solver
