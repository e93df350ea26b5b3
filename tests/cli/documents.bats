#!/usr/bin/env bats
# The JSON schemas of the documents, against the golden documents.
bats_require_minimum_version 1.5.0

setup() {
  top=$BATS_TEST_DIRNAME/../..
  documents=$top/tests/golden/documents
  # Debian's own Python: another one on PATH would not see Debian's packages.
  python=/usr/bin/python3
  "$python" -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed"
}

# conforms SCHEMA: the document on stdin keeps to common/document/SCHEMA.schema.json
conforms() {
  cat >"$BATS_TEST_TMPDIR/document.json"
  "$python" -W ignore -m jsonschema -i "$BATS_TEST_TMPDIR/document.json" "$top/common/document/$1.schema.json"
}

# changed DOCUMENT FILTER: a golden document after a jq filter
changed() {
  jq "$2" "$documents/$1.json"
}

@test "every golden document keeps to its schema" {
  for document in "$documents"/*.json; do
    schema=$(jq -r .schema "$document" | cut -d/ -f2)
    conforms "$schema" <"$document"
  done
}

# requires_fields SCHEMA DOCUMENT PATHS: none of the fields that this jq filter lists may be left out.
requires_fields() {
  local field
  while IFS= read -r field; do
    changed "$2" "del(.$field)" | run ! conforms "$1"
  done < <(jq -r "$3" "$documents/$2.json")
}

@test "the schema of the request requires every field, and allows no other" {
  requires_fields request request-fullest 'keys[]'
  changed request-fullest '.contxt = 1' | run ! conforms request
  changed request-fullest '.output.squash = true' | run ! conforms request
}

@test "the schema of the request refuses what the tools refuse" {
  changed request-smallest '.targets = []' | run ! conforms request
  changed request-smallest '.context = ""' | run ! conforms request
  changed request-smallest '.engine = "docker"' | run ! conforms request
  changed request-smallest '.platforms = ["linux/amd64"]' | run ! conforms request
  changed request-smallest '.secrets = [{id: "x", env: null, file: null}]' | run ! conforms request
  changed request-smallest '.ssh = [{id: "x", env: null, paths: [], raw: true}]' | run ! conforms request
  changed request-smallest '.output.compression_level = 3' | run ! conforms request
  changed request-fullest '.remote.key = null' | run ! conforms request
  changed request-fullest '.preloads[1].layout.digest = "sha256:12"' | run ! conforms request
}

@test "the schema of the plan requires every field, and allows no other" {
  requires_fields plan plan 'keys[], (.steps[0] | keys[] | "steps[1]." + .)'
  changed plan '.steps[0].outcome = "perhaps"' | run ! conforms plan
  changed plan '.steps[0].after = 0' | run ! conforms plan
}

@test "the schema of the result requires every field, and allows no other" {
  requires_fields result result 'keys[]'
  changed result '.digest = 1' | run ! conforms result
  changed result '.targets = []' | run ! conforms result
}
