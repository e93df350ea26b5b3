// The time that an image is given: SOURCE_DATE_EPOCH.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/native/definition.hpp"

namespace native {

// What `request` says: the parameter, else the build arg of that name. An empty word is one: no time then,
// whatever the Dockerfile says.
std::optional<std::string> given_epoch(const document::Request& request);

// Where the request says nothing, an ARG before the first FROM may; its value, if it is not empty. Nothing
// also of a Dockerfile that cannot be read or understood.
std::optional<std::string> epoch_of_dockerfile(const Definition& definition);

// True if `word`, of either, is a time that the native engine understands: BuildKit knows contexts and stages
// by name, too.
bool is_number_of_seconds(const std::string& word);

// In seconds since 1970, from where BuildKit takes it; nothing = now. Throws util::Error for what only
// BuildKit understands, and for a time after the year 9999.
std::optional<std::int64_t> epoch_of(const Definition& definition);

}  // namespace native
