#!/usr/bin/env bats
# The native engine's pulls: what is fetched, what is kept, and how it lives with registries that fail.

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_build
  start_registry "$PWD/r"
  FORGOTTEN=0
}

teardown() {
  stop_registry
}

# push_busybox NAME [skopeo option...]: to the registry that runs.
push_busybox() {
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/$1" "${@:2}"
  forget_requests
}

# The requests that the registry has answered since forget_requests, one a line.
requests() {
  requests_to_registry r | tail -n "+$((FORGOTTEN + 1))"
}

forget_requests() {
  FORGOTTEN=$(requests_to_registry r | wc -l)
}

# build [FILTER...]: with the native engine, and the state directory `state`.
build() {
  make_request '.engine = "native"' "$@" >request
  run --separate-stderr oci-solve --state-dir state <request
}

# build_well [FILTER...]: the same; fails the test, with what was said, when the build fails.
build_well() {
  build "$@"
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

@test "a base is pulled and unpacked once per state directory" {
  push_busybox base:1
  printf 'FROM %s/base:1\nRUN echo first >/file\n' "$REGISTRY" | dockerfile
  build_well "$(to_output)"
  [ "$(requests | grep -c '^GET .*/blobs/')" -eq 2 ] # config and layer
  [[ "$stderr" == *"extracting sha256:"* ]]
  local digest
  digest=$(sed -n 's/^#[0-9]* extracting //p' <<<"$stderr")
  forget_requests
  rm -r out/*
  printf 'FROM %s/base:1\nRUN echo second >/file\n' "$REGISTRY" | dockerfile
  build_well "$(to_output)"
  run requests
  [[ "$output" == "HEAD /v2/base/manifests/1 "* ]]
  [ "${#lines[@]}" -eq 1 ]
  [[ "$stderr" != *extracting* ]]
  [ "$(image_file file)" = second ]
  # By digest there is nothing to ask for at all.
  local manifest
  manifest=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/base:1" | jq -r .Digest)
  printf 'FROM %s/base@%s\nRUN echo third >/file\n' "$REGISTRY" "$manifest" | dockerfile
  build_well "$(to_output)"
  forget_requests
  build_well "$(to_output)"
  [ -z "$(requests)" ]
  # A layer of which bytes were lost is fetched again, and so is the tree made of it.
  : >"state/blobs/sha256/${digest#sha256:}"
  rm state/trees/*/tree.json
  build_well "$(to_output)"
  [[ "$stderr" == *"dropped the damaged blob $digest"* ]]
  [ "$(image_file file)" = third ]
}

@test "of a base only what the build needs is pulled" {
  push_busybox base:1
  # Without an output and without a step nothing but the metadata is.
  printf 'FROM %s/base:1\nENV a=b\n' "$REGISTRY" | dockerfile
  build_well
  [ "$(requests | grep -c '^GET .*/blobs/')" -eq 1 ]
  # An image needs the layers, but nobody needs the files.
  build_well "$(to_output)"
  [ "$(requests | grep -c '^GET .*/blobs/')" -eq 2 ]
  [ -z "$(ls state/trees)" ]
  image_file ./bin/busybox >busybox
  cmp busybox "$(command -v busybox)"
  # A stage that no target needs is nobody's business.
  printf 'FROM %s/absent:1 AS unused\nRUN true\nFROM scratch\nCOPY Dockerfile /\n' "$REGISTRY" | dockerfile
  build_well
}

@test "a preloaded image never touches the network, and is unpacked once" {
  local preloaded
  preloaded=$(preload context "$REGISTRY/base:1" "$BATS_FILE_TMPDIR/busybox" "$(cat "$BATS_FILE_TMPDIR/busybox.digest")")
  printf 'FROM %s/base:1\nRUN echo first >/file\n' "$REGISTRY" | dockerfile
  build_well "$(to_output)" "$preloaded"
  [ -z "$(requests)" ]
  [ "$(image_file file)" = first ]
  local made
  made=$(stat -c %W state/trees/*/root)
  build_well "$(to_output)" "$preloaded"
  [ "$(stat -c %W state/trees/*/root)" = "$made" ]
}

@test "what a killed build left goes with the next start" {
  push_busybox base:1
  printf 'FROM %s/base:1\nRUN true\n' "$REGISTRY" | dockerfile
  build_well
  mkdir -p state/partial/new-abc/root/usr
  : >state/partial/new-def
  build_well
  [ -z "$(ls state/partial)" ]
}
