#!/usr/bin/env bats
# oci-merge: one index of several images, as skopeo and the other tools read it.

load ../support/load

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return
  mkdir root
  echo one >root/file
  make_image amd64 root 1 linux/amd64 >amd64.digest
  make_image riscv64 root 1 linux/riscv64 >riscv64.digest
  skopeo --insecure-policy copy --quiet oci:riscv64:1 oci-archive:riscv64.tar:1
  make_docker_save saved.tar amd64 1
}

setup() {
  cp -r "$BATS_FILE_TMPDIR/." "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR" || return
}

@test "oci-merge: makes a layout of a layout and an archive, and prints its digest" {
  run --separate-stderr oci-merge amd64 riscv64.tar both
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$output" = "$(oci-digest --index both)" ]
  [ "$(skopeo inspect --raw oci:both:latest | jq -r '.manifests[].digest')" = "$(cat amd64.digest riscv64.digest)" ]
  [ "$(skopeo inspect --raw oci:both:latest | jq -r '.manifests[].platform.architecture' | xargs)" = 'amd64 riscv64' ]
  skopeo --insecure-policy copy --quiet --all --preserve-digests oci:both:latest oci:copy:latest
  # The layer of both is there once: two configs, two manifests, the index.
  [ "$(find both/blobs/sha256 -type f | wc -l)" -eq 6 ]
  [ "$(find both -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)" = 'blobs index.json oci-layout' ]
}

@test "oci-merge: makes the same image as an archive" {
  oci-merge amd64 riscv64 both >digest
  run --separate-stderr oci-merge amd64 riscv64.tar both.tar
  [ "$status" -eq 0 ]
  [ "$output" = "$(cat digest)" ]
  skopeo --insecure-policy copy --quiet --all --preserve-digests oci-archive:both.tar oci:copy:latest
  [ "$(oci-digest --index copy)" = "$(cat digest)" ]
  [ "$(find . -maxdepth 1 -name '.oci-merge-*')" = '' ]
}

@test "oci-merge: makes a manifest for a tar of docker save that has none" {
  oci-merge saved.tar riscv64 both
  oci-unpack --platform linux/amd64 both unpacked
  [ "$(cat unpacked/rootfs/file)" = one ]
}

@test "oci-merge: two images for one platform are an error that names both" {
  run --separate-stderr oci-merge amd64 saved.tar both
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-merge: 'amd64' and 'saved.tar' both hold an image for linux/amd64; give one for each platform" ]
  [ ! -e both ]
}

@test "oci-merge: a damaged layer leaves nothing, neither a directory nor an archive" {
  layer=amd64/blobs/sha256/$(jq -r '.layers[0].digest' "amd64/blobs/sha256/$(sed s/sha256:// amd64.digest)" | sed s/sha256://)
  printf x | dd of="$layer" conv=notrunc bs=1 seek=20 status=none
  run --separate-stderr oci-merge amd64 riscv64 both
  [ "$status" -eq 1 ]
  [[ "$stderr" = "oci-merge: 'amd64': blob sha256:"* ]]
  [ ! -e both ]
  run --separate-stderr oci-merge amd64 riscv64 both.tar
  [ "$status" -eq 1 ]
  [ ! -e both.tar ]
  [ "$(find . -maxdepth 1 -name '.oci-merge-*')" = '' ]
}

@test "oci-merge: fills a directory that is empty and refuses one that is not" {
  mkdir empty
  oci-merge amd64 riscv64 empty
  run --separate-stderr oci-merge amd64 riscv64 empty
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-merge: 'empty' is not empty: remove it, or choose a directory that is not there yet" ]
}

@test "oci-merge: needs an image and an output" {
  run --separate-stderr oci-merge amd64
  [ "$status" -eq 2 ]
  [ "$stderr" = "oci-merge: OUTPUT is required; see 'oci-merge --help'" ]
}
