#!/usr/bin/env bats
# The same code under sanitizers and fuzzers.

# bats file_tags=once

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return
}

@test "the unit tests are clean under AddressSanitizer and UndefinedBehaviorSanitizer" {
  cmake --preset sanitize
  cmake --build --preset sanitize --target unit-tests
  ctest --test-dir build-sanitize --output-on-failure -j "$(nproc)"
}

@test "the fuzzers find nothing in their seeds, nor in some seconds more" {
  run scripts/fuzz 5
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" = *': clean'* ]]
}
