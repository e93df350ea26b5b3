// oci-digest: prints the digest of an image.
#include "tools/oci-digest/run_tool.hpp"

int main(int argc, char** argv) {
  return oci_digest::run_tool(argc, argv);
}
