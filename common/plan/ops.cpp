#include "common/plan/ops.hpp"

#include <utility>

namespace plan {

OpId Ops::add(Op op) {
  ops_.push_back(std::move(op));
  return ops_.size() - 1;
}

OpId Ops::scratch() {
  return add_once("scratch", {.action = Scratch{}, .title = {}});
}

OpId Ops::pull(const std::string& reference, const image::Platform& platform,
               const dockerfile::Location& place, std::string title) {
  return add_once("pull " + platform.str() + " " + reference,
                  {.action = Pull{.reference = reference, .platform = platform},
                   .title = std::move(title),
                   .location = place});
}

OpId Ops::local(const std::string& name, const std::filesystem::path& directory,
                const std::filesystem::path& dockerfile) {
  return add_once(
      "local " + name + "\n" + directory.string(),
      {.action = Local{.name = name, .directory = directory, .dockerfile = dockerfile}, .title = {}});
}

OpId Ops::inline_file(const dockerfile::InlineFile& file) {
  return add_once("file " + file.name + "\n" + file.content,
                  {.action = MakeFile{.name = file.name, .content = file.content}, .title = ""});
}

OpId Ops::add_once(const std::string& key, Op op) {
  const auto [place, is_new] = known_.try_emplace(key, ops_.size());
  return is_new ? add(std::move(op)) : place->second;
}

}  // namespace plan
