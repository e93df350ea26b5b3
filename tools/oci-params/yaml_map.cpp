// Parsing of flat YAML maps, over yaml-cpp's events: its document tree would build whatever aliases ask for
// and keep the last of duplicate keys silently.
#include "tools/oci-params/yaml_map.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace params {
namespace {

[[noreturn]] void fail(const YAML::Mark& mark, const std::string& reason) {
  throw util::Error("line " + std::to_string(mark.line + 1) + ": " + reason);
}

class FlatMap : public YAML::EventHandler {
public:
  std::vector<NamedValue> take() { return std::move(entries_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    fail(mark, inside_ ? subject() + " is a list; it must be a text" : expected_map("a list"));
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    if (inside_) fail(mark, subject() + " is a map; it must be a text");
    inside_ = true;
  }
  void OnMapEnd() override { inside_ = false; }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (inside_) add(mark, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, subject() + " is an alias; write the text itself");
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string& text) override {
    if (!inside_) fail(mark, expected_map("a text"));
    add(mark, text);
  }

private:
  static std::string expected_map(const std::string& found) {
    return "there is " + found + " where a map is expected; write name: value";
  }

  std::string subject() const { return key_ ? "the value of " + util::quote(key_->name) : "a name"; }

  void add(const YAML::Mark& mark, std::string text) {
    if (text.find('\0') != std::string::npos) fail(mark, "a NUL character cannot be passed on");
    if (!key_) {
      if (text.empty()) fail(mark, "there is no name before ':'; write name: value");
      if (text.find('=') != std::string::npos) fail(mark, "the name " + util::quote(text) + " holds a '='");
      const auto twice = std::find_if(entries_.begin(), entries_.end(),
                                      [&](const NamedValue& entry) { return entry.name == text; });
      if (twice != entries_.end()) {
        fail(mark, util::quote(text) + " stands twice, first in line " + std::to_string(twice->line));
      }
      key_ = NamedValue{std::move(text), "", static_cast<std::size_t>(mark.line) + 1};
      return;
    }
    if (text.ends_with('\n')) text.pop_back();
    key_->value = std::move(text);
    entries_.push_back(std::move(*key_));
    key_.reset();
  }

  bool inside_ = false;
  std::optional<NamedValue> key_;
  std::vector<NamedValue> entries_;
};

}  // namespace

std::vector<NamedValue> parse_yaml_map(std::string_view text) {
  // yaml-cpp 0.7 takes a quote that is still open after the last line's end as closed. With a comment at the
  // end, such a quote is still open where the text stops, which it does refuse.
  std::istringstream stream(std::string(text) + (text.ends_with('\n') ? "#" : "\n#"));
  FlatMap map;
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(map);
    auto entries = map.take();
    if (parser.HandleNextDocument(map)) throw util::Error("there is a second document; keep one");
    return entries;
  } catch (const YAML::Exception& error) {
    fail(error.mark, "not YAML: " + util::escape(error.msg));
  }
}

}  // namespace params
