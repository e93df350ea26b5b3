// What all ops share.
#include "common/solver/workshop.hpp"

#include <cstdlib>

#include "common/sys/file.hpp"

namespace solver {

Workshop::Workshop(Parts parts)
    : request(parts.request),
      snapshotter(parts.snapshotter),
      sandbox(parts.sandbox),
      images(parts.images),
      store(parts.store),
      progress(parts.progress),
      canceller(parts.canceller),
      cancel(canceller.cancellation()),
      directory(std::move(parts.directory)),
      proxies(std::move(parts.proxies)),
      epoch(parts.epoch),
      cache(parts.cache),
      ssh(request.ssh, directory),
      emulators(directory) {}

std::filesystem::path Workshop::new_tree() {
  return directory / ("tree-" + std::to_string(trees_++));
}

std::optional<std::string> Workshop::secret(const std::string& id) const {
  for (const auto& given : request.secrets) {
    if (given.id != id) continue;
    if (given.file) return sys::read_file(*given.file);
    const char* value = std::getenv(given.env.value().c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace solver
