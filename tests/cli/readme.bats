#!/usr/bin/env bats
# README's table of parameters is oci-params' own.

load ../support/load

@test "README lists every parameter with the words of oci-params --list" {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  diff <(sed -n 's/^| `\([A-Z_*]*\)` | \(.*\) | \(new\)\{0,1\} *|$/\1\t\2/p' "$top/README.md") <(oci-params --list)
}

@test "README shows the golden request" {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  diff <(awk '/^```json$/ {inside = 1; next} /^```/ {inside = 0} inside' "$top/README.md") \
    "$top/tests/golden/documents/README.request.json"
}
