// The ops of a graph while it is planned.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/dockerfile/instruction.hpp"
#include "common/dockerfile/source.hpp"
#include "common/image/descriptor.hpp"
#include "common/plan/op.hpp"

namespace plan {

// In the order in which they were added. What stands for something outside of the graph is in it once,
// however many stages use it.
class Ops {
public:
  OpId add(Op op);

  OpId scratch();
  OpId pull(const std::string& reference, const image::Platform& platform, const dockerfile::Location& place,
            std::string title);
  // A directory of this machine under the name it has in the build; `dockerfile` is for that of the context.
  OpId local(const std::string& name, const std::filesystem::path& directory,
             const std::filesystem::path& dockerfile);
  // Alike files are one file, also to the eye of a later copy: that changes nothing and makes an empty layer.
  OpId inline_file(const dockerfile::InlineFile& file);

  // All of them; nothing may be added any more.
  std::vector<Op> take() { return std::move(ops_); }

private:
  OpId add_once(const std::string& key, Op op);

  std::vector<Op> ops_;
  std::map<std::string, OpId> known_;
};

}  // namespace plan
