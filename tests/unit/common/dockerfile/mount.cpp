// RUN --mount: options, defaults, and what does not fit together.
#include "common/dockerfile/mount.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/source.hpp"
#include "tests/support/error_of.hpp"

namespace {

using namespace dockerfile;
using test::error_of;

Mount parsed(const std::string& options) {
  return parse_mount(options, [](const std::string& value) { return value; });
}

Mount resolved(const std::string& options) {
  return resolve_mount(parsed(options), "/srv");
}

TEST(Mount, IsAReadOnlyBindUnlessItSaysSo) {
  const auto mount = resolved("target=/x");
  EXPECT_EQ(mount.type, MountType::bind);
  EXPECT_TRUE(mount.read_only);
  EXPECT_FALSE(resolved("target=/x,rw").read_only);
  EXPECT_FALSE(resolved("target=/x,readwrite=true").read_only);
  EXPECT_TRUE(resolved("target=/x,rw=false").read_only);
  EXPECT_FALSE(resolved("target=/x,ro=0").read_only);
}

TEST(Mount, KnowsAllNamesOfItsOptionsInAnyCase) {
  for (const char* options : {"source=a,target=/x", "src=a,dst=/x", "SOURCE=a,Destination=/x"}) {
    EXPECT_EQ(resolved(options).source, "a") << options;
    EXPECT_EQ(resolved(options).target, "/x") << options;
  }
}

TEST(Mount, OfTypeCacheIsWritableAndNamedAfterItsTarget) {
  const auto mount = resolved("type=CACHE,target=/x//y/,sharing=Locked,mode=0700,uid=1,gid=2");
  EXPECT_EQ(mount.type, MountType::cache);
  EXPECT_FALSE(mount.read_only);
  EXPECT_EQ(mount.id, "/x/y");
  EXPECT_EQ(mount.sharing, Sharing::locked);
  EXPECT_EQ(mount.mode, 0700U);
  EXPECT_EQ(mount.uid, 1U);
  EXPECT_EQ(mount.gid, 2U);
  EXPECT_EQ(resolved("type=cache,target=/x,id=i").id, "i");
  EXPECT_TRUE(resolved("type=cache,target=/x,ro").read_only);
}

TEST(Mount, OfTypeTmpfsMayHaveASize) {
  EXPECT_EQ(resolved("type=tmpfs,target=/x,size=10").size_limit, 10);
  EXPECT_EQ(resolved("type=tmpfs,target=/x,size=1.5MiB").size_limit, 1572864);
  EXPECT_EQ(resolved("type=tmpfs,target=/x,size=2 kb").size_limit, 2048);
  EXPECT_EQ(resolved("type=tmpfs,target=/x,size=3G").size_limit, 3221225472);
  EXPECT_EQ(resolved("type=tmpfs,target=/x,size=7b").size_limit, 7);
}

TEST(Mount, OfTypeSecretHasAnIdAndAPlaceForIt) {
  const auto mount = resolved("type=secret,id=a/b,required");
  EXPECT_EQ(mount.id, "a/b");
  EXPECT_EQ(mount.target, "/run/secrets/b");
  EXPECT_TRUE(mount.required);
  EXPECT_EQ(resolved("type=secret,source=s").id, "s");
  EXPECT_EQ(resolved("type=secret,target=/x/y").id, "y");
  EXPECT_EQ(resolved("type=secret,target=/x/y,required=false").required, false);
}

TEST(Mount, OfTypeSecretMayBeAVariableAlone) {
  const auto mount = resolved("type=secret,id=a,env=A");
  EXPECT_EQ(mount.env, "A");
  EXPECT_EQ(mount.target, "");
  EXPECT_EQ(resolved("type=secret,id=a,env=A,target=/x").target, "/x");
}

TEST(Mount, OfTypeSshHasAnId) {
  EXPECT_EQ(resolved("type=ssh").id, "default");
  EXPECT_EQ(resolved("type=ssh,id=i,mode=0666,target=/s").target, "/s");
}

TEST(Mount, IsBelowTheWorkingDirectoryUnlessAbsolute) {
  EXPECT_EQ(resolved("target=x/../y").target, "/srv/y");
  EXPECT_EQ(resolve_mount(parsed("target=x"), "").target, "/x");
  EXPECT_EQ(resolved("source=a").target, "/srv");
}

TEST(Mount, ExpandsValuesOfAllOptions) {
  const auto mount = parse_mount("type=$T,target=$T", [](const std::string& value) {
    return value == "$T" ? std::string("cache") : value;
  });
  EXPECT_EQ(mount.type, MountType::cache);
  EXPECT_EQ(mount.target, "cache");
}

TEST(Mount, MayHaveCommasInQuotedFields) {
  EXPECT_EQ(resolved("\"target=/a,b\"").target, "/a,b");
}

TEST(MountFlag, KnowsItsSourceBeforeAnythingIsExpanded) {
  const auto flag = parse_mount_flag("type=$T,from=stage,dst=/x");
  EXPECT_EQ(flag.from, "stage");
  EXPECT_EQ(flag.target, "/x");
  EXPECT_EQ(error_of([] { parse_mount_flag("from=$x"); }),
            "'from' doesn't support variable expansion, define alias stage instead");
  EXPECT_EQ(error_of([] { parse_mount_flag("from=x$"); }), "no error");
  EXPECT_EQ(error_of([] { parse_mount_flag(""); }), "failed to parse csv mounts: EOF");
}

struct MountFault {
  const char* options;
  const char* message;
};
class MountFaults : public testing::TestWithParam<MountFault> {};
TEST_P(MountFaults, IsNamed) {
  EXPECT_EQ(error_of([] { resolved(GetParam().options); }), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Options, MountFaults,
    testing::Values(MountFault{"type=cach", "unsupported mount type \"cach\" (did you mean cache?)"},
                    MountFault{"targt=/x", "unexpected key 'targt' in 'targt=/x' (did you mean target?)"},
                    MountFault{"foo", "invalid field 'foo' must be a key=value pair"},
                    MountFault{"target=/", "invalid mount target \"/\""},
                    MountFault{"target=/x,ro=maybe", "invalid value for ro: maybe"},
                    MountFault{"target=/x,required", "unexpected key 'required' for mount type 'bind'"},
                    MountFault{"type=cache,target=/x,size=1", "unexpected key 'size' for mount type 'cache'"},
                    MountFault{"type=tmpfs,target=/x,size=big", "invalid value for size: big"},
                    MountFault{"type=tmpfs,target=/x,size=1xb", "invalid value for size: 1xb"},
                    MountFault{"type=tmpfs,target=/x,size=-1", "invalid value for size: -1"},
                    MountFault{"type=cache,target=/x,sharing=lokked",
                               "unsupported sharing value \"lokked\" (did you mean locked?)"},
                    MountFault{"type=tmpfs,target=/x,sharing=locked",
                               "invalid cache sharing set for tmpfs mount"},
                    MountFault{"type=cache,target=/x,mode=9", "invalid value 9 for mode"},
                    MountFault{"type=cache,target=/x,uid=-1", "invalid value -1 for uid"},
                    MountFault{"type=cache,target=/x,gid=4294967296", "invalid value 4294967296 for gid"},
                    MountFault{"target=/x,mode=0700", "mode not allowed for \"bind\" type mounts"},
                    MountFault{"type=tmpfs,target=/x,uid=1", "uid not allowed for \"tmpfs\" type mounts"},
                    MountFault{"target=/x,gid=1", "gid not allowed for \"bind\" type mounts"},
                    MountFault{"type=secret", "invalid secret mount. one of source, target required"},
                    MountFault{"type=secret,id=a,source=b", "both source and id can't be set"},
                    MountFault{"type=secret,id=a,from=b", "secret mount should not have a from"},
                    MountFault{"type=secret,id=a,sharing=shared", "secret mount should not define sharing"},
                    MountFault{"type=ssh,source=/x", "ssh does not support source"}));

}  // namespace
