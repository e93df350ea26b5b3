// Guessing what a name was meant to be. A wrong guess costs a needless warning in every build of somebody, so
// short names must be very near, and what shells, Concourse and BuildKit's own tools set is never questioned.
#include "tools/oci-params/spelling.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/util/text.hpp"
#include "tools/oci-params/parameters.hpp"

namespace params {
namespace {

// Variables of BuildKit's own programs.
constexpr std::array<std::string_view, 3> not_ours = {"BUILDKIT_COLORS", "BUILDKIT_NO_CLIENT_TOKEN",
                                                      "BUILDKIT_TTY_LOG_LINES"};

std::string upper_case(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return upper;
}

bool is_parameter(const std::string& variable) {
  return std::any_of(parameters().begin(), parameters().end(), [&](const Parameter& parameter) {
    return parameter.kind == Kind::family ? variable.starts_with(parameter.name) : variable == parameter.name;
  });
}

std::vector<std::string> names_of(Kind kind) {
  std::vector<std::string> names;
  for (const auto& parameter : parameters()) {
    if (parameter.kind == kind) names.emplace_back(parameter.name);
  }
  return names;
}

// Slips that a name of this length may hold before it counts as another name.
std::size_t allowed_slips(std::size_t length) {
  return length < 12 ? 1 : 2;
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates) {
  return util::nearest(name, candidates, allowed_slips(name.size()));
}

// "IMAGE_ARGS_base" is IMAGE_ARG_ and "base": the head that ends in some '_' may be a family's prefix.
std::optional<std::string> meant_member(const std::string& variable, const std::string& upper) {
  const auto families = names_of(Kind::family);
  for (auto end = variable.find('_'); end != std::string::npos; end = variable.find('_', end + 1)) {
    const auto rest = variable.substr(end + 1);
    if (const auto family = nearest(upper.substr(0, end + 1), families)) {
      return *family + (rest.empty() ? "NAME" : rest);
    }
  }
  if (const auto family = nearest(upper + "_", families)) return *family + "NAME";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> meant_parameter(const std::string& variable) {
  if (is_parameter(variable)) return std::nullopt;
  const auto upper = upper_case(variable);
  if (const auto single = nearest(upper, names_of(Kind::single))) return single;
  return meant_member(variable, upper);
}

std::vector<std::string> spelling_warnings(const Environment& environment) {
  std::vector<std::string> warnings;
  for (const auto& name : environment.names()) {
    if (const auto meant = meant_parameter(name)) {
      const bool only_case = upper_case(name) == upper_case(*meant);
      warnings.push_back(util::quote(name) + " is no parameter" +
                         (only_case ? ", for upper and lower case differ" : "") + "; did you mean " +
                         util::quote(*meant) + "?");
    } else if (name.starts_with("BUILDKIT_") && !is_parameter(name) &&
               std::find(not_ours.begin(), not_ours.end(), name) == not_ours.end()) {
      warnings.push_back(util::quote(name) + " is no parameter; 'oci-params --list' shows all");
    }
  }
  return warnings;
}

}  // namespace params
