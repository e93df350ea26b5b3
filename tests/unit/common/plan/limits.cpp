// What a plan takes, and what is refused for taking too much.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <functional>

#include "common/plan/lower.hpp"
#include "tests/support/error_of.hpp"
#include "tests/unit/common/plan/planning.hpp"

namespace plan {
namespace {

using test::plan_of;

// The memory that planning took at its highest, in MiB.
long growth_of(const std::function<void()>& action) {
  const auto highest = [] {
    struct rusage usage {};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
  };
  const long before = highest();
  action();
  return highest() - before;
}

// Each held a copy of all variables, labels and history of the one before: 4.7 GiB and a minute.
TEST(Limits, TakesLittleForALongChainOfStages) {
  constexpr int count = 10'000;
  std::string text = "FROM scratch AS s0\n";
  for (int i = 1; i <= count; ++i) {
    const auto number = std::to_string(i);
    text += "FROM s" + std::to_string(i - 1) + " AS s" + number + "\nENV a" + number + "=b\nLABEL c" +
            number + "=d\n";
  }
  EXPECT_LT(growth_of([&] {
              const auto graph = plan_of(text);
              const auto& image = test::image_of(graph);
              EXPECT_EQ(image.history.size(), 2u * count);
              EXPECT_EQ(image.history.front().created_by, "ENV a1=b");
              EXPECT_EQ(image.config.env.size(), count + 1u);
              EXPECT_EQ(image.config.labels.size(), count + 0u);
            }),
            1024);
}

std::string repeated(int count, const std::string& text) {
  std::string result;
  for (int i = 0; i < count; ++i)
    result += text;
  return result;
}

// The first line of what is said, without the words in front.
std::string refusal(const std::string& text) {
  const auto error = test::error_of([&] { plan_of(text); });
  const auto line = error.substr(0, error.find('\n'));
  return line.substr(0, line.find(' ') + 1) + line.substr(std::min(line.size(), line.rfind("\": ") + 3));
}

TEST(Limits, RefusesAVariableThatDoublesForEver) {
  EXPECT_EQ(refusal("FROM scratch\nENV A=0123456789abcdef\n" + repeated(40, "ENV A=$A$A\n")),
            "Dockerfile:19: the value becomes larger than 1 MiB");
  EXPECT_EQ(refusal("ARG A=0123456789abcdef\n" + repeated(40, "ARG A=$A$A\n") + "FROM scratch\n"),
            "Dockerfile:18: the value becomes larger than 1 MiB");
}

// Of each of these the parts are small and the whole is not.
TEST(Limits, RefusesWhatComesToTooMuch) {
  const std::string large = "ENV A=0123456789abcdef\n" + repeated(15, "ENV A=$A$A\n");
  for (const auto& text :
       {"ARG A=0123456789abcdef\n" + repeated(16, "ARG A=$A$A\n") + repeated(400, "ARG B=$A\n") +
            "FROM scratch\n",
        "FROM scratch AS a\n" + repeated(2000, "ONBUILD USER a\n") + repeated(2000, "FROM a\n")}) {
    EXPECT_NE(test::error_of([&, text = text] { plan_of(text); }).find("come to more than 256 MiB"),
              std::string::npos)
        << text.substr(0, 50);
  }
  for (const auto& text : {"FROM scratch\n" + large + repeated(100, "LABEL b=$A\n"),
                           "FROM scratch\n" + repeated(60'000, "VOLUME /a\n"),
                           "FROM scratch\n" + repeated(20, "EXPOSE 1-65535\n")}) {
    EXPECT_NE(test::error_of([&, text = text] {
                plan_of(text);
              }).find("the image's config becomes larger than 4.0 MiB: use fewer"),
              std::string::npos)
        << text.substr(0, 50);
  }
}

}  // namespace
}  // namespace plan
