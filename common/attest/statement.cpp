// The order of fields is that of Go's structs.
#include "common/attest/statement.hpp"

#include <nlohmann/json.hpp>

#include "common/util/json.hpp"

namespace attest {

Statement make_statement(std::string_view predicate_type, const nlohmann::ordered_json& predicate) {
  return make_statement(predicate_type, nlohmann::ordered_json::array(), predicate);
}

Statement make_statement(std::string_view predicate_type, const nlohmann::ordered_json& subjects,
                         const nlohmann::ordered_json& predicate) {
  const nlohmann::ordered_json document = {{"_type", "https://in-toto.io/Statement/v1"},
                                           {"predicateType", predicate_type},
                                           {"subject", subjects},
                                           {"predicate", predicate}};
  return {.predicate_type = std::string(predicate_type), .json = util::dump_go_json(document)};
}

}  // namespace attest
