// Parameters that would have helped, and BuildKit's errors that call for them.
#include "common/engine/advice.hpp"

#include <vector>

#include "common/util/text.hpp"

namespace engine {
namespace {

// What stands between `before` and `behind` in `text`.
std::optional<std::string_view> between(std::string_view text, std::string_view before,
                                        std::string_view behind) {
  const auto begin = text.find(before);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin + before.size());
  const auto end = text.find(behind);
  if (end == std::string_view::npos) return std::nullopt;
  return text.substr(0, end);
}

}  // namespace

std::string entitlement_advice(document::Entitlement wanted, const document::Request& request) {
  std::vector<std::string> all;
  for (const auto given : request.entitlements)
    all.emplace_back(to_string(given));
  all.emplace_back(to_string(wanted));
  return "set ENTITLEMENTS=" + util::join(all, ",");
}

std::string secret_advice(std::string_view id) {
  const std::string name = util::escape(id);
  return "set BUILDKIT_SECRETTEXT_" + name + " or BUILDKIT_SECRET_" + name;
}

std::string ssh_advice(std::string_view id) {
  return "set BUILDKIT_SSHTEXT_" + util::escape(id) + " or BUILDKIT_SSH";
}

std::string platform_advice() {
  return "set IMAGE_PLATFORM, or --platform of the FROM, to one that it is there for";
}

std::string emulation_advice(const std::optional<image::Platform>& platform) {
  const std::string remedy = "register QEMU with the kernel's binfmt_misc";
  if (platform) return "programs for " + platform->str() + " do not run here: " + remedy;
  return "if the program is for another processor, " + remedy;
}

// The words are those of util/entitlements, session/secrets, session/sshforward and util/contentutil.
std::optional<std::string> advice_on(std::string_view buildkit_error, const document::Request& request) {
  for (const auto wanted : {document::Entitlement::network_host, document::Entitlement::security_insecure}) {
    if (buildkit_error.ends_with(std::string(to_string(wanted)) + " is not allowed"))
      return entitlement_advice(wanted, request);
  }
  if (const auto id = between(buildkit_error, "secret ", ": not found"); id && !id->empty())
    return secret_advice(*id);
  if (const auto id = between(buildkit_error, "no SSH key \"", "\" forwarded from the client"))
    return ssh_advice(id->empty() ? "default" : *id);
  constexpr std::string_view unset = "unset ssh forward key ";
  if (const auto at = buildkit_error.find(unset); at != std::string_view::npos)
    return ssh_advice(buildkit_error.substr(at + unset.size()));
  if (buildkit_error.find("no match for platform in manifest") != std::string_view::npos)
    return platform_advice();
  return std::nullopt;
}

}  // namespace engine
