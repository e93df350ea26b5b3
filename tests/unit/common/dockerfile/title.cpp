#include "common/dockerfile/title.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/file.hpp"

namespace {

// The title of the only instruction in `text`, where A is "a b" and nothing else is set.
std::string title(const std::string& text) {
  const auto file = dockerfile::parse("FROM scratch\n" + text);
  dockerfile::Environment environment;
  environment.set("A", "a b");
  return dockerfile::title_of(file.stages.front().instructions.front(), environment, '\\');
}

TEST(Title, HasTheKeywordInCapitals) {
  EXPECT_EQ(title("run make"), "RUN make");
  EXPECT_EQ(title("workdir /x"), "WORKDIR /x");
}

TEST(Title, FillsVariablesInAndLeavesTheShellItsOwn) {
  EXPECT_EQ(title("RUN echo \"$A\" '$A' $i ${A}"), "RUN echo \"a b\" '$A' $i a b");
  EXPECT_EQ(title("COPY \"$A\" $none/x"), "COPY a b /x");
}

TEST(Title, StaysAsWrittenWhereItCannotBeExpanded) {
  EXPECT_EQ(title("RUN echo ${A:x} it's"), "RUN echo ${A:x} it's");
}

TEST(Title, JoinsContinuedLines) {
  EXPECT_EQ(title("RUN a && \\\n  b"), "RUN a &&   b");
}

TEST(Title, ShowsTheFirstLineOfAScript) {
  EXPECT_EQ(title("RUN <<EOF\n\nmake\nEOF\n"), "RUN <<EOF (make)");
  EXPECT_EQ(title("RUN <<EOF\nmake\nmake install\nEOF\n"), "RUN <<EOF (make...)");
  EXPECT_EQ(title("RUN cat <<EOF\nmake\nEOF\n"), "RUN cat <<EOF");
}

TEST(Title, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(title("RUN printf '\033[2J'\tx"), "RUN printf '\\x1b[2J' x");
}

}  // namespace
