// Parser directives: the "# name=value" lines at the very top of a Dockerfile.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace dockerfile {

struct Directive {
  std::string name;  // "syntax", "escape" or "check"
  std::string value;
  int line = 0;
};

// Reads the directive zone line by line: the first line that is none ends it, a comment or an unknown name
// too.
class DirectiveParser {
public:
  // What opens a comment: "#", or "//" where another language's files may name a syntax.
  explicit DirectiveParser(std::string comment = "#") : comment_(std::move(comment)) {}

  // `line` stands without its line break. Throws SyntaxError for a name that comes twice.
  std::optional<Directive> parse(std::string_view line);

private:
  std::string comment_;
  std::set<std::string> seen_;
  int line_ = 0;
  bool done_ = false;
};

// The value of the directive `name` ("check"); nothing if there is none or if the zone is damaged before it.
std::optional<Directive> find_directive(std::string_view name, std::string_view text);

// The image that is to read this file, if it names one: as "# syntax=IMAGE", as "// syntax=IMAGE", or as the
// member "syntax" of a JSON object; a first line "#!" is passed over. The value is cut at the first space.
std::optional<Directive> find_syntax(std::string_view text);

// True for the images whose language this is: docker/dockerfile and docker/dockerfile-upstream, of Docker Hub
// or of a registry that mirrors it below any path, with any tag or digest.
bool is_builtin_syntax(std::string_view image);

}  // namespace dockerfile
