// Fields in a form that can be taken for nothing else, hashed.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/sha256.hpp"

namespace plan {

// Every value is preceded by its length, every list by its size; the kind of what is hashed comes first.
class KeyWriter {
public:
  // `kind` changes with whatever is hashed: "oci-build/key/1/copy".
  explicit KeyWriter(std::string_view kind) { put(kind); }

  KeyWriter& put(std::string_view text) {
    put(text.size());
    sha_.update(std::as_bytes(std::span(text)));
    return *this;
  }

  template <std::integral Number>
  KeyWriter& put(Number number) {
    const auto value = static_cast<std::uint64_t>(number);
    sha_.update(std::as_bytes(std::span(&value, 1)));
    return *this;
  }

  KeyWriter& put(const char* text) { return put(std::string_view(text)); }
  KeyWriter& put(const std::string& text) { return put(std::string_view(text)); }
  KeyWriter& put(const hash::Digest& digest) { return put(digest.hex()); }

  template <typename Value>
  KeyWriter& put(const std::optional<Value>& value) {
    put(value.has_value());
    return value ? put(*value) : *this;
  }

  template <typename Value>
  KeyWriter& put(const std::vector<Value>& values) {
    put(values.size());
    for (const auto& value : values)
      put(value);
    return *this;
  }

  hash::Digest finish() { return sha_.finish(); }

private:
  hash::Sha256 sha_;
};

}  // namespace plan
