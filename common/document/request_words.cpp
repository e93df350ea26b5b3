// Values of enumerations as words and back.
#include "common/document/request_words.hpp"

#include <string>
#include <vector>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace document {
namespace {

template <typename Enum, std::size_t Count>
Enum known_value(const Words<Enum, Count>& words, std::string_view source, std::string_view word,
                 util::ExitCode code) {
  if (const auto value = value_of(words, word)) return *value;
  std::vector<std::string> known;
  std::vector<std::string> quoted;
  for (const auto& [value, name] : words) {
    known.emplace_back(name);
    quoted.push_back(util::quote(name));
  }
  throw util::Error(std::string(source) + ": " + util::quote(word) + " is none of " +
                        util::join(quoted, ", ") + util::did_you_mean(word, known),
                    code);
}

}  // namespace

std::string_view to_string(EngineChoice choice) {
  return word_of(engine_choices, choice);
}
std::string_view to_string(IsolationChoice choice) {
  return word_of(isolation_choices, choice);
}
std::string_view to_string(ProgressChoice choice) {
  return word_of(progress_choices, choice);
}
std::string_view to_string(Entitlement entitlement) {
  return word_of(entitlements, entitlement);
}

std::string_view to_string(OutputFormat format) {
  return word_of(output_formats, format);
}
std::string_view to_string(Compression compression) {
  return word_of(compressions, compression);
}
std::optional<Entitlement> parse_entitlement(std::string_view word) {
  return value_of(entitlements, word);
}

std::optional<OutputFormat> parse_output_format(std::string_view word) {
  return value_of(output_formats, word);
}

EngineChoice parse_engine_choice(std::string_view source, std::string_view word, util::ExitCode code) {
  return known_value(engine_choices, source, word, code);
}
IsolationChoice parse_isolation_choice(std::string_view source, std::string_view word, util::ExitCode code) {
  return known_value(isolation_choices, source, word, code);
}
ProgressChoice parse_progress_choice(std::string_view source, std::string_view word, util::ExitCode code) {
  return known_value(progress_choices, source, word, code);
}
Compression parse_compression(std::string_view source, std::string_view word) {
  return known_value(compressions, source, word, util::ExitCode::failed);
}

}  // namespace document
