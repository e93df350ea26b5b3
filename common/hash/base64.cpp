// Base64 by OpenSSL.
#include "common/hash/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <iterator>

namespace hash {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');  // OpenSSL writes one zero byte more
  ::EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string letters;
  std::copy_if(text.begin(), text.end(), std::back_inserter(letters),
               [](char c) { return c != '\n' && c != '\r'; });
  const auto size = letters.find_last_not_of('=') + 1;  // 0 where there is nothing else
  // OpenSSL passes over blanks at both ends and wants whole groups.
  if (letters.size() - size > 2 || size % 4 == 1) return std::nullopt;
  letters.resize(size);
  if (letters.find_first_not_of(alphabet) != std::string::npos) return std::nullopt;
  letters.resize((size + 3) / 4 * 4, '=');
  std::string bytes(letters.size() / 4 * 3, '\0');
  if (::EVP_DecodeBlock(bytes_of(bytes), bytes_of(std::string_view(letters)),
                        static_cast<int>(letters.size())) < 0) {
    return std::nullopt;
  }
  bytes.resize(size * 3 / 4);
  return bytes;
}

}  // namespace hash
