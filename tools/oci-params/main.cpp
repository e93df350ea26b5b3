// oci-params: the task's environment as a request document.
#include "tools/oci-params/run_tool.hpp"

int main(int argc, char** argv) {
  return params::run_tool(argc, argv);
}
