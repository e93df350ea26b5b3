// The variables that words are expanded with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockerfile {

// Names and values in the order they were last set, each name once. Names are case-sensitive.
class Environment {
public:
  struct Variable {
    std::string name;
    std::string value;

    friend bool operator==(const Variable&, const Variable&) = default;
  };

  // A name that is set again moves to the end.
  void set(const std::string& name, const std::string& value);
  std::optional<std::string_view> get(std::string_view name) const;
  std::size_t size() const noexcept { return values_.size(); }
  std::vector<Variable> variables() const;
  std::vector<std::string> names() const;

private:
  struct Value {
    std::string text;
    std::uint64_t place = 0;  // grows with each call of set()
  };
  using Entry = std::pair<const std::string, Value>;

  std::vector<const Entry*> in_order() const;

  std::map<std::string, Value, std::less<>> values_;
  std::uint64_t next_place_ = 0;
};

}  // namespace dockerfile
