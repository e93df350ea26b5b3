#!/usr/bin/env bats
# The same code under sanitizers and fuzzers, and what release builds do against errors that these did not find.

# bats file_tags=once

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return
}

@test "the unit tests are clean under AddressSanitizer and UndefinedBehaviorSanitizer" {
  cmake --preset sanitize
  cmake --build --preset sanitize --target unit-tests
  ctest --test-dir build-sanitize --output-on-failure -j "$(nproc)"
}

@test "the unit tests and native builds are free of data races" {
  scripts/tsan
}

@test "the fuzzers find nothing in their seeds, nor in some seconds more" {
  run scripts/fuzz 2
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" = *': clean'* ]]
}

# compile_as_release SOURCE OBJECT: with the options that the files of common/util get in release builds.
compile_as_release() {
  local command
  cmake --preset release -B "$BATS_TEST_TMPDIR/release" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
  command=$(jq -r 'first(.[] | select(.file | contains("/util"))).command' "$BATS_TEST_TMPDIR/release/compile_commands.json")
  (cd "$BATS_TEST_TMPDIR/release" && bash -c "${command%% -o *} -o $2 -c $1")
}

@test "release builds check bounds, the stack and where calls and returns lead" {
  local probe=$BATS_TEST_TMPDIR/probe
  cat >"$probe.cpp" <<'END'
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

char letter(const std::string& text, std::size_t at) {
  return text[at];
}
// Only at level 3 is the size of what malloc gives known here.
char* copied(const char* text, std::size_t room, std::size_t size) {
  auto* copy = static_cast<char*>(std::malloc(room));
  return static_cast<char*>(std::memcpy(copy, text, size));
}
ssize_t large(int fd) {
  char buffer[1 << 20];
  return ::read(fd, buffer, sizeof buffer) + buffer[0];
}
END
  compile_as_release "$probe.cpp" "$probe.o"
  nm -uC "$probe.o" >"$probe.symbols"
  grep -q 'std::__glibcxx_assert_fail' "$probe.symbols"
  grep -q '__memcpy_chk' "$probe.symbols"
  grep -q '__stack_chk_fail' "$probe.symbols"
  objdump -dC --no-show-raw-insn "$probe.o" >"$probe.code"
  case $(uname -m) in
    x86_64)
      readelf -nW "$probe.o" | grep -q 'IBT, SHSTK'
      grep -qE 'or[a-z]* +\$0x0,' "$probe.code" # each page of the large frame is touched in turn
      ;;
    aarch64) grep -qE 'paciasp|bti' "$probe.code" ;;
  esac
}
