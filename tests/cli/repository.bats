#!/usr/bin/env bats
# What holds for the whole tree: its layout, its style, and what every tool says of itself.

load ../support/load

setup() {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  cd "$top" || return
}

# The tools, by the names of their man pages.
tools() {
  local page
  for page in "$top"/tools/*/*.1; do
    page=${page##*/}
    echo "${page%.1}"
  done
}

# sources PATTERN...: the project's own files, tracked or about to be.
sources() {
  git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
    [ ! -f "$file" ] || echo "$file"
  done
}

@test "no include climbs the ladder or takes a third-party header out of its folder" {
  run scripts/layers
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}

@test "an include that climbs the ladder is named with its place" {
  local tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/scripts" "$tree/common/tar" "$tree/common/image" "$tree/tools/oci-digest"
  cp scripts/layers "$tree/scripts"
  echo 'set(LADDER util tar image)' >"$tree/common/CMakeLists.txt"
  printf '#include <string>\n\n#include "common/image/archive.hpp"\n' >"$tree/common/tar/reader.cpp"
  echo '#include "common/tar/reader.hpp"' >"$tree/common/image/archive.cpp"
  echo '#include <openssl/evp.h>' >"$tree/common/image/manifest.cpp"
  echo '#include "tools/oci-unpack/unpack.hpp"' >"$tree/tools/oci-digest/main.cpp"
  git -C "$tree" init -q
  run "$tree/scripts/layers"
  [ "$status" -eq 1 ]
  [ "${lines[0]}" = 'common/image/manifest.cpp:1: <openssl/evp.h> is not for this file' ]
  [ "${lines[1]}" = 'common/tar/reader.cpp:3: common/tar must not climb to common/image' ]
  [ "${lines[2]}" = 'tools/oci-digest/main.cpp:1: tools/oci-digest must not use tools/oci-unpack' ]
  [ "${#lines[@]}" -eq 3 ]
}

@test "a rung links to what it includes and to nothing else" {
  local tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/scripts" "$tree/common/stream/beside" "$tree/common/tar"
  cp scripts/layers "$tree/scripts"
  cat >"$tree/common/CMakeLists.txt" <<'END'
set(LADDER util hash stream tar)
add_rung(stream util
         PkgConfig::ZLIB BZip2::BZip2)
add_rung(tar util stream)
END
  printf '#include <bzlib.h>\n#include <zstd.h>\n#include "common/util/text.hpp"\n' >"$tree/common/stream/bzip2.cpp"
  echo '#include "common/hash/digest.hpp"' >"$tree/common/stream/beside/other.cpp"
  printf '#include "common/hash/digest.hpp"\n#include "common/stream/source.hpp"\n' >"$tree/common/tar/reader.cpp"
  git -C "$tree" init -q
  run "$tree/scripts/layers"
  [ "$status" -eq 1 ]
  [ "${lines[0]}" = 'common/CMakeLists.txt: common/stream includes what it does not link to: PkgConfig::ZSTD' ]
  [ "${lines[1]}" = 'common/CMakeLists.txt: common/stream links to what it does not include: PkgConfig::ZLIB' ]
  [ "${lines[2]}" = 'common/CMakeLists.txt: common/tar includes what it does not link to: hash' ]
  [ "${lines[3]}" = 'common/CMakeLists.txt: common/tar links to what it does not include: util' ]
  [ "${#lines[@]}" -eq 4 ]
}

@test "the table of system calls is what the profile of BuildKit's steps gives" {
  command -v go >/dev/null || skip 'there is no Go'
  run -0 scripts/seccomp-calls --check
}

@test "the tables of characters are what the Unicode character database gives" {
  [ -e /usr/share/unicode/UnicodeData.txt ] || skip 'unicode-data is not installed'
  run -0 scripts/unicode-tables --check
}

@test "what std::filesystem does is used in no other place than its wrappers" {
  local tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/scripts" "$tree/common/tar" "$tree/tools/build" "$tree/tests"
  cp scripts/layers "$tree/scripts"
  echo 'set(LADDER util tar)' >"$tree/common/CMakeLists.txt"
  cat >"$tree/common/tar/fine.cpp" <<'END'
namespace fs = std::filesystem;
fs::path a = std::filesystem::path("b").lexically_normal();
END
  cp "$tree/common/tar/fine.cpp" "$tree/tests/free.cpp"
  echo 'bool there = std::filesystem::exists("b");' >>"$tree/tests/free.cpp"
  cat >"$tree/common/tar/reader.cpp" <<'END'
namespace files = std::filesystem;
using namespace std::filesystem;
bool there = fs::exists(a, error);
for (const auto& entry : std::filesystem::directory_iterator(a))
END
  echo 'catch (const fs::filesystem_error& error)' >"$tree/tools/build/main.cpp"
  git -C "$tree" init -q
  run --separate-stderr "$tree/scripts/layers"
  [ "$status" -eq 1 ]
  [ "$(cut -d: -f1,2 <<<"$output")" = 'common/tar/reader.cpp:1
common/tar/reader.cpp:2
common/tar/reader.cpp:3
common/tar/reader.cpp:4
tools/build/main.cpp:1' ]
  [ "$stderr" = 'layers: of std::filesystem only path is used; the rest is in common/sys/paths.hpp' ]
}

# Also by a name that is found through its argument, as in exists(path). CLI11 calls the one that does not throw.
@test "no tool calls a function of std::filesystem that throws" {
  local tool called
  for tool in $(tools); do
    called=$(nm -DC --undefined-only "$(command -v "$tool")" | grep 'std::filesystem::')
    echo "$tool: $called"
    [[ "$called" = *'std::filesystem::__cxx11::path::'* ]]
    run grep -vE '::(__cxx11::path::|status[(].*, std::error_code&[)])' <<<"$called"
    [ "$output" = '' ]
  done
}

@test "every C++ file is formatted" {
  run scripts/format --check
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}

@test "every script is clean under shellcheck" {
  run -0 shellcheck -x $(awk 'FNR == 1 && /^#!.*[ /](bash|sh)$/ {print FILENAME}' $(sources 'scripts/*' '.ci/*' 'tests/*'))
}

@test "no line of a test looks like a check but cannot fail" {
  run tests/support/weak-checks $(sources '*.bats')
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}

@test "a line that looks like a check but cannot fail is named" {
  # bats would take a line with @test for a test, here too.
  sed 's/^TEST/@test/' >"$BATS_TEST_TMPDIR/weak.bats" <<'END'
TEST "weak" {
  ! grep -q word file
  [ -e one ] && [ -e two ]
  cat >file <<EOF
  ! no command
EOF
  run ! grep -q other file
  run looked-at
  [ "$status" -eq 0 ]
  PATH=/bin run not looked at
  run --separate-stderr nor this
}
predicate() {
  ! grep -q word file
}
END
  run tests/support/weak-checks "$BATS_TEST_TMPDIR/weak.bats"
  [ "$status" -eq 1 ]
  [ "$(sed 's/^[^:]*://' <<<"$output")" = "2:   ! grep -q word file
3:   [ -e one ] && [ -e two ]
10:   PATH=/bin run not looked at
11:   run --separate-stderr nor this" ]
}

@test "no source file is longer than 400 lines" {
  run awk 'FNR == 401 {print FILENAME}' $(sources '*.cpp' '*.hpp' '*.bats' '*.bash' 'scripts/*' ':!*/go.*' ':!*/THIRD-PARTY')
  [ "$output" = '' ]
}

@test "every tool's help goes to stdout, fits 80 columns and exits 0" {
  [ "$(tools | wc -l)" -eq 8 ]
  local tool
  for tool in $(tools); do
    run --separate-stderr "$tool" --help
    echo "$tool: $output"
    [ "$status" -eq 0 ]
    [ "$stderr" = '' ]
    [[ "$output" = *"$tool"* ]]
    [ "$(awk 'length > 80' <<<"$output")" = '' ]
  done
}

@test "every script's help fits 80 columns and exits 0; what it does not know it refuses with 2" {
  local script
  for script in scripts/* tests/bench/run; do
    [ -f "$script" ] || continue
    run --separate-stderr "$script" --help
    echo "$script: $output"
    [ "$status" -eq 0 ]
    [[ "$output" = "Usage: $script"* ]]
    [ "$(awk 'length > 80' <<<"$output")" = '' ]
    run --separate-stderr "$script" --no-such-option
    [ "$status" -eq 2 ]
    [ "$output" = '' ]
    [ "$stderr" != '' ]
  done
}

@test "every tool prints the project's version, its engines and its libraries" {
  local tool version buildkit
  version=$(sed -n 's/^project(oci-build VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  buildkit=$(awk '$1 == "github.com/moby/buildkit" {print substr($2, 2)}' scripts/buildkit/go.mod)
  for tool in $(tools); do
    run --separate-stderr "$tool" --version
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "$tool $version" ]
    [[ "${lines[1]}" = "engines: native; BuildKit $buildkit,"* ]]
    [[ "${lines[2]}" = 'linked: '* ]]
    [[ "${lines[3]}" =~ ^'libraries: '.*'libcurl '[0-9.]+.*'OpenSSL '[0-9.]+ ]]
    [ "${#lines[@]}" -eq 4 ]
  done
}

@test "every tool refuses an option that it does not have, with exit code 2" {
  local tool
  for tool in $(tools); do
    run --separate-stderr "$tool" --no-such-option
    echo "$tool: $stderr"
    [ "$status" -eq 2 ]
    [ "$output" = '' ]
    [[ "$stderr" = "$tool: "* ]]
  done
}

@test "every man page renders without a warning and names its tool" {
  local page
  for page in tools/*/*.1; do
    run groff -man -ww -Tutf8 -z "$page"
    echo "$page: $output"
    [ "$output" = '' ]
    [ "$status" -eq 0 ]
    tool=$(basename "$page" .1)
    run man --local-file "$page"
    [[ "$output" = *"$tool"* ]]
  done
}

@test "every long option in a tool's help stands in its man page" {
  local tool option
  for tool in $(tools); do
    # Below "Parameters" stand words of other programs.
    for option in $("$tool" --help | sed '/^Parameters/,$d' | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
      echo "$tool $option"
      sed 's/\\-/-/g' "$top"/tools/*/"$tool.1" | grep -q -e "$option"
    done
  done
}
