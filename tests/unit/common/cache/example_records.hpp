// Steps that never ran, with layers of one file.
#pragma once

#include <map>
#include <string>

#include "common/cache/records.hpp"
#include "common/hash/sha256.hpp"
#include "common/plan/cache_key.hpp"
#include "tests/support/tar_archive.hpp"

namespace cache {

inline plan::KeyParts parts_of(const std::string& command) {
  return {{plan::KeyPart::Kind::kind, "run", hash::sha256("")},
          {plan::KeyPart::Kind::instruction, "", hash::sha256(command)}};
}

// A layer of one file.
inline std::string layer_of(const std::string& name) {
  return test::archive({{.path = name}});
}

// The step that `command` would be, whose layer has the file `name`.
inline store::Step step_of(const std::string& command, const std::string& name) {
  const auto layer = layer_of(name);
  return {.diff_id = hash::sha256(layer),
          .blob = {hash::sha256(layer), layer.size()},
          .media_type = "application/vnd.oci.image.layer.v1.tar",
          .created = util::Date::parse("2026-01-02T03:04:05Z"),
          .parts = parts_of(command)};
}

inline Records example_records(const std::map<std::string, std::string>& layers = {{"make", "made"},
                                                                                   {"test", "tested"}}) {
  Records records;
  for (const auto& [command, layer] : layers)
    records.steps.emplace(plan::key_of(parts_of(command)), step_of(command, layer));
  records.notes.emplace(hash::sha256("files"), hash::sha256("content"));
  return records;
}

}  // namespace cache
