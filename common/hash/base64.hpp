// Base64 as config.json, the Basic scheme and logs in JSON use it (RFC 4648, 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hash {

std::string encode_base64(std::string_view bytes);

// Nothing unless `text` is base64 with the standard alphabet; the padding may be missing, line breaks may
// stand anywhere.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace hash
