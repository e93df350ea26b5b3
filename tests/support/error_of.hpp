// The message of the error that an action ends with.
#pragma once

#include <string>
#include <utility>

#include "common/util/error.hpp"

namespace test {

template <typename Action>
std::string error_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const util::Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace test
