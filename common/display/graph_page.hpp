// How much of a step's text there is room for in a picture.
#pragma once

#include <string>
#include <string_view>

namespace display {

// Its beginning, without the options of RUN and COPY that say little.
std::string short_text(std::string_view text);

}  // namespace display
