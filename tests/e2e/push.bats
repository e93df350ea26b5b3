#!/usr/bin/env bats
# oci-push to a real registry with TLS and passwords, and pulls of what it has pushed.

# bats file_tags=once

load ../support/load

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return
  make_busybox_layout layout one >manifest
  mkdir root
  echo one >root/file
  make_image several root amd64 linux/amd64 >/dev/null
  make_image several root riscv64 linux/riscv64 >/dev/null
  make_index several both amd64 riscv64 >index
  start_registry "$PWD/registry" --auth alice:wonder --tls
  echo "$REGISTRY_PID" >pid
  echo "$REGISTRY" >address
  mkdir trusted
  cp registry/ca.pem trusted/ca.crt
  docker_login logins "$REGISTRY" alice wonder
}

teardown_file() { stop_registry "$(cat "$BATS_FILE_TMPDIR/pid")"; }

setup() {
  cd "$BATS_FILE_TMPDIR" || return
  REGISTRY=$(cat address)
  export DOCKER_CONFIG=$PWD/logins
}

# push IMAGE NAME...: to the registry, with its authority and our login.
push() {
  local image=$1 name references=()
  shift
  for name in "$@"; do references+=("$REGISTRY/$name"); done
  run --separate-stderr oci-push --ca registry/ca.pem "$image" "${references[@]}"
}

# inspect NAME: the manifest or index that the registry has.
inspect() {
  skopeo inspect --raw --cert-dir trusted --creds alice:wonder "docker://$REGISTRY/$1"
}

@test "an image is pushed to several references, and skopeo pulls it" {
  push layout app:1 other/app:2
  [ "$status" -eq 0 ]
  [ "$output" = "$REGISTRY/app:1@$(cat manifest)
$REGISTRY/other/app:2@$(cat manifest)" ]
  [[ "$stderr" = *"pushed to '$REGISTRY/app:1', of its blobs 2 sent ("* ]]
  [[ "$stderr" = *"pushed to '$REGISTRY/other/app:2', of its blobs 2 mounted"* ]]
  skopeo copy --quiet --insecure-policy --src-cert-dir trusted --src-creds alice:wonder \
    "docker://$REGISTRY/other/app:2" oci:pulled:2
  [ "$(oci-digest --index pulled)" = "$(cat manifest)" ]
}

@test "an index of several platforms arrives as it is" {
  push several both:1
  [ "$status" -eq 0 ]
  [ "$output" = "$REGISTRY/both:1@$(cat index)" ]
  [ "sha256:$(inspect both:1 | sha256sum | cut -d ' ' -f 1)" = "$(cat index)" ]
}

@test "a tar of docker save without an OCI index gets a manifest, also through a pipe" {
  make_docker_save saved.tar layout one
  run --separate-stderr oci-push --ca registry/ca.pem - "$REGISTRY/saved" <saved.tar
  [ "$status" -eq 0 ]
  [ "$output" = "$REGISTRY/saved@sha256:$(inspect saved:latest | sha256sum | cut -d ' ' -f 1)" ]
  [ "$(inspect saved:latest | jq -r .config.digest)" = "$(oci-digest saved.tar)" ]
}

@test "the native engine pulls what was pushed, and what it builds can be pushed in turn" {
  push layout base:1
  mkdir -p context out
  printf 'FROM %s/base:1\nRUN echo made >/made\n' "$REGISTRY" >context/Dockerfile
  BUILDKIT_EXTRA_CONFIG=$(printf '[registry."%s"]\nhttp = false\nca = ["%s"]\n' "$REGISTRY" "$PWD/registry/ca.pem")
  export BUILDKIT_EXTRA_CONFIG
  mkdir -p image
  CONTEXT=context ENGINE=native build
  push image/image.tar built:1
  [ "$status" -eq 0 ]
  [ "$output" = "$REGISTRY/built:1@$(oci-digest --index image/image.tar)" ]
  skopeo copy --quiet --insecure-policy --src-cert-dir trusted --src-creds alice:wonder \
    "docker://$REGISTRY/built:1" oci:built:1
  oci-unpack built unpacked
  [ "$(cat unpacked/rootfs/made)" = made ]
}

@test "a login that is wrong and a certificate of nobody are named with what helps" {
  docker_login strangers "$REGISTRY" alice wrong
  DOCKER_CONFIG=$PWD/strangers push layout app:3
  [ "$status" -eq 1 ]
  [[ "$stderr" = *"cannot push to '$REGISTRY/app:3': $REGISTRY answered 401"*"; check the name, and the login in DOCKER_CONFIG" ]]
  run --separate-stderr oci-push --insecure layout "$REGISTRY/app:4"
  [ "$status" -eq 0 ]
  run --separate-stderr oci-push --ca "$(command -v bash)" layout "$REGISTRY/app:5"
  [ "$status" -eq 1 ]
  make_ca stranger
  run --separate-stderr oci-push --ca stranger/ca.pem layout "$REGISTRY/app:5"
  [ "$status" -eq 1 ]
  [[ "$stderr" = *"; give the certificate of its authority by --ca" ]]
}
