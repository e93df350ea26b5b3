#!/usr/bin/env bats
# The native engine makes BuildKit's images: every case of tests/differential, against the real BuildKit where it is
# installed, else against what it was recorded to make.
# bats file_tags=once

bats_require_minimum_version 1.5.0

setup_file() {
  [ "$(id -u)" -eq 0 ] || return 0 # every test says why it is skipped
  "$BATS_TEST_DIRNAME/../differential/bases" "$BATS_FILE_TMPDIR/bases"
}

setup() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  export TMPDIR=$BATS_TEST_TMPDIR
  export BUILDKIT_HOST=${SHARED_BUILDKIT_HOST:-}
}

# agree TOPIC: all cases of the topic do, or are known to differ.
agree() {
  run "$BATS_TEST_DIRNAME/../differential/run" --bases "$BATS_FILE_TMPDIR/bases" "$1"
  [ "$status" -eq 0 ] || { grep -v '^ok ' <<<"$output"; return 1; }
}

@test "the native engine reads Dockerfiles as BuildKit does" {
  agree language
}

@test "the native engine writes the config and history that BuildKit writes" {
  agree config
}

@test "the native engine copies what BuildKit copies" {
  agree copy
}

@test "the native engine adds what BuildKit adds" {
  agree add
}

@test "the native engine ignores the files that BuildKit ignores" {
  agree ignore
}

@test "the native engine runs steps as BuildKit does" {
  agree run
}

@test "the native engine packs layers as BuildKit does" {
  agree layers
}

@test "the native engine puts stages together as BuildKit does" {
  agree stages
}

@test "the native engine checks out of git what BuildKit does" {
  agree git
}

@test "the native engine mounts what BuildKit mounts" {
  agree mounts
}

@test "the native engine takes bases of other builders as BuildKit does" {
  agree bases
}

@test "the native engine reads odd contexts as BuildKit does" {
  agree contexts
}

@test "the native engine shows the layers of a base as BuildKit does" {
  agree layered
}

@test "the native engine takes users for whom BuildKit takes them" {
  agree users
}

@test "the native engine honours the build args that BuildKit honours" {
  agree arguments
}

@test "the native engine lays out images of one and of several platforms as BuildKit does" {
  agree outputs
}

@test "the native engine does in the corners of the language what BuildKit does" {
  agree corners
}

@test "the native engine makes of a second build what BuildKit does" {
  agree rebuild
}

@test "every topic is compared" {
  local cases
  for cases in "$BATS_TEST_DIRNAME"/../differential/cases/*.cases; do
    grep -qx "  agree $(basename "$cases" .cases)" "$BATS_TEST_FILENAME" || { echo "$cases is compared by no test"; return 1; }
  done
}

@test "the native engine does with odd registries what BuildKit does, or what is argued" {
  run "$BATS_TEST_DIRNAME/../differential/registries"
  [ "$status" -eq 0 ] || { grep -v '^ok \|^argued ' <<<"$output"; return 1; }
}
