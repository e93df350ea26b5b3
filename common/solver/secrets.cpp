// Secrets from variables and files.
#include "common/solver/secrets.hpp"

#include <cstdlib>

#include "common/sys/file.hpp"

namespace solver {

std::optional<std::string> Secrets::find(const std::string& id) const {
  for (const auto& given : given_) {
    if (given.id != id) continue;
    if (given.file) return sys::read_file(*given.file);
    const char* value = std::getenv(given.env.value().c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace solver
