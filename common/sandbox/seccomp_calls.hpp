// What the published profile for containers allows with the 14 default capabilities.
#pragma once

#include <seccomp.h>

#include <span>

namespace sandbox {

struct ConditionalCall {
  const char* name;
  scmp_arg_cmp condition;  // one of those with the same name must hold
};

// By libseccomp's names, in order. Some are those of other architectures. `ioctl`, `listmount` and
// `statmount` are not among them, though the profile allows them.
std::span<const char* const> allowed_calls() noexcept;
std::span<const ConditionalCall> conditional_calls() noexcept;

}  // namespace sandbox
