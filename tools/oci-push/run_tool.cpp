// The options of oci-push.
#include "tools/oci-push/run_tool.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/run_tool.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"
#include "tools/oci-push/goals.hpp"
#include "tools/oci-push/push.hpp"

namespace oci_push {
namespace {

// Another repository of the same registry that has the image by now.
std::optional<image::Reference> neighbour_of(const Goal& goal, const std::vector<Goal>& done) {
  for (const auto& other : done) {
    if (other.reference.domain == goal.reference.domain && other.reference.path != goal.reference.path)
      return other.reference;
  }
  return std::nullopt;
}

void report(const Goal& goal, const Sent& sent) {
  std::vector<std::string> parts;
  const auto add = [&](std::size_t count, const std::string& how) {
    if (count > 0) parts.push_back(std::to_string(count) + " " + how);
  };
  add(sent.uploaded, "sent (" + util::human_size(sent.bytes) + ")");
  add(sent.mounted, "mounted");
  add(sent.was_there, "there already");
  util::log::info("pushed to " + util::quote(goal.text) + ", of its blobs " + util::join(parts, ", "));
}

void push_all(const image::Archive& archive, const std::optional<image::Platform>& platform,
              const std::vector<Goal>& goals, registry::Settings settings) {
  const auto contents = image::contents_of(archive, platform);
  for (const auto& goal : goals)
    require_pushable(archive, contents, goal);
  registry::Pusher pusher(std::move(settings),
                          [](const std::string& message) { util::log::warning(message); });
  std::vector<Goal> done;
  for (const auto& goal : goals) {
    report(goal, push(pusher, archive, contents, goal, neighbour_of(goal, done)));
    std::printf("%s@%s\n", goal.text.c_str(), contents.root.digest.str().c_str());
    std::fflush(stdout);  // it is true, whatever becomes of the next one
    done.push_back(goal);
  }
}

}  // namespace

int run_tool(int argc, char** argv) {
  CLI::App app{
      "Send an image to registries, and print each reference with the digest that it has there. Only what a "
      "repository does not have is sent, and every byte that is sent is checked. Logins come from "
      "DOCKER_CONFIG, as docker login writes them.",
      "oci-push"};
  std::filesystem::path path;
  std::vector<std::string> references;
  std::string platform_text;
  Reach reach;
  app.add_option("IMAGE", path, image::argument_help)->required();
  app.add_option("REFERENCE", references, "where to: REGISTRY/NAME[:TAG], the tag latest if none is given")
      ->required();
  app.add_option("--platform", platform_text,
                 "send this image of several alone, as os/architecture[/variant]; default: all")
      ->type_name("PLATFORM");
  auto* ca = app.add_option("--ca", reach.ca, "trust the authorities in this PEM file, too; may be repeated")
                 ->type_name("FILE")
                 ->allow_extra_args(false);
  auto* plain = app.add_flag("--plain-http", reach.plain_http,
                             "speak HTTP without TLS, as is done with 127.0.0.1 and localhost anyway");
  auto* insecure = app.add_flag("--insecure", reach.insecure, "take any certificate");
  plain->excludes(ca, insecure);
  insecure->excludes(ca);
  return cli::run_tool(app, argc, argv, [&] {
    std::vector<Goal> goals;
    for (const auto& reference : references)
      goals.push_back(parse_goal(reference));
    std::optional<image::Platform> platform;
    if (!platform_text.empty()) platform = image::Platform::parse(platform_text);
    const auto settings = settings_for(goals, reach, docker_config_directory());
    push_all(*image::open_argument(path), platform, goals, settings);
  });
}

}  // namespace oci_push
