// Requests from stdin.
#include "common/document/read_request.hpp"

#include <unistd.h>

#include "common/stream/source.hpp"
#include "common/sys/empty_pipe.hpp"

namespace document {

Request read_request() {
  const auto json = stream::read_stdin();
  if (json.empty()) sys::check_for_empty_pipe(STDIN_FILENO);
  return parse_request(json);
}

}  // namespace document
