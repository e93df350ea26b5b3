// The native engine: plans, runs and writes images in this process, without a daemon.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/display/screen.hpp"
#include "common/engine/engine.hpp"
#include "common/native/definition.hpp"
#include "common/native/isolation.hpp"

namespace native {

class Engine : public engine::Engine {
public:
  // Works in `isolation`, on the request of `definition`, which lives longer, as does `screen`. Base images
  // are kept for the next build in the folder "native" of the request's cache directory, else in `state_dir`,
  // which is made if need be, else nowhere.
  Engine(const Definition& definition, display::Screen& screen, Isolation isolation,
         std::optional<std::filesystem::path> state_dir = std::nullopt)
      : definition_(definition),
        screen_(screen),
        isolation_(std::move(isolation)),
        state_dir_(std::move(state_dir)) {}

  std::string name() const override { return "native"; }
  document::Result build() override;
  std::optional<document::Plan> plan() override;

private:
  const Definition& definition_;
  display::Screen& screen_;
  Isolation isolation_;
  std::optional<std::filesystem::path> state_dir_;
};

// What a request or its Dockerfile asks for that this engine leaves to BuildKit, in words that follow "the
// build asks for"; nothing if it can do it all. Runs, pulls and fetches nothing: a Dockerfile in a context
// that is a URL is looked at by build(), which refuses it then.
std::optional<std::string> left_out(const Definition& definition);

// What a build may come to, as far as a look at its Dockerfile tells.
Work work_of(const Definition& definition);

}  // namespace native
