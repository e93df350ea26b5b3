#!/usr/bin/env bats
# What README shows is what happens: its shell blocks run here as they stand, one after the other, in an empty directory.
# The first, which installs the tools, is left out.

# bats file_tags=once

load ../support/load

setup() {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
}

@test "the shell blocks of README succeed in order" {
  awk '/^```sh/ {inside = ++count > 1; next} /^```/ {inside = 0} inside' "$top/README.md" >"$BATS_TEST_TMPDIR/session"
  grep -q 'oci-unpack' "$BATS_TEST_TMPDIR/session"
  mkdir "$BATS_TEST_TMPDIR/empty"
  cd "$BATS_TEST_TMPDIR/empty"
  bash -euo pipefail -x "$BATS_TEST_TMPDIR/session"
}
