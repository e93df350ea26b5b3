#!/usr/bin/env bats
# OUTPUT_OCI and IMAGE_PLATFORM: OCI layout directories, also of several platforms.

load ../support/load

setup() {
  require_engine
  enter_task
}

@test "oci image: OUTPUT_OCI leaves a layout directory and no image.tar" {
  succeed_task CONTEXT="$FIXTURES/basic" OUTPUT_OCI=true
  [ "$(files_in image)" = 'digest image manifest-digest' ]
  [ "$(files_in image/image)" = 'blobs index.json oci-layout single-image-digest' ]
}

@test "oci image: skopeo and umoci accept the layout" {
  succeed_task CONTEXT="$FIXTURES/basic" OUTPUT_OCI=true
  skopeo copy --quiet oci:image/image "oci:$BATS_TEST_TMPDIR/copy:latest"
  umoci stat --image "$BATS_TEST_TMPDIR/copy:latest"
  [ "$(file_of copied)" = hello ]
}

@test "oci image: digest is what a registry gives it" {
  succeed_task CONTEXT="$FIXTURES/basic" OUTPUT_OCI=true
  skopeo copy --quiet --preserve-digests --dest-tls-verify=false oci:image/image "docker://$HUB/pushed/basic:1"
  skopeo inspect --tls-verify=false "docker://$HUB/pushed/basic@$(cat image/digest)"
  [ "$(cat image/digest)" = "$(cat image/manifest-digest)" ]
}

@test "oci image: single-image-digest holds the manifest's digest without a newline" {
  succeed_task CONTEXT="$FIXTURES/basic" OUTPUT_OCI=true
  cmp image/image/single-image-digest image/digest
  [ "$(jq -r '.manifests[0].digest' image/image/index.json)" = "$(cat image/digest)" ]
}

@test "oci image: several platforms make one index, in their order, without a single-image-digest" {
  succeed_task CONTEXT="$FIXTURES/platforms" IMAGE_PLATFORM=linux/arm64,linux/amd64
  [ "$(files_in image)" = 'digest image manifest-digest' ]
  [ "$(files_in image/image)" = 'blobs index.json oci-layout' ]
  [ "$(jq -r '.manifests | length' image/image/index.json)" = 1 ]
  skopeo inspect --raw oci:image/image >"$BATS_TEST_TMPDIR/index"
  [ "$(jq -c '[.manifests[].platform.architecture]' "$BATS_TEST_TMPDIR/index")" = '["arm64","amd64"]' ]
  [ "$(cat image/digest)" = "sha256:$(sha256sum <"$BATS_TEST_TMPDIR/index" | cut -d ' ' -f 1)" ]
}

@test "oci image: the index of several platforms can be pushed under its digest" {
  succeed_task CONTEXT="$FIXTURES/platforms" IMAGE_PLATFORM=linux/arm64,linux/amd64
  skopeo copy --quiet --all --preserve-digests --dest-tls-verify=false oci:image/image "docker://$HUB/pushed/several:1"
  skopeo inspect --raw --tls-verify=false "docker://$HUB/pushed/several@$(cat image/digest)" | cmp - \
    "image/image/blobs/sha256/$(cut -d : -f 2 image/digest)"
}

@test "oci image: BUILDKIT_MULTI_PLATFORM makes an index of one platform, annotated as one of several" {
  succeed_task CONTEXT="$FIXTURES/platforms" OUTPUT_OCI=true BUILD_ARG_BUILDKIT_MULTI_PLATFORM=true ANNOTATION_a.note=b \
    UNPACK_ROOTFS=true
  skopeo inspect --raw oci:image/image >"$BATS_TEST_TMPDIR/index"
  [ "$(jq -c '[.mediaType, (.manifests | length), .annotations]' "$BATS_TEST_TMPDIR/index")" = \
    '["application/vnd.oci.image.index.v1+json",1,{"a.note":"b"}]' ]
  [ "$(cat image/digest)" = "sha256:$(sha256sum <"$BATS_TEST_TMPDIR/index" | cut -d ' ' -f 1)" ]
  [ ! -e image/image/single-image-digest ]
  [ -d image/rootfs ]
  said "[linux/amd64 "
}

@test "image platform: one foreign platform keeps the docker-save form" {
  succeed_task CONTEXT="$FIXTURES/platforms" IMAGE_PLATFORM=linux/arm64
  [ "$(config_of | jq -r '.os + "/" + .architecture')" = linux/arm64 ]
  [ "$(config_of | jq -r '.config.Env[]' | grep ARCH)" = ARCHITECTURE=arm64 ]
}

@test "oci image: a stale image.tar goes away when the form changes, and a stale layout too" {
  succeed_task CONTEXT="$FIXTURES/labels"
  succeed_task CONTEXT="$FIXTURES/labels" OUTPUT_OCI=true
  [ "$(files_in image)" = 'digest image manifest-digest' ]
  succeed_task CONTEXT="$FIXTURES/labels"
  [ "$(files_in image)" = 'digest image.tar manifest-digest' ]
}

@test "oci image: a layout of files that everyone may read" {
  succeed_task CONTEXT="$FIXTURES/labels" OUTPUT_OCI=true
  [ -z "$(find image/image -type d ! -perm -055)" ]
  [ -z "$(find image/image -type f ! -perm -044)" ]
}
