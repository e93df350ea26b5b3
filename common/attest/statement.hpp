// What is said of an image beside it (in-toto attestation framework, Statement v1).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace attest {

inline constexpr std::string_view spdx_document = "https://spdx.dev/Document";

struct Statement {
  std::string predicate_type;
  std::string json;  // the whole document, in one line
};

// With no subject, as BuildKit writes it where an image has no name: the manifest that holds the statement
// says which image it is of.
Statement make_statement(std::string_view predicate_type, const nlohmann::ordered_json& predicate);

// The same about `subjects`, a list as in-toto has it.
Statement make_statement(std::string_view predicate_type, const nlohmann::ordered_json& subjects,
                         const nlohmann::ordered_json& predicate);

}  // namespace attest
