// A task's directory and environment, to read requests from.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tools/oci-params/read_request.hpp"

// Each test runs in a directory of its own that holds nothing but a Dockerfile.
class RequestTest : public ::testing::Test {
protected:
  using Variables = std::map<std::string, std::string>;

  RequestTest()
      : old_directory_(std::filesystem::current_path()), directory_(std::filesystem::temp_directory_path()) {
    std::filesystem::current_path(directory_.path());
    write("Dockerfile", "FROM scratch\n");
  }
  ~RequestTest() override { std::filesystem::current_path(old_directory_); }

  static void write(const std::filesystem::path& path, const std::string& content = "") {
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  static void make_directory(const std::filesystem::path& path) { std::filesystem::create_directories(path); }

  // The request, which must come without error and without warning.
  static document::Request read(const Variables& variables) {
    params::Findings findings;
    auto request = params::read_request(params::Environment(variables), findings);
    EXPECT_NO_THROW(findings.throw_errors());
    EXPECT_EQ(findings.warnings(), std::vector<std::string>());
    return request;
  }

  // All errors, a line each; "" if there are none.
  static std::string error_of(const Variables& variables) {
    params::Findings findings;
    params::read_request(params::Environment(variables), findings);
    try {
      findings.throw_errors();
      return "";
    } catch (const util::Error& error) {
      EXPECT_EQ(error.exit_code(), 1);
      return error.what();
    }
  }

  static std::vector<std::string> warnings_of(const Variables& variables) {
    params::Findings findings;
    params::read_request(params::Environment(variables), findings);
    EXPECT_NO_THROW(findings.throw_errors());
    return findings.warnings();
  }

  // "name=value" each.
  static std::vector<std::string> pairs(const std::vector<document::NameValue>& values) {
    std::vector<std::string> pairs;
    for (const auto& [name, value] : values)
      pairs.push_back(name + "=" + value);
    return pairs;
  }

private:
  std::filesystem::path old_directory_;
  sys::TempDir directory_;
};

using Strings = std::vector<std::string>;
