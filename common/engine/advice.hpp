// What to set where a build asks for something that its task does not give.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/document/request.hpp"
#include "common/image/descriptor.hpp"

namespace engine {

// "set ENTITLEMENTS=network.host", with what `request` gives already.
std::string entitlement_advice(document::Entitlement wanted, const document::Request& request);
// "set BUILDKIT_SECRETTEXT_tok or BUILDKIT_SECRET_tok".
std::string secret_advice(std::string_view id);
// "set BUILDKIT_SSHTEXT_default or BUILDKIT_SSH".
std::string ssh_advice(std::string_view id);
// For an image that is not there for a platform.
std::string platform_advice();

// For a program that the kernel does not know: of `platform`, where that is known to be another one than this
// machine's.
std::string emulation_advice(const std::optional<image::Platform>& platform);

// The one of these that helps against an error of BuildKit, which is known by its words alone; nothing if
// none does.
std::optional<std::string> advice_on(std::string_view buildkit_error, const document::Request& request);

}  // namespace engine
