#!/usr/bin/env bats
# oci-digest: the digests of images of every form, compared with what skopeo says of them.

load ../support/load

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return
  make_busybox_layout layout one >manifest
  skopeo --insecure-policy copy --quiet oci:layout:one oci-archive:oci.tar:one
  skopeo --insecure-policy copy --quiet oci:layout:one docker-archive:docker.tar:test/one:1
  mkdir root
  echo one >root/file
  make_image several root amd64 linux/amd64 >amd64.digest
  make_image several root riscv64 linux/riscv64 >riscv64.digest
  make_index several both amd64 riscv64 >index
}

setup() { cd "$BATS_FILE_TMPDIR" || return; }

# The digest of the config, as skopeo reads it.
config_of() { skopeo inspect --raw "$1" | jq -r .config.digest; }

# The digest of the manifest or index itself.
raw_digest() { skopeo inspect --raw "$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'; }

@test "oci-digest: prints the config digest of a layout" {
  run --separate-stderr oci-digest layout
  [ "$status" -eq 0 ]
  [ "$output" = "$(config_of oci:layout:one)" ]
  [ -z "$stderr" ]
}

@test "oci-digest: prints the config digest of an OCI archive" {
  run --separate-stderr oci-digest oci.tar
  [ "$output" = "$(config_of oci-archive:oci.tar)" ]
}

@test "oci-digest: prints the config digest of a docker-save tar" {
  run --separate-stderr oci-digest docker.tar
  [ "$output" = "$(config_of docker-archive:docker.tar)" ]
}

@test "oci-digest: prints the config digest of what umoci made" {
  umoci init --layout umoci
  umoci new --image umoci:made
  umoci insert --image umoci:made "$(command -v busybox)" /bin/busybox >/dev/null 2>&1
  run --separate-stderr oci-digest umoci
  [ "$output" = "$(config_of oci:umoci:made)" ]
}

@test "oci-digest: --manifest prints what skopeo takes for the digest" {
  run --separate-stderr oci-digest --manifest layout
  [ "$output" = "$(raw_digest oci:layout:one)" ]
  [ "$output" = "$(cat manifest)" ]
  run --separate-stderr oci-digest --manifest oci.tar
  [ "$output" = "$(raw_digest oci-archive:oci.tar)" ]
}

@test "oci-digest: --index prints the manifest's digest where there is one image" {
  run --separate-stderr oci-digest --index layout
  [ "$output" = "$(cat manifest)" ]
}

@test "oci-digest: --index prints the index's digest where there are several platforms" {
  run --separate-stderr oci-digest --index several
  [ "$output" = "$(raw_digest oci:several:both)" ]
  [ "$output" = "$(cat index)" ]
}

@test "oci-digest: --platform chooses among several" {
  run --separate-stderr oci-digest --manifest --platform linux/riscv64 several
  [ "$output" = "$(cat riscv64.digest)" ]
  run --separate-stderr oci-digest --manifest --platform x86_64 several
  [ "$output" = "$(cat amd64.digest)" ]
  run --separate-stderr oci-digest --platform linux/riscv64 several
  [ "$output" = "$(jq -r .config.digest "several/blobs/sha256/$(sed s/sha256:// riscv64.digest)")" ]
}

@test "oci-digest: a platform that is not there exits 1 and names those that are" {
  run --separate-stderr oci-digest --platform linux/s390x several
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-digest: 'several' holds no image for linux/s390x, only for linux/amd64, linux/riscv64" ]
}

@test "oci-digest: --manifest of an older docker-save tar exits 1 and says why" {
  make_docker_save old.tar layout one
  run --separate-stderr oci-digest --manifest old.tar
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ $stderr == "oci-digest: 'old.tar' holds no manifest, as tars of older 'docker save' do,"* ]]
}

@test "oci-digest: reads older docker-save tars, also where layers are links" {
  make_docker_save old.tar layout one
  make_linked_docker_save linked.tar layout one
  run --separate-stderr oci-digest old.tar
  [ "$output" = "$(config_of oci:layout:one)" ]
  run --separate-stderr oci-digest linked.tar
  [ "$output" = "$(config_of oci:layout:one)" ]
}

@test "oci-digest: reads docker-save tars that are OCI layouts too" {
  cp -r layout both
  jq -c '[{Config: ("blobs/sha256/" + (.config.digest | sub("sha256:"; ""))), RepoTags: ["test:one"],
    Layers: [.layers[].digest | "blobs/sha256/" + sub("sha256:"; "")]}]' \
    "layout/blobs/sha256/$(sed s/sha256:// manifest)" >both/manifest.json
  tar -C both -cf both.tar blobs index.json manifest.json oci-layout
  run --separate-stderr oci-digest --manifest both.tar
  [ "$output" = "$(cat manifest)" ]
  run --separate-stderr oci-digest both.tar
  [ "$output" = "$(config_of docker-archive:both.tar)" ]
}

@test "oci-digest: - reads a tar on stdin, from a pipe and from a file" {
  run --separate-stderr bash -c 'cat oci.tar | oci-digest --manifest -'
  [ "$output" = "$(cat manifest)" ]
  run --separate-stderr bash -c 'oci-digest --manifest - <oci.tar'
  [ "$output" = "$(cat manifest)" ]
}

@test "oci-digest: reads tars that are compressed as a whole" {
  gzip -c oci.tar >compressed.one
  zstd -qc oci.tar >compressed.two
  run --separate-stderr oci-digest --manifest compressed.one
  [ "$output" = "$(cat manifest)" ]
  run --separate-stderr oci-digest --manifest compressed.two
  [ "$output" = "$(cat manifest)" ]
}

@test "oci-digest: leaves no temporary file behind" {
  mkdir scratch
  run --separate-stderr env TMPDIR="$PWD/scratch" bash -c 'gzip -c oci.tar | oci-digest -'
  [ "$status" -eq 0 ]
  [ -z "$(ls -A scratch)" ]
}

@test "oci-digest: --json prints all digests" {
  run --separate-stderr oci-digest --json several
  [ "$(jq -r .schema <<<"$output")" = oci-build/digest/1 ]
  [ "$(jq -r .index <<<"$output")" = "$(cat index)" ]
  [ "$(jq -c '[.platforms[] | [.os, .architecture, .variant]]' <<<"$output")" = '[["linux","amd64",null],["linux","riscv64",null]]' ]
  [ "$(jq -r '.platforms[1].manifest' <<<"$output")" = "$(cat riscv64.digest)" ]
}

@test "oci-digest: --json says null where there is no manifest" {
  run --separate-stderr oci-digest --json docker.tar
  [ "$(jq -c '[.manifest, .index]' <<<"$output")" = '[null,null]' ]
  [ "$(jq -r .config <<<"$output")" = "$(config_of docker-archive:docker.tar)" ]
}

@test "oci-digest: a missing image exits 1, names it on stderr and prints nothing" {
  run --separate-stderr oci-digest absent.tar
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-digest: cannot open 'absent.tar': No such file or directory" ]
}

@test "oci-digest: what is no image exits 1 and says what was expected" {
  echo 'some text' >text
  run --separate-stderr oci-digest text
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-digest: 'text' is no image: it is not a tar archive; expected a tar of 'docker save', an OCI archive or an OCI layout directory" ]
}

@test "oci-digest: a damaged manifest exits 1" {
  cp -r layout damaged
  chmod u+w "damaged/blobs/sha256/$(sed s/sha256:// manifest)"
  sed -i 's/layers/lawyer/' "damaged/blobs/sha256/$(sed s/sha256:// manifest)"
  run --separate-stderr oci-digest damaged
  [ "$status" -eq 1 ]
  [[ $stderr == "oci-digest: 'damaged': blob $(cat manifest) is damaged: its digest is sha256:"* ]]
}

@test "oci-digest: wrong usage exits 2" {
  run --separate-stderr oci-digest
  [ "$status" -eq 2 ]
  run --separate-stderr oci-digest --json --index layout
  [ "$status" -eq 2 ]
  [ -z "$output" ]
}

@test "oci-digest: --help fits 80 columns and goes to stdout" {
  run --separate-stderr oci-digest --help
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  run ! grep -E '^.{81}' <<<"$output"
}

@test "oci-digest: reads little of a large tar" {
  mkdir large
  truncate -s 50M large/file
  make_image large-layout large one >/dev/null
  make_docker_save large.tar large-layout one
  strace -f -e trace=read,pread64,readv,mmap -o calls oci-digest large.tar
  # What follows the tar's own openat; libraries are read before it.
  run awk '/pread64\(/ && $NF > 0 {bytes += $NF} END {print bytes + 0}' calls
  [ "$output" -gt 0 ]
  [ "$output" -lt 65536 ]
}

@test "oci-digest: LAYOUT:TAG is one image of several, and a tag that is not there names those that are" {
  cp -r layout two
  echo two >root/file
  make_image two root second linux/amd64 >/dev/null
  run --separate-stderr oci-digest two:second
  [ "$output" = "$(config_of oci:two:second)" ]
  run --separate-stderr oci-digest --index two:one
  [ "$output" = "$(raw_digest oci:two:one)" ]
  run --separate-stderr oci-digest two
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"; name one as LAYOUT:TAG, with a tag of 'one', 'second'" ]]
  run --separate-stderr oci-digest two:third
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-digest: 'two' holds no image with the tag 'third', only 'one', 'second'" ]
  run --separate-stderr oci-digest absent:third
  [ "$stderr" = "oci-digest: cannot open 'absent:third': No such file or directory" ]
}

@test "oci-digest: a name with a colon of its own comes first" {
  cp -r layout with:one
  run --separate-stderr oci-digest with:one
  [ "$output" = "$(config_of oci:layout:one)" ]
}

@test "IMAGE_ARG and BUILD_CONTEXTS take LAYOUT:TAG, also two of one layout" {
  cp -r layout three
  echo three >root/file
  make_image three root second linux/amd64 >/dev/null
  mkdir work
  touch Dockerfile
  env IMAGE_ARG_a=three:second BUILD_CONTEXTS=b=three:one oci-params | oci-preload --work-dir work >request
  [ "$(jq -r '.preloads[0].layout.digest' request)" = "$(raw_digest oci:three:second)" ]
  [ "$(jq -r '.preloads[1].layout.digest' request)" = "$(raw_digest oci:three:one)" ]
  run --separate-stderr env IMAGE_ARG_a=three:third bash -c 'oci-params | oci-preload --work-dir .'
  [[ "$stderr" == "oci-preload: IMAGE_ARG_a: 'three' holds no image with the tag 'third', only 'one', 'second'" ]]
}

@test "oci-digest: prints a line for each of several images, also behind one that has none" {
  run --separate-stderr oci-digest layout docker.tar absent.tar oci.tar
  [ "$status" -eq 1 ]
  [ "$output" = "$(oci-digest layout)  layout
$(oci-digest docker.tar)  docker.tar
$(oci-digest oci.tar)  oci.tar" ]
  [ "$stderr" = "oci-digest: cannot open 'absent.tar': No such file or directory" ]
  run --separate-stderr oci-digest --json layout oci.tar
  [ "$status" -eq 0 ]
  [ "$(jq -r .config <<<"$output")" = "$(oci-digest layout)
$(oci-digest oci.tar)" ]
}
