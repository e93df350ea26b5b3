// oci-preload: turns the images of a request into OCI layouts.
#include "tools/oci-preload/run_tool.hpp"

int main(int argc, char** argv) {
  return oci_preload::run_tool(argc, argv);
}
