// oci-unpack: unpacks an image into a directory.
#include "tools/oci-unpack/run_tool.hpp"

int main(int argc, char** argv) {
  return oci_unpack::run_tool(argc, argv);
}
