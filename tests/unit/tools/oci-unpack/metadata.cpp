#include <gtest/gtest.h>

#include "tools/oci-unpack/unpack.hpp"

TEST(Metadata, HasEveryFieldThatConcourseReads) {
  image::Config config;
  config.env = {"PATH=/bin", "A=\"b\""};
  config.user = "1:2";
  config.entrypoint = {"sh", "-c"};
  config.cmd = std::vector<std::string>();
  config.working_dir = "/w";
  EXPECT_EQ(oci_unpack::to_metadata(config),
            R"({"env":["PATH=/bin","A=\"b\""],"user":"1:2","entrypoint":["sh","-c"],"cmd":[],"workdir":"/w"})"
            "\n");
}

TEST(Metadata, SaysNullForCommandsThatAreNotSet) {
  EXPECT_EQ(oci_unpack::to_metadata({}), R"({"env":[],"user":"","entrypoint":null,"cmd":null,"workdir":""})"
                                         "\n");
}

TEST(Labels, AreOneObjectAlsoWhereThereAreNone) {
  image::Config config;
  EXPECT_EQ(oci_unpack::to_labels(config), "{}\n");
  config.labels = {{"b", "x \"y\""}, {"a", ""}};
  EXPECT_EQ(oci_unpack::to_labels(config), "{\"a\":\"\",\"b\":\"x \\\"y\\\"\"}\n");
}
