// The result as JSON and back.
#include "common/document/result.hpp"

#include <nlohmann/json.hpp>

#include "common/document/fields.hpp"

namespace document {
namespace {

using Json = nlohmann::ordered_json;

Json write_built_target(const BuiltTarget& target) {
  return {{"name", write_optional<Json>(target.name)}, {"image", write_optional<Json>(target.image)}};
}

BuiltTarget read_built_target(const util::JsonFields& fields) {
  fields.require_exactly({"name", "image"});
  return {read_optional(fields, "name", read_name), read_optional(fields, "image", read_name)};
}

}  // namespace

Result parse_result(std::string_view json) {
  const auto document = util::parse_json(json, "result");
  const util::JsonFields fields(document, "result");
  require_schema(fields, result_schema);
  fields.require_exactly({"schema", "engine", "format", "targets"});
  Result result;
  result.engine = read_name(fields, "engine");
  const auto format = parse_output_format(fields.string("format"));
  if (!format) fields.fail("format", util::quote(fields.string("format")) + " is none of 'docker', 'oci'");
  result.format = *format;
  for (const auto& target : fields.objects("targets"))
    result.targets.push_back(read_built_target(target));
  if (result.targets.empty()) fields.fail("targets", "expected at least one");
  return result;
}

std::string to_json(const Result& result) {
  return util::dump_json(Json{{"schema", result_schema},
                              {"engine", result.engine},
                              {"format", to_string(result.format)},
                              {"targets", write_list<Json>(result.targets, write_built_target)}});
}

}  // namespace document
