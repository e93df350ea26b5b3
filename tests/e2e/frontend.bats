#!/usr/bin/env bats
# The frontend of the native engine beside the real BuildKit: many small files, each with the same outcome.

# bats file_tags=once

load ../support/load

setup() {
  require_buildkit
  export BUILDKIT_HOST=$SHARED_BUILDKIT_HOST
  DIFFERENTIAL=$BATS_TEST_DIRNAME/../differential
}

@test "frontend: errors, warnings, history and environment are BuildKit's" {
  "$DIFFERENTIAL/frontend/run"
}

@test "frontend: the files of a context are BuildKit's" {
  "$DIFFERENTIAL/context/run"
}
