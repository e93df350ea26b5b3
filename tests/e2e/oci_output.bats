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

@test "oci image: what several platforms have in common runs once" {
  cat >Dockerfile <<'END'
FROM --platform=$BUILDPLATFORM busybox AS build
WORKDIR /w
COPY Dockerfile here
RUN echo shared >&2; cat /proc/sys/kernel/random/uuid >/stamp
ARG TARGETARCH
RUN echo own >&2; echo "$TARGETARCH" >/name
FROM scratch
COPY --from=build /stamp /name /
END
  succeed_task IMAGE_PLATFORM=linux/amd64,linux/arm64 BUILD_CONTEXTS="busybox=$BASES/busybox" UNPACK_ROOTFS=false
  echo "$stderr"
  # A title stands again where the output of two steps takes turns.
  [ "$(grep -c '^#[0-9]* [0-9.]* shared$' <<<"$stderr")" = 1 ]
  [ "$(grep -c '^#[0-9]* [0-9.]* own$' <<<"$stderr")" = 2 ]
  [ "$(grep -o '^#[0-9]* \[linux/amd64 build [1-3]/[45]\]' <<<"$stderr" | sort -u | wc -l)" = 3 ]
  [ "$(grep -o '^#[0-9]* \[linux/amd64->arm64 build .*\] RUN echo own' <<<"$stderr" | sort -u | wc -l)" = 1 ]
  mapfile -t stamps < <(for architecture in amd64 arm64; do
    skopeo --override-arch "$architecture" copy --quiet oci:image/image "dir:$BATS_TEST_TMPDIR/$architecture" >&2
    tar -xzOf "$BATS_TEST_TMPDIR/$architecture/$(jq -r '.layers[0].digest | ltrimstr("sha256:")' \
      "$BATS_TEST_TMPDIR/$architecture/manifest.json")" # name, then stamp
  done)
  [ "${stamps[1]}" = "${stamps[3]}" ]
  [ "${stamps[0]} ${stamps[2]}" = 'amd64 arm64' ]
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
