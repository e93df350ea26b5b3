# What --version prints: makes version_source of cli/version.cpp.in.
file(STRINGS ${PROJECT_SOURCE_DIR}/scripts/buildkit/go.mod BUILDKIT_VERSION REGEX "^[ \t]github.com/moby/buildkit v")
string(REGEX REPLACE ".* v([0-9.]+).*" "\\1" BUILDKIT_VERSION "${BUILDKIT_VERSION}")
find_package(CLI11 REQUIRED)
pkg_check_modules(TOML REQUIRED tomlplusplus)

set(OCI_BUILD_LIBRARIES "")
# The first is loaded, the others are linked to.
set(CURL_TEXT "libcurl ${CURL_VERSION_STRING}")
set(OCI_BUILD_LINKED "dynamically, to archives where there are some; libcurl.so.4 is loaded when it is first used")
if(OCI_BUILD_STATIC)
  set(OCI_BUILD_LINKED "statically; names of hosts and users come from /etc/hosts, DNS and /etc/passwd alone")
  string(APPEND CURL_TEXT ", nghttp2 ${NGHTTP2_VERSION}")
endif()
list(APPEND OCI_BUILD_LIBRARIES
  "Boost ${Boost_VERSION_STRING}" "bzip2 ${BZIP2_VERSION_STRING}" "CLI11 ${CLI11_VERSION}" "isa-l ${ISAL_VERSION}" "${CURL_TEXT}"
  "libseccomp ${SECCOMP_VERSION}" "nlohmann-json ${nlohmann_json_VERSION}" "OpenSSL ${OPENSSL_VERSION}" "toml++ ${TOML_VERSION}"
  "xz ${LIBLZMA_VERSION_STRING}" "yaml-cpp ${YAMLCPP_VERSION}" "zlib ${ZLIB_VERSION}" "zstd ${ZSTD_VERSION}")
list(JOIN OCI_BUILD_LIBRARIES ", " OCI_BUILD_LIBRARIES)
set(version_source ${CMAKE_CURRENT_BINARY_DIR}/version.cpp)
configure_file(cli/version.cpp.in ${version_source} @ONLY)
