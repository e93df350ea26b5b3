// Which sanitizer the tests are built with.
#pragma once

namespace test {

#if defined(__clang__)  // which makes those builds, and says it so
inline constexpr bool has_address_sanitizer = __has_feature(address_sanitizer);
inline constexpr bool has_thread_sanitizer = __has_feature(thread_sanitizer);
#else
inline constexpr bool has_address_sanitizer = false;
inline constexpr bool has_thread_sanitizer = false;
#endif

}  // namespace test
