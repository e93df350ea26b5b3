#!/usr/bin/env bats
# What README, the page of the documents and the help of build show is what the tools have.

load ../support/load

setup() {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

@test "README lists every parameter with the words of oci-params --list" {
  diff <(sed -n 's/^| `\([A-Z_*]*\)` | \(.*\) | \(new\)\{0,1\} *|$/\1\t\2/p' "$top/README.md") <(oci-params --list)
}

@test "the page of the documents shows the golden ones" {
  diff <(awk '/^```json$/ {inside = 1; next} /^```/ {inside = 0} inside' "$top/common/document/README.md") \
    <(cat "$top"/tests/golden/documents/{README.request,result,plan}.json)
}

@test "every link of the documents leads to a file, and to a heading of it" {
  cd "$top"
  for page in *.md common/document/*.md; do
    grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//' | while IFS='#' read -r file heading; do
      [[ $file == http* ]] || {
        [ -z "$file" ] || [ -e "$(dirname "$page")/$file" ] || { echo "$page: $file"; exit 1; }
        [ -z "$heading" ] || sed -n 's/^#* //p' "$(dirname "$page")/${file:-$(basename "$page")}" |
          tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-' | grep -qxF -- "$heading" || { echo "$page: #$heading"; exit 1; }
      }
    done || return 1
  done
}

@test "build --help names every parameter" {
  build --help >"$BATS_TEST_TMPDIR/help"
  while read -r parameter _; do
    grep -qF "  $parameter " "$BATS_TEST_TMPDIR/help" || { echo "$parameter"; return 1; }
  done < <(oci-params --list)
  [ -z "$(awk 'length > 80' "$BATS_TEST_TMPDIR/help")" ]
}
