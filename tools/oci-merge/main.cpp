// oci-merge: makes one image for several platforms of one for each.
#include "tools/oci-merge/run_tool.hpp"

int main(int argc, char** argv) {
  return oci_merge::run_tool(argc, argv);
}
