// The one rule for tags behind paths.
#include "common/image/tagged_layout.hpp"

#include "common/sys/paths.hpp"

namespace image {

Place locate(const std::filesystem::path& argument) {
  const std::string text = argument.string();
  const auto colon = text.rfind(':');
  const bool may_be_tag = colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
                          text.find('/', colon) == std::string::npos;
  if (!may_be_tag || sys::is_there(argument)) return {argument, ""};
  const std::filesystem::path directory = text.substr(0, colon);
  if (!sys::leads_to_directory(directory)) return {argument, ""};
  return {directory, text.substr(colon + 1)};
}

}  // namespace image
