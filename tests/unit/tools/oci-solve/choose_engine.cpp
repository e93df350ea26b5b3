// Which engine builds what.
#include "tools/oci-solve/choose_engine.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/in_child.hpp"

namespace {

using document::EngineChoice;

class ChooseEngine : public testing::Test {
protected:
  ChooseEngine() {
    request_.dockerfile = directory_.path() / "Dockerfile";
    sys::write_file(request_.dockerfile, "FROM scratch\n");
    request_.targets.emplace_back();
  }

  oci_solve::Choice choose(EngineChoice wanted = EngineChoice::automatic) const {
    return oci_solve::choose_engine(wanted, definition_, directory_.path(),
                                    {.screen = screen_, .state_dir = std::nullopt, .start_timeout = {}});
  }

  sys::TempDir directory_{testing::TempDir()};
  document::Request request_;
  native::Definition definition_{request_};
  mutable display::Screen screen_{{.mode = display::Mode::quiet}};
};

TEST_F(ChooseEngine, TakesBuildKitWhereOneElsewhereIsNamed) {
  request_.remote.emplace().host = "unix:///somewhere";
  const auto choice = choose();
  EXPECT_EQ(choice.engine->name(), "buildkit");
  EXPECT_EQ(choice.description, "buildkit, because BUILDKIT_HOST names it");
}

TEST_F(ChooseEngine, TakesBuildKitForWhatTheNativeEngineLeavesOut) {
  request_.provenance = document::Attributes::parse("mode=max,inline-only=true");
  const auto choice = choose();
  EXPECT_EQ(choice.engine->name(), "buildkit");
  EXPECT_EQ(choice.description, "buildkit, because the build asks for PROVENANCE with 'inline-only'");
}

TEST_F(ChooseEngine, TakesBuildKitAlwaysWhereThatIsWanted) {
  const auto choice = choose(EngineChoice::buildkit);
  EXPECT_EQ(choice.engine->name(), "buildkit");
  EXPECT_EQ(choice.description, "buildkit, as asked for");
}

TEST_F(ChooseEngine, LeavesARefusalWithItsReasonToTheEngineThatIsWanted) {
  if (::geteuid() != 0) GTEST_SKIP() << "the native engine needs root";
  request_.sbom = document::Attributes();
  // It goes on in a child of the process that asks.
  EXPECT_EQ(test::in_child([&] { return choose(EngineChoice::native).engine->name() == "native" ? 0 : 1; }),
            0);
}

}  // namespace
