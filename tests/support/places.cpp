// The only file that is compiled with the place of the checkout: all others a checkout elsewhere finds
// compiled already.
#include "tests/support/places.hpp"

namespace test {

std::string golden_directory() {
  return OCI_BUILD_CHECKOUT "/tests/golden";
}

std::string support_directory() {
  return OCI_BUILD_CHECKOUT "/tests/support";
}

}  // namespace test
