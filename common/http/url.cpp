// URLs by libcurl's own parser, so that what is checked here is what is connected to there.
#include "common/http/url.hpp"

#include <algorithm>
#include <memory>

#include "common/http/curl.hpp"
#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace http {
namespace {

struct HandleDelete {
  void operator()(CURLU* handle) const noexcept { curl().url_cleanup(handle); }
};
using Handle = std::unique_ptr<CURLU, HandleDelete>;

Handle new_handle() {
  Handle handle(curl().url());
  if (!handle) throw std::bad_alloc();
  return handle;
}

[[noreturn]] void fail(std::string_view text, const std::string& reason) {
  // A query or a user part may hold a secret, so no more than the front is shown.
  const auto end = std::min(text.find_first_of("?#"), text.size());
  const auto at = text.substr(0, end).rfind('@');
  throw util::Error("invalid URL " +
                    util::quote(at == std::string_view::npos
                                    ? text.substr(0, end)
                                    : "..." + std::string(text.substr(at, end - at))) +
                    ": " + reason);
}

std::string get_part(CURLU* handle, CURLUPart part, unsigned flags = 0) {
  char* value = nullptr;
  if (curl().url_get(handle, part, &value, flags) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(curl().free)> owner(value, curl().free);
  return value;
}

void set_part(CURLU* handle, CURLUPart part, std::string_view value, std::string_view text,
              unsigned flags = 0) {
  const auto result = curl().url_set(handle, part, std::string(value).c_str(), flags);
  if (result != CURLUE_OK) fail(text, curl().url_strerror(result));
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte == 0x7f;
  });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), util::to_lower);
  return text;
}

}  // namespace

Url Url::parse(std::string_view text) {
  if (has_control(text)) fail(text, "it holds a blank or a control character");
  const auto handle = new_handle();
  set_part(handle.get(), CURLUPART_URL, text, text, CURLU_NON_SUPPORT_SCHEME);
  Url url;
  url.scheme_ = lower(get_part(handle.get(), CURLUPART_SCHEME));
  if (url.scheme_ != "http" && url.scheme_ != "https") fail(text, "expected http:// or https://");
  url.host_ = lower(get_part(handle.get(), CURLUPART_HOST));
  if (url.host_.empty()) fail(text, "it names no host");
  url.port_ = get_part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  url.path_ = get_part(handle.get(), CURLUPART_PATH);
  url.text_ = get_part(handle.get(), CURLUPART_URL);
  return url;
}

Url Url::resolve(std::string_view location) const {
  if (has_control(location)) fail(location, "it holds a blank or a control character");
  const auto handle = new_handle();
  set_part(handle.get(), CURLUPART_URL, text_, text_);
  set_part(handle.get(), CURLUPART_URL, location, location, CURLU_NON_SUPPORT_SCHEME);
  return parse(get_part(handle.get(), CURLUPART_URL));
}

Url Url::with_parameter(std::string_view name, std::string_view value) const {
  const auto handle = new_handle();
  set_part(handle.get(), CURLUPART_URL, text_, text_);
  set_part(handle.get(), CURLUPART_QUERY, std::string(name) + "=" + percent_encode(value), text_,
           CURLU_APPENDQUERY);
  return parse(get_part(handle.get(), CURLUPART_URL));
}

std::string Url::display() const {
  const bool own_port = port_ == (scheme_ == "https" ? "443" : "80");
  return util::escape(scheme_ + "://" + host_ + (own_port ? "" : ":" + port_) + path_);
}

bool Url::same_origin(const Url& other) const {
  return scheme_ == other.scheme_ && host_ == other.host_ && port_ == other.port_;
}

bool Url::is_loopback() const {
  return host_ == "localhost" || host_ == "[::1]" ||
         (host_.starts_with("127.") && host_.find_first_not_of("0123456789.") == std::string::npos);
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view unreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (unreserved.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', hex[byte >> 4], hex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace http
