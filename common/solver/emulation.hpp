// Programs for other processors than this machine's.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/image/descriptor.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// Where a step finds the emulator that runs it.
inline constexpr std::string_view emulator_mount = "/dev/.buildkit_qemu_emulator";

// How programs for a platform run here.
struct Emulation {
  bool is_native = true;                          // the kernel starts them, perhaps by binfmt_misc
  std::optional<std::filesystem::path> emulator;  // QEMU for user programs, where it does not
};

// Asks the kernel once for each architecture, by starting a program of a few instructions that is written
// below `directory`. Where it refuses, the program "buildkit-qemu-ARCH" is looked up beside ours and on PATH.
// Thread-safe.
class Emulators {
public:
  explicit Emulators(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Emulation find(const image::Platform& platform, const sys::Cancellation& cancel);

private:
  bool starts(const std::string& architecture, const sys::Cancellation& cancel) const;

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::map<std::string, Emulation> known_;  // by architecture; guarded by mutex_
};

// What to do where programs for `platform` cannot run.
std::string emulation_advice(const image::Platform& platform);

}  // namespace solver
