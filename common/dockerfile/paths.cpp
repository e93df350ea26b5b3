// Cleaning and joining of paths.
#include "common/dockerfile/paths.hpp"

#include <vector>

namespace dockerfile {

std::string clean_path(std::string_view path) {
  if (path.empty()) return ".";
  const bool rooted = path.front() == '/';
  std::vector<std::string_view> elements;
  while (!path.empty()) {
    const auto end = path.find('/');
    const std::string_view element = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (element.empty() || element == ".") continue;
    if (element != "..") {
      elements.push_back(element);
    } else if (!elements.empty() && elements.back() != "..") {
      elements.pop_back();
    } else if (!rooted) {
      elements.push_back(element);
    }
  }
  std::string cleaned(rooted ? "/" : "");
  for (const auto& element : elements) {
    if (!cleaned.empty() && cleaned.back() != '/') cleaned += '/';
    cleaned += element;
  }
  return cleaned.empty() ? "." : cleaned;
}

std::string join_path(std::string_view directory, std::string_view path) {
  if (directory.empty()) return path.empty() ? "" : clean_path(path);
  if (path.empty()) return clean_path(directory);
  return clean_path(std::string(directory) + '/' + std::string(path));
}

std::string base_name(std::string_view path) {
  if (path.empty()) return ".";
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  if (path == "/") return "/";
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace dockerfile
