// A parsed Dockerfile: stages of typed instructions. Nothing is expanded yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/dockerfile/directives.hpp"
#include "common/dockerfile/instruction.hpp"
#include "common/dockerfile/lines.hpp"
#include "common/dockerfile/lint.hpp"
#include "common/dockerfile/source.hpp"

namespace dockerfile {

struct Stage {
  Origin origin;         // of its FROM
  std::string base;      // as written; its variables are global ARGs
  std::string name;      // in lower case; empty: none
  std::string platform;  // as written; empty: the target's
  std::string description;
  std::vector<Instruction> instructions;
};

struct File {
  Source source;
  Directives directives;
  std::vector<Arg> global_args;  // before the first FROM
  std::vector<Stage> stages;     // at least one
  Lint lint;                     // holds what is already worth a warning; lowering adds to a copy
};

struct ParseOptions {
  std::string name = "Dockerfile";    // how errors call the file
  std::optional<std::string> syntax;  // in place of the file's "# syntax=" (the build arg BUILDKIT_SYNTAX)
  std::optional<std::string> check;   // in place of "# check=" (BUILDKIT_DOCKERFILE_CHECK)
};

// The image that is to read the file in place of the built-in frontend, and the line that says so (0: no line
// does); nothing if it is the built-in one's to read.
std::optional<Directive> foreign_syntax(std::string_view text, const ParseOptions& options = {});

// Throws Error that shows the place. A file that asks for another language than the built-in one is refused:
// only BuildKit can start the image that reads it.
File parse(std::string_view text, const ParseOptions& options = {});

// The instruction of an ONBUILD trigger; it stands at the FROM that fires it. Throws Error that shows that
// place in `source`.
Instruction parse_trigger(const std::string& trigger, const Source& source, const Location& from);

}  // namespace dockerfile
