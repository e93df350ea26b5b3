// Checks of the files and directories that parameters name. Errors say "PARAMETER: 'path' ...; the fix".
#pragma once

#include <filesystem>
#include <string>

#include "common/sys/paths.hpp"
#include "tools/oci-params/environment.hpp"

namespace params {

// False also for what cannot be looked at.
bool is_present(const std::filesystem::path& path, sys::Links links = sys::Links::followed);

// Each throws util::Error naming `parameter` and `path` if there is no such thing or it is of another kind.
void require_directory(const std::string& parameter, const std::filesystem::path& path);
void require_file(const std::string& parameter, const std::filesystem::path& path);  // and readable
void require_existing(const std::string& parameter, const std::filesystem::path& path);

// Where the file lies that `path` names, to be opened instead of it. Links in the context are followed inside
// of it alone (sys::path_within): whoever fills it decides where they lead, and what is read gets into the
// build. Throws util::Error for one that leads out.
std::filesystem::path find_own_file(const Environment& environment, const std::string& parameter,
                                    const std::filesystem::path& path);

// The whole content of a file. Throws util::Error if it cannot be read, is not UTF-8 or holds a NUL.
std::string read_text_file(const std::string& parameter, const std::filesystem::path& path);

}  // namespace params
