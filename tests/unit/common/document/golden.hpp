// Golden documents: files that hold what a document looks like, indented so that people can read them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/sys/file.hpp"
#include "tests/support/places.hpp"

namespace golden {

// Expects that the file shows `json`; with ACCEPT=1 in the environment the file is rewritten first.
inline void expect_shown(const std::string& json, const std::string& name) {
  const auto path = std::filesystem::path(test::golden_directory()) / "documents" / name;
  const auto indented = nlohmann::ordered_json::parse(json).dump(2) + "\n";
  const char* accept = std::getenv("ACCEPT");
  if (accept != nullptr && std::string_view(accept) == "1") sys::write_file(path, indented);
  EXPECT_EQ(indented, sys::read_file(path));
}

}  // namespace golden
