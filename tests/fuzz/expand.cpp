// Any bytes as a word: expanded in every way there is.
#include "common/dockerfile/expand.hpp"

#include <cstdint>

#include "common/dockerfile/heredoc.hpp"
#include "common/util/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string word(reinterpret_cast<const char*>(data) + 1, size - 1);
  dockerfile::ExpandOptions options;
  options.escape = (data[0] & 1) != 0 ? '`' : '\\';
  options.keep_quotes = (data[0] & 2) != 0;
  options.keep_escapes = (data[0] & 4) != 0;
  options.ignore_quotes = (data[0] & 8) != 0;
  options.keep_unset = (data[0] & 16) != 0;
  dockerfile::Environment environment;
  environment.set("a", "value");
  environment.set("b", "");
  environment.set("c", "x/y/z.tar.gz $1 \\* \xff");
  try {
    dockerfile::expand(word, environment, options);
    dockerfile::expand_words(word, environment, options);
    dockerfile::find_heredocs(word);
  } catch (const util::Error&) {
    // Refusing is fine; anything else is not.
  }
  return 0;
}
