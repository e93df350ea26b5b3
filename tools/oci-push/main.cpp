// oci-push: sends an image to registries.
#include "tools/oci-push/run_tool.hpp"

int main(int argc, char** argv) {
  return oci_push::run_tool(argc, argv);
}
