#include "common/document/plan.hpp"

#include <gtest/gtest.h>

#include "tests/unit/common/document/golden.hpp"

namespace {

document::Plan three_steps() {
  return {.engine = "native",
          .steps = {{.title = "[build 1/2] COPY src /src"},
                    {.title = "[build 2/2] RUN make",
                     .outcome = document::Outcome::runs,
                     .reason = "the instruction changed"},
                    {.title = "[stage-1 1/1] COPY --from=build /out /",
                     .outcome = document::Outcome::unknown,
                     .reason = "until #2 has run",
                     .after = 2}}};
}

TEST(Plan, IsWrittenAsTheGoldenDocumentShows) {
  golden::expect_shown(to_json(three_steps()), "plan.json");
}

TEST(Plan, IsTwoLinesAStepForPeople) {
  EXPECT_EQ(to_text(three_steps()),
            "#1 [build 1/2] COPY src /src\n"
            "#1 CACHED\n"
            "#2 [build 2/2] RUN make\n"
            "#2 would run: the instruction changed\n"
            "#3 [stage-1 1/1] COPY --from=build /out /\n"
            "#3 unknown until #2 has run\n"
            "1 cached, 1 would run, 1 unknown\n");
}

}  // namespace
