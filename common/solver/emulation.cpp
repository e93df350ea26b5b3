// Whether the kernel starts foreign programs is told by starting one: /proc/sys/fs/binfmt_misc is seldom in
// sight inside containers.
#include "common/solver/emulation.hpp"

#include <elf.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "common/engine/advice.hpp"
#include "common/sys/file.hpp"
#include "common/sys/process.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace solver {
namespace {

struct Processor {
  std::string_view architecture;  // as platforms name it
  std::string_view qemu;          // as QEMU does
  std::uint16_t machine;          // as ELF does
  unsigned char elf_class;
  unsigned char byte_order;
  std::string_view exits;  // instructions that end the process well
};

// Lengths are given because the instructions hold zeros.
constexpr std::array<Processor, 7> processors = {{
    {"amd64", "x86_64", EM_X86_64, ELFCLASS64, ELFDATA2LSB, {"\xb8\x3c\0\0\0\x31\xff\x0f\x05", 9}},
    {"386", "i386", EM_386, ELFCLASS32, ELFDATA2LSB, {"\xb8\x01\0\0\0\x31\xdb\xcd\x80", 9}},
    {"arm64",
     "aarch64",
     EM_AARCH64,
     ELFCLASS64,
     ELFDATA2LSB,
     {"\xa8\x0b\x80\xd2\0\0\x80\xd2\x01\0\0\xd4", 12}},
    {"arm", "arm", EM_ARM, ELFCLASS32, ELFDATA2LSB, {"\0\0\xa0\xe3\x01\x70\xa0\xe3\0\0\0\xef", 12}},
    {"riscv64", "riscv64", EM_RISCV, ELFCLASS64, ELFDATA2LSB, {"\x93\x08\xd0\x05\x13\x05\0\0\x73\0\0\0", 12}},
    {"ppc64le", "ppc64le", EM_PPC64, ELFCLASS64, ELFDATA2LSB, {"\x01\0\0\x38\0\0\x60\x38\x02\0\0\x44", 12}},
    {"s390x", "s390x", EM_S390, ELFCLASS64, ELFDATA2MSB, {"\xa7\x19\0\x01\xa7\x29\0\0\x0a\x01", 10}},
}};

const Processor* processor(const std::string& architecture) {
  const auto* found = std::find_if(processors.begin(), processors.end(), [&](const Processor& candidate) {
    return candidate.architecture == architecture;
  });
  return found != processors.end() ? found : nullptr;
}

std::string qemu_name(const std::string& architecture) {
  const auto* known = processor(architecture);
  return "buildkit-qemu-" + (known != nullptr ? std::string(known->qemu) : architecture);
}

template <typename Number>
Number in_order(Number number, unsigned char byte_order) {
  const auto own = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (byte_order == own) return number;
  std::array<char, sizeof number> bytes;
  std::memcpy(bytes.data(), &number, sizeof number);
  std::reverse(bytes.begin(), bytes.end());
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

// The smallest program: headers, and instructions right behind them, in one segment.
template <typename Header, typename Segment>
std::string program(const Processor& target) {
  constexpr std::uint32_t address = 0x400000;
  const auto order = [&](auto number) { return in_order(number, target.byte_order); };
  const auto put = [&](auto& field, std::uint64_t value) {
    field = order(static_cast<std::remove_reference_t<decltype(field)>>(value));
  };
  const std::size_t size = sizeof(Header) + sizeof(Segment) + target.exits.size();
  Header header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = target.elf_class;
  header.e_ident[EI_DATA] = target.byte_order;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  put(header.e_type, ET_EXEC);
  put(header.e_machine, target.machine);
  put(header.e_version, EV_CURRENT);
  put(header.e_entry, address + sizeof(Header) + sizeof(Segment));
  put(header.e_phoff, sizeof(Header));
  if (target.machine == EM_ARM) put(header.e_flags, 0x05000200);  // version 5 of its calling convention
  if (target.machine == EM_PPC64) put(header.e_flags, 2);         // version 2 of its
  put(header.e_ehsize, sizeof(Header));
  put(header.e_phentsize, sizeof(Segment));
  put(header.e_phnum, 1);
  Segment segment{};
  put(segment.p_type, PT_LOAD);
  put(segment.p_flags, PF_R | PF_X);
  put(segment.p_vaddr, address);
  put(segment.p_paddr, address);
  put(segment.p_filesz, size);
  put(segment.p_memsz, size);
  put(segment.p_align, 0x10000);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  return bytes.append(target.exits);
}

}  // namespace

Emulation Emulators::find(const image::Platform& platform, const sys::Cancellation& cancel) {
  const std::string& architecture = platform.architecture;
  if (architecture == image::Platform::host().architecture) return {};
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(architecture); known != known_.end()) return known->second;
  Emulation emulation{.is_native = starts(architecture, cancel), .emulator = std::nullopt};
  if (!emulation.is_native) {
    emulation.emulator = sys::find_sibling(qemu_name(architecture));
  }
  return known_[architecture] = emulation;
}

bool Emulators::starts(const std::string& architecture, const sys::Cancellation& cancel) const {
  const auto* target = processor(architecture);
  if (target == nullptr) return false;
  const sys::TempDir directory(directory_, "probe-");
  const auto path = directory.path() / "program";
  sys::write_file(path,
                  target->elf_class == ELFCLASS64 ? program<Elf64_Ehdr, Elf64_Phdr>(*target)
                                                  : program<Elf32_Ehdr, Elf32_Phdr>(*target),
                  0755);
  try {
    return sys::start({.argv = {path.string()}}).wait(cancel).success();
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    return false;
  }
}

std::string emulation_advice(const image::Platform& platform) {
  return engine::emulation_advice(platform) + ", or put a static QEMU on PATH as " +
         qemu_name(platform.architecture);
}

}  // namespace solver
