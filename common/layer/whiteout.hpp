// Whiteouts: how a layer says what is gone (OCI image-spec, layer.md, "Whiteouts").
#pragma once

#include <string>
#include <string_view>

namespace layer {

// The name of what makes a directory opaque.
inline constexpr std::string_view opaque_marker = ".wh..wh..opq";

struct Whiteout {
  enum class Kind {
    none,      // an ordinary member
    name,      // "d/.wh.x": d/x of lower layers is gone
    opaque,    // "d/.wh..wh..opq": all of d that lower layers put there is gone
    reserved,  // "d/.wh..wh.*" besides: book-keeping of AUFS, nothing of the image
  };
  Kind kind = Kind::none;
  std::string hidden;  // the name that is gone, beside the whiteout
};

// `path` is clean (sys::clean_path). Throws util::Error for a whiteout of "", "." or "..", and for a member
// below a directory whose name begins like a whiteout.
Whiteout parse_whiteout(std::string_view path);

}  // namespace layer
