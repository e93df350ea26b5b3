// What this program is made of.
#pragma once

#include <string>
#include <string_view>

namespace cli {

// What --version prints: the program with the project's version, then a line each for the engines, for how
// the program is linked, and for the libraries with the versions that it was compiled with.
std::string version_text(std::string_view program);

}  // namespace cli
