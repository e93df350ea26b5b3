// The starter's bytes, and a mount for them.
#include "common/sandbox/starter.hpp"

#include <linux/mount.h>

#include <string>

#include "common/sandbox/trees.hpp"

asm(".pushsection .rodata\n"
    ".globl oci_build_starter, oci_build_starter_end\n"
    "oci_build_starter: .incbin \"" OCI_BUILD_STARTER
    "\"\n"
    "oci_build_starter_end:\n"
    ".popsection\n");

extern "C" const char oci_build_starter[];
extern "C" const char oci_build_starter_end[];

namespace sandbox {

Starter::Starter(MemoryFiles& memory)
    : file_(memory.make(std::string(oci_build_starter, oci_build_starter_end), 0755, 0, 0)),
      tree_(detached_tree(file_.path())) {
  set_tree_attributes(tree_.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

}  // namespace sandbox
