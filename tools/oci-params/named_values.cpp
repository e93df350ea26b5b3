// Collecting names and values. What wins over what is as concourse/oci-build-task has it: it hands BuildKit
// the variables first and the file's lines after them, and BuildKit takes the last.
#include "tools/oci-params/named_values.hpp"

#include <algorithm>
#include <map>

#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"
#include "tools/oci-params/key_value_file.hpp"
#include "tools/oci-params/yaml_map.hpp"

namespace params {
namespace {

class NameValues {
public:
  explicit NameValues(Findings& findings) : findings_(findings) {}

  // `origin` says in warnings where the value comes from.
  void set(const std::string& name, const std::string& value, const std::string& origin) {
    const auto [found, added] = places_.try_emplace(name, values_.size(), origin);
    if (added) {
      values_.push_back({name, value});
      return;
    }
    auto& [place, old_origin] = found->second;
    if (values_[place].value != value) {
      findings_.warn(util::quote(name) + " has one value from " + old_origin + " and another from " + origin +
                     "; the latter is used");
    }
    values_[place].value = value;
    old_origin = origin;
  }

  std::vector<document::NameValue> take() { return std::move(values_); }

private:
  Findings& findings_;
  std::vector<document::NameValue> values_;
  std::map<std::string, std::pair<std::size_t, std::string>> places_;
};

void add_family(NameValues& values, const Environment& environment, std::string_view prefix) {
  for (const auto& [variable, name, value] : environment.family(prefix)) {
    require_utf8(variable, value);
    values.set(name, value, variable);
  }
}

void require_lower_case(const std::string& name) {
  if (std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    throw util::Error("the annotation " + util::quote(name) +
                      " has upper-case letters, which do not pass BuildKit's client; use lower case");
  }
}

enum class Syntax { lines, lines_or_yaml };

void add_file(NameValues& values, const Environment& environment, const std::string& parameter,
              Syntax syntax) {
  const auto path = environment.value(parameter);
  if (!path) return;
  const bool yaml = syntax == Syntax::lines_or_yaml && (path->ends_with(".yml") || path->ends_with(".yaml"));
  const auto text = read_text_file(parameter, find_own_file(environment, parameter, *path));
  const auto entries = util::with_context(parameter + ": " + util::quote(*path), [&] {
    return yaml ? parse_yaml_map(text) : parse_key_values(text);
  });
  for (const auto& entry : entries) {
    values.set(entry.name, entry.value, util::quote(*path) + " line " + std::to_string(entry.line));
  }
}

}  // namespace

std::vector<document::NameValue> read_build_args(const Environment& environment, Findings& findings) {
  NameValues values(findings);
  findings.check([&] { add_family(values, environment, "BUILD_ARG_"); });
  findings.check([&] { add_file(values, environment, "BUILD_ARGS_FILE", Syntax::lines_or_yaml); });
  return values.take();
}

std::vector<document::NameValue> read_labels(const Environment& environment, Findings& findings) {
  NameValues values(findings);
  findings.check([&] { add_family(values, environment, "LABEL_"); });
  findings.check([&] { add_file(values, environment, "LABELS_FILE", Syntax::lines); });
  return values.take();
}

std::vector<document::NameValue> read_annotations(const Environment& environment, Findings& findings) {
  NameValues values(findings);
  findings.check([&] { add_family(values, environment, "ANNOTATION_"); });
  findings.check([&] { add_file(values, environment, "ANNOTATIONS_FILE", Syntax::lines); });
  auto annotations = values.take();
  for (const auto& annotation : annotations)
    findings.check([&] { require_lower_case(annotation.name); });
  return annotations;
}

}  // namespace params
