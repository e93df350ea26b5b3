#include "common/native/epoch.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

constexpr std::string_view epoch_parameter = "SOURCE_DATE_EPOCH";

}  // namespace

std::optional<std::string> given_epoch(const document::Request& request) {
  if (request.source_date_epoch) return request.source_date_epoch;
  for (const auto& arg : request.build_args) {
    if (arg.name == epoch_parameter) return arg.value;
  }
  return std::nullopt;
}

std::optional<std::string> epoch_of_dockerfile(const Definition& definition) {
  try {
    if (definition.text().find(epoch_parameter) == std::string::npos) return std::nullopt;
    const auto scope = global_scope(definition.request(), definition.file());
    const auto value = scope.environment().get(epoch_parameter);
    if (value && !value->empty()) return std::string(*value);
  } catch (const util::Error&) {}
  return std::nullopt;
}

bool is_number_of_seconds(const std::string& word) {
  const auto seconds = util::parse_uint(word);
  return seconds && std::to_string(*seconds) == word;
}

std::optional<std::int64_t> epoch_of(const Definition& definition) {
  const auto given = given_epoch(definition.request());
  const auto word = given ? given : epoch_of_dockerfile(definition);
  if (!word || word->empty()) return std::nullopt;
  if (!is_number_of_seconds(*word)) {
    throw util::Error(std::string(epoch_parameter) + ": " + util::quote(*word) +
                      " is no number of seconds since 1970; use ENGINE=buildkit");
  }
  constexpr std::uint64_t end_of_year_9999 = 253402300799;  // what the dates of a config can say
  const auto seconds = *util::parse_uint(*word);
  if (seconds > end_of_year_9999) {
    throw util::Error(std::string(epoch_parameter) + ": " + util::quote(*word) +
                      " is after the year 9999; give seconds since 1970");
  }
  return static_cast<std::int64_t>(seconds);
}

}  // namespace native
