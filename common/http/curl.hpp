// libcurl, loaded when it is first used: some thirty libraries come with it, whose loading takes longer than
// all else that a small build without a network does.
#pragma once

#include <curl/curl.h>

namespace http {

// The functions of libcurl that this rung calls, each under its name without "curl_".
struct Curl {
#define HTTP_CURL_FUNCTIONS(FUNCTION) \
  FUNCTION(easy_cleanup)              \
  FUNCTION(easy_getinfo)              \
  FUNCTION(easy_init)                 \
  FUNCTION(easy_reset)                \
  FUNCTION(easy_setopt)               \
  FUNCTION(easy_strerror)             \
  FUNCTION(free)                      \
  FUNCTION(getdate)                   \
  FUNCTION(global_init)               \
  FUNCTION(multi_add_handle)          \
  FUNCTION(multi_cleanup)             \
  FUNCTION(multi_info_read)           \
  FUNCTION(multi_init)                \
  FUNCTION(multi_perform)             \
  FUNCTION(multi_poll)                \
  FUNCTION(multi_remove_handle)       \
  FUNCTION(slist_append)              \
  FUNCTION(slist_free_all)            \
  FUNCTION(url)                       \
  FUNCTION(url_cleanup)               \
  FUNCTION(url_get)                   \
  FUNCTION(url_set)                   \
  FUNCTION(url_strerror)              \
  FUNCTION(version_info)
#define HTTP_CURL_MEMBER(name) decltype(&::curl_##name) name;
  HTTP_CURL_FUNCTIONS(HTTP_CURL_MEMBER)
#undef HTTP_CURL_MEMBER
};

// Loads, unless the program is linked statically, and initialises libcurl in the first call; any thread may
// make it. Throws util::Error if the library is not installed.
const Curl& curl();

}  // namespace http
