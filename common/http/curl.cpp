// Finding libcurl's functions: by their names, or where a static program has them.
#include "common/http/curl.hpp"

#ifndef OCI_BUILD_STATIC
#include <dlfcn.h>
#endif

#include <string>

#include "common/util/error.hpp"

namespace http {
namespace {

#ifdef OCI_BUILD_STATIC
Curl find_all() {
  Curl curl{};
#define HTTP_CURL_TAKE(name) curl.name = &::curl_##name;
  HTTP_CURL_FUNCTIONS(HTTP_CURL_TAKE)
#undef HTTP_CURL_TAKE
  return curl;
}
#else
constexpr auto library_name = "libcurl.so.4";  // since 7.16.0; fits the headers this is compiled with

template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) throw util::Error(std::string(library_name) + " is too old: it has no " + name);
}

Curl find_all() {
  // Never closed: OpenSSL, which comes with it, does not survive that.
  void* const library = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw util::Error(std::string("cannot load ") + library_name + " (" + ::dlerror() +
                      "); install it, on Debian by the package libcurl4");
  }
  Curl curl{};
#define HTTP_CURL_FIND(name) find(library, "curl_" #name, curl.name);
  HTTP_CURL_FUNCTIONS(HTTP_CURL_FIND)
#undef HTTP_CURL_FIND
  return curl;
}
#endif

Curl load() {
  const Curl curl = find_all();
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw util::Error("cannot set up libcurl");
  return curl;
}

}  // namespace

const Curl& curl() {
  static Curl functions = load();  // not const: a test stands between us and some of them
  return functions;
}

}  // namespace http
