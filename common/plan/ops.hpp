// The ops of a graph while it is planned.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/dockerfile/instruction.hpp"
#include "common/dockerfile/remote.hpp"
#include "common/dockerfile/source.hpp"
#include "common/image/descriptor.hpp"
#include "common/plan/op.hpp"

namespace plan {

// What a git reference of ADD, or a context, means; the checksum and the .git directory as the URL alone
// says.
Git git_op(const dockerfile::GitSource& source);

// In the order in which they were first added. What does the same to the same inputs is one op, however many
// stages, targets and platforms need it. It is shown as the last stage that needs it calls it, as in
// BuildKit, but as the first platform does.
class Ops {
public:
  // What is added from now on is for another platform.
  void begin_platform() { first_of_platform_ = ops_.size(); }

  OpId add(Op op);

  OpId scratch();
  OpId pull(const std::string& reference, const image::Platform& platform, const dockerfile::Location& place,
            std::string title);
  // A directory of this machine under the name it has in the build; `dockerfile` is for that of the context.
  OpId local(const std::string& name, const std::filesystem::path& directory,
             const std::filesystem::path& dockerfile);
  OpId fetched(const Fetched& context);
  OpId inline_file(const dockerfile::InlineFile& file);

  // All of them; nothing may be added any more.
  std::vector<Op> take() { return std::move(ops_); }

private:
  std::vector<Op> ops_;
  std::unordered_multimap<std::size_t, OpId> known_;  // by fingerprint
  OpId first_of_platform_ = 0;
};

}  // namespace plan
