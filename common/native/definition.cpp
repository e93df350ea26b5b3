// Reading the Dockerfile.
#include "common/native/definition.hpp"

#include <map>
#include <string_view>
#include <utility>

#include "common/context/sources.hpp"
#include "common/document/context_url.hpp"
#include "common/image/descriptor.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

std::optional<std::string> build_arg(const document::Request& request, std::string_view name) {
  for (const auto& [given, value] : request.build_args) {
    if (given == name) return value;
  }
  return std::nullopt;
}

}  // namespace

Definition::Definition(const document::Request& request) : Definition(request, request.dockerfile) {}

Definition::Definition(const document::Request& request, std::string text,
                       const std::filesystem::path& dockerfile)
    : Definition(request, dockerfile) {
  text_ = std::move(text);
}

Definition::Definition(const document::Request& request, const std::filesystem::path& dockerfile)
    : request_(request),
      options_({.name = dockerfile.filename().string(),
                .syntax = build_arg(request, "BUILDKIT_SYNTAX"),
                .check = build_arg(request, "BUILDKIT_DOCKERFILE_CHECK")}) {}

const std::string& Definition::text() const {
  if (!text_ && document::is_url(request_.context))
    throw util::Error("the context " + util::quote(request_.context.string()) + " is not fetched yet");
  if (!text_) text_ = sys::read_file(context::find_dockerfile(request_.context, request_.dockerfile));
  return *text_;
}

const dockerfile::File& Definition::file() const {
  if (!file_) file_ = dockerfile::parse(text(), options_);
  return *file_;
}

dockerfile::GlobalScope global_scope(const document::Request& request, const dockerfile::File& file) {
  std::map<std::string, std::string> build_args;
  for (const auto& [name, value] : request.build_args)
    build_args[name] = value;
  const auto host = image::Platform::host();
  return {
      file,
      {.build_args = std::move(build_args), .build_platform = host, .target_platform = host, .target = ""}};
}

}  // namespace native
