// The Dockerfile of a request, read and parsed once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/dockerfile/file.hpp"
#include "common/dockerfile/scope.hpp"
#include "common/document/request.hpp"

namespace native {

// Everybody who looks at the Dockerfile of one build sees the same one, whoever writes to it meanwhile. It is
// read when it is first asked for. Not thread-safe.
class Definition {
public:
  // `request` lives longer.
  explicit Definition(const document::Request& request);
  // The Dockerfile of a context that was fetched: its text, and its name in there.
  Definition(const document::Request& request, std::string text, const std::filesystem::path& dockerfile);

  const document::Request& request() const noexcept { return request_; }

  // How the file is to be read: its name, and what build args say in place of its directives.
  const dockerfile::ParseOptions& options() const noexcept { return options_; }

  // Both throw util::Error, each time anew: of a file that cannot be read, or not be understood, and of one
  // in a context that is not fetched yet.
  const std::string& text() const;
  const dockerfile::File& file() const;

private:
  Definition(const document::Request& request, const std::filesystem::path& dockerfile);

  const document::Request& request_;
  dockerfile::ParseOptions options_;
  mutable std::optional<std::string> text_;
  mutable std::optional<dockerfile::File> file_;
};

// Its ARGs before the first FROM, as they are on this machine's platform.
dockerfile::GlobalScope global_scope(const document::Request& request, const dockerfile::File& file);

}  // namespace native
