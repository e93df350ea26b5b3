// One lock for the list, one for each copy: another may be made meanwhile.
#include "common/solver/local_copies.hpp"

namespace solver {

std::filesystem::path LocalCopies::get(const std::string& key,
                                       const std::function<std::filesystem::path()>& make) {
  const auto find = [&]() -> Copy& {
    const std::lock_guard lock(mutex_);
    return copies_[key];
  };
  auto& copy = find();
  const std::lock_guard lock(copy.mutex);
  if (copy.path.empty()) copy.path = make();
  return copy.path;
}

}  // namespace solver
