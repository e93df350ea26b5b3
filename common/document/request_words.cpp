// Values of enumerations as words and back.
#include "common/document/request_words.hpp"

namespace document {

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
std::optional<EngineChoice> parse_engine_choice(std::string_view word) {
  return value_of(engine_choices, word);
}
std::optional<IsolationChoice> parse_isolation_choice(std::string_view word) {
  return value_of(isolation_choices, word);
}
std::optional<ProgressChoice> parse_progress_choice(std::string_view word) {
  return value_of(progress_choices, word);
}
std::optional<Entitlement> parse_entitlement(std::string_view word) {
  return value_of(entitlements, word);
}

std::optional<OutputFormat> parse_output_format(std::string_view word) {
  return value_of(output_formats, word);
}
std::optional<Compression> parse_compression(std::string_view word) {
  return value_of(compressions, word);
}

}  // namespace document
