#!/usr/bin/env bats
# How the image is written: times, compression, attestations.

load ../support/load

setup() {
  require_engine
  enter_task
}

# layer_type: the media type of the last layer: those of the base stay as they are.
layer_type() {
  skopeo inspect --raw oci:image/image | jq -r '.layers[-1].mediaType'
}

# last_layer: the path of the last layer's blob.
last_layer() {
  echo "image/image/blobs/sha256/$(skopeo inspect --raw oci:image/image | jq -r '.layers[-1].digest' | cut -d : -f 2)"
}

@test "source date epoch: the image is of that time, and the same each time" {
  local digests=()
  for _ in 1 2; do
    succeed_task CONTEXT="$FIXTURES/basic" SOURCE_DATE_EPOCH=1000000000 REWRITE_TIMESTAMP=true NO_CACHE=true
    digests+=("$(cat image/manifest-digest)")
  done
  [ "$(config_of | jq -r .created)" = 2001-09-09T01:46:40Z ]
  [ "${digests[0]}" = "${digests[1]}" ]
}

@test "rewrite timestamp: no file of the image is younger than SOURCE_DATE_EPOCH" {
  succeed_task CONTEXT="$FIXTURES/basic" SOURCE_DATE_EPOCH=1000000000 REWRITE_TIMESTAMP=true UNPACK_ROOTFS=true
  [ "$(stat -c %Y image/rootfs/copied)" = 1000000000 ]
  [ -z "$(find image/rootfs -mindepth 1 -newermt @1000000000)" ]
}

# On engines of their own: a layer that an engine has compressed once stays as it is.
@test "compression: gzip, zstd and none" {
  local own=(BUILDKIT_HOST= BUILD_CONTEXTS="busybox=$BASES/busybox" CONTEXT="$FIXTURES/basic" OUTPUT_OCI=true)
  succeed_task "${own[@]}" COMPRESSION=gzip
  [ "$(layer_type)" = application/vnd.oci.image.layer.v1.tar+gzip ]
  succeed_task "${own[@]}" COMPRESSION=zstd UNPACK_ROOTFS=true
  [ "$(layer_type)" = application/vnd.oci.image.layer.v1.tar+zstd ]
  zstd -qt "$(last_layer)"
  [ "$(cat image/rootfs/copied)" = hello ]
  succeed_task "${own[@]}" COMPRESSION=none
  [ "$(layer_type)" = application/vnd.oci.image.layer.v1.tar ]
}

@test "compression level: a higher one makes layers smaller" {
  printf 'FROM scratch\nCOPY text /\n' >Dockerfile
  seq 1 100000 >text
  succeed_task OUTPUT_OCI=true COMPRESSION=gzip COMPRESSION_LEVEL=1 BUILDKIT_HOST=
  low=$(stat -c %s "$(last_layer)")
  succeed_task OUTPUT_OCI=true COMPRESSION=gzip COMPRESSION_LEVEL=9 BUILDKIT_HOST=
  [ "$(stat -c %s "$(last_layer)")" -lt "$low" ]
}

@test "attestations: there are none unless asked for" {
  succeed_task CONTEXT="$FIXTURES/labels" OUTPUT_OCI=true
  run ! grep -rl in-toto image/image
}

@test "provenance: PROVENANCE stores how the image was built beside it" {
  succeed_task CONTEXT="$FIXTURES/labels" OUTPUT_OCI=true PROVENANCE=mode=max
  grep -rlE 'slsa.dev/provenance' image/image
  [ "$(jq -r '.manifests[0].digest' image/image/index.json)" = "$(cat image/digest)" ]
  skopeo copy --quiet --all --preserve-digests --dest-tls-verify=false oci:image/image "docker://$HUB/pushed/attested:1"
  skopeo inspect --raw --tls-verify=false "docker://$HUB/pushed/attested@$(cat image/digest)"
}

@test "provenance: an attested image can be unpacked" {
  succeed_task CONTEXT="$FIXTURES/labels" OUTPUT_OCI=true PROVENANCE=true UNPACK_ROOTFS=true
  [ "$(files_in image/rootfs)" = Dockerfile ]
}

@test "sbom: SBOM runs the scanner it names and stores what that finds" {
  make_scanner
  succeed_task CONTEXT="$FIXTURES/labels" OUTPUT_OCI=true SBOM="generator=$HUB/scanner:1"
  grep -rl 'found by the scanner of the tests' image/image
}

# make_scanner: pushes an image that speaks BuildKit's scanner protocol.
make_scanner() {
  local root=$BATS_TEST_TMPDIR/scanner
  make_busybox_rootfs "$root"
  cat >"$root/scan" <<'END'
#!/bin/sh
cat >"$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json" <<STATEMENT
{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document",
 "predicate":{"name":"found by the scanner of the tests"}}
STATEMENT
END
  chmod +x "$root/scan"
  make_image "$BATS_TEST_TMPDIR/scanner-layout" "$root" latest "linux/$(image_architecture)" \
    '{"Env":["PATH=/bin"],"Entrypoint":["/scan"]}'
  push_image "$BATS_TEST_TMPDIR/scanner-layout:latest" "$HUB/scanner:1"
}
