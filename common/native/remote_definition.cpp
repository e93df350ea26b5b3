// A URL, to the files behind it, to the Dockerfile among them (BuildKit: frontend/dockerui/context.go).
#include "common/native/remote_definition.hpp"

#include <string>
#include <utility>
#include <variant>

#include "common/dockerfile/remote.hpp"
#include "common/engine/progress.hpp"
#include "common/native/language.hpp"
#include "common/plan/ops.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

namespace fs = std::filesystem;

constexpr const char* name_of_download = "context";

// For people.
std::string shown_context(const document::Request& request) {
  return dockerfile::without_login(request.context.string());
}

bool keeps_git_dir(const document::Request& request) {
  for (const auto& [name, value] : request.build_args) {
    if (name == "BUILDKIT_CONTEXT_KEEP_GIT_DIR") return util::parse_bool(value).value_or(false);
  }
  return false;
}

solver::ContextSource source_of(const document::Request& request) {
  const auto remote = dockerfile::parse_remote(request.context.string());
  if (const auto* url = std::get_if<dockerfile::UrlSource>(&remote))
    return plan::Http{.url = url->url, .file_name = name_of_download, .checksum = std::nullopt};
  if (const auto* git = std::get_if<dockerfile::GitSource>(&remote)) {
    auto op = plan::git_op(*git);
    op.keep_git_dir = op.keep_git_dir || keeps_git_dir(request);
    return op;
  }
  throw util::Error("it is the URL of no git repository, nor one of http or https");
}

solver::RemoteContext fetch(const document::Request& request, solver::Workshop& workshop) {
  const auto source = source_of(request);
  engine::Progress::Vertex vertex(workshop.progress,
                                  std::holds_alternative<plan::Git>(source)
                                      ? "[internal] load git source " + shown_context(request)
                                      : "[internal] load remote build context");
  vertex.start();
  try {
    auto context = solver::fetch_context(source, workshop, vertex);
    context.was_there ? vertex.cached() : vertex.done();
    return context;
  } catch (const util::Error& error) {
    if (!error.is_cancelled()) vertex.failed(error.what());
    throw;
  }
}

struct FoundFile {
  fs::path name;
  std::string text;
};

// "Dockerfile" may be called "dockerfile", as in a directory.
FoundFile find_file(const document::Request& request, const solver::RemoteContext& context) {
  const auto& directory = context.files.directory;
  const fs::path wanted = context.is_one_file ? fs::path(name_of_download) : request.dockerfile;
  if (auto text = solver::read_within(directory, wanted.string())) return {wanted, std::move(*text)};
  if (wanted.filename() == "Dockerfile") {
    const auto lower_case = wanted.parent_path() / "dockerfile";
    if (auto text = solver::read_within(directory, lower_case.string())) return {wanted, std::move(*text)};
  }
  throw util::Error("it has no file " + util::quote(wanted.string()) +
                    "; set DOCKERFILE to the path of its Dockerfile, or name a directory of it in CONTEXT");
}

}  // namespace

std::unique_ptr<const RemoteDefinition> fetch_definition(const document::Request& request,
                                                         solver::Workshop& workshop) {
  const std::string what = "the context " + util::quote(shown_context(request));
  auto context = util::with_context("cannot fetch " + what, [&] { return fetch(request, workshop); });
  auto file = util::with_context(what, [&] { return find_file(request, context); });
  auto remote = std::make_unique<const RemoteDefinition>(
      RemoteDefinition{std::move(context), Definition(request, std::move(file.text), file.name)});
  if (const auto wish = left_out_of_language(remote->definition)) {
    throw util::Error("the Dockerfile of " + what + " asks for " + *wish +
                      ", which the native engine does not do; use ENGINE=buildkit");
  }
  return remote;
}

}  // namespace native
