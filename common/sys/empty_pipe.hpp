// A pipe that ends before its first byte: whoever was to write has failed.
#pragma once

namespace sys {

// To be called where nothing came from `fd`: throws an Error without a message if it is a pipe. The program
// at its other end has said why.
void check_for_empty_pipe(int fd);

}  // namespace sys
