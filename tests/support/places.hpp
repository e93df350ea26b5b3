// Where the files of the tests lie in this checkout.
#pragma once

#include <string>

namespace test {

std::string golden_directory();   // tests/golden
std::string support_directory();  // tests/support

}  // namespace test
