// Prints the paths of a build context, one a line. Usage: context-list DIRECTORY
#include <iostream>

#include "common/context/tree.hpp"
#include "common/util/error.hpp"

int main(int, char** argv) {
  try {
    const std::filesystem::path root = argv[1];
    const context::Tree tree(root, context::load_ignore(root));
    tree.walk("", [](const context::Entry& entry) { std::cout << entry.path << '\n'; });
  } catch (const util::Error& error) {
    std::cout << "error\n";
    std::cerr << error.what() << '\n';
  }
  return 0;
}
