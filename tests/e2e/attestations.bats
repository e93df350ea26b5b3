#!/usr/bin/env bats
# What the native engine says of an image beside it is what BuildKit says: each build runs on both, and the statements are
# compared field by field. What may differ stands with its reason in tests/support/compare_attestations.py.
# bats file_tags=once

load ../support/load

setup_file() {
  command -v buildkitd >/dev/null || return 0
  mkdir "$BATS_FILE_TMPDIR/www"
  echo served >"$BATS_FILE_TMPDIR/www/file"
  cd "$BATS_FILE_TMPDIR/www" || return
  python3 -u -c 'import http.server, socketserver
with socketserver.TCPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
    print("http://127.0.0.1:%d" % server.server_address[1], flush=True)
    server.serve_forever()' >"$BATS_FILE_TMPDIR/address" 2>/dev/null 3>&- &
  echo $! >"$BATS_FILE_TMPDIR/pid"
  wait_until 20 test -s "$BATS_FILE_TMPDIR/address"
}

teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

setup() {
  require_buildkit
  enter_task
  mkdir context cache
}

# native NAME=VALUE...: builds with the native engine; its layout is moved to `native`.
native() {
  succeed_task ENGINE=native BUILDKIT_HOST= REGISTRY_MIRRORS="$HUB" CONTEXT=context OUTPUT_OCI=true "$@"
  rm -rf native
  mv image/image native
}

# both NAME=VALUE...: builds with each engine.
both() {
  succeed_task CONTEXT=context OUTPUT_OCI=true "$@"
  rm -rf buildkit
  mv image/image buildkit
  native "$@"
}

# agree: what both have said is the same.
agree() {
  run "$(dirname "$BATS_TEST_DIRNAME")/support/compare_attestations.py" buildkit native
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

# predicate: of the first statement on the first image of `native`.
predicate() {
  local manifest index
  index=$(jq -r '.manifests[0].digest' native/index.json)
  manifest=$(jq -r '[.manifests[] | select(.platform.os == "unknown")][0].digest' "native/blobs/${index/://}")
  index=$(jq -r '.layers[0].digest' "native/blobs/${manifest/://}")
  jq .predicate "native/blobs/${index/://}"
}

many_steps() {
  cat >context/Dockerfile <<END
FROM busybox AS base
ARG X=1
RUN --mount=type=secret,id=token --mount=type=secret,id=other,env=OTHER --mount=type=ssh \\
    --mount=type=cache,target=/c,sharing=locked --mount=type=tmpfs,target=/t --mount=type=bind,target=/ctx \\
    echo \$X >/a
WORKDIR /w/x
COPY f /f
ADD $(cat "$BATS_FILE_TMPDIR/address")/file /file
COPY <<EOF /inline
text
EOF
FROM base AS two
USER 1:2
RUN --network=none echo two >/tmp/two
FROM busybox AS three
ENV A=b
COPY --chown=1:2 --chmod=600 --link f g /d/
COPY --from=two --exclude=*.x /tmp/two /two
COPY --from=busybox /bin/busybox /box
CMD ["x"]
END
  echo f >context/f
  echo g >context/g
}

@test "attestations: PROVENANCE of mode min is what BuildKit says" {
  printf 'FROM busybox\nLABEL a=b\n' >context/Dockerfile
  both PROVENANCE=min
  agree
  both PROVENANCE=mode=min,version=v0.2,builder-id=https://example.com/me,reproducible=true BUILD_ARG_a=b LABEL_c=d
  agree
}

@test "attestations: PROVENANCE of mode max is what BuildKit says, of every kind of step" {
  many_steps
  both PROVENANCE=true BUILD_ARG_X=2 LABEL_l=v BUILDKIT_SECRETTEXT_token=hidden BUILDKIT_ADD_HOSTS=h=10.0.0.1
  agree
  run ! grep -rl hidden native
  both PROVENANCE=mode=max,version=v0.2 TARGET=two NO_CACHE=true
  agree
}

@test "attestations: each platform and each target has its own" {
  printf 'FROM scratch AS first\nCOPY f /\nFROM scratch\nCOPY --from=first /f /g\n' >context/Dockerfile
  echo f >context/f
  both PROVENANCE=max IMAGE_PLATFORM=linux/amd64,linux/arm64 ANNOTATION_a=b
  agree
  mkdir first
  both PROVENANCE=max ADDITIONAL_TARGETS=first
  agree
  [ -n "$(grep -rl in-toto first/image)" ]
}

@test "attestations: images and directories given for names are told as BuildKit tells them" {
  printf 'ARG base\nFROM $base\nFROM tool AS t\nFROM busybox\nCOPY --from=t /bin/busybox /a\nCOPY --from=data f /\n' \
    >context/Dockerfile
  mkdir data
  echo f >data/f
  both PROVENANCE=max BUILD_CONTEXTS="tool=$BASES/busybox,data=data" IMAGE_ARG_base="$BASES/busybox"
  agree
}

@test "attestations: a build out of the cache names the same materials" {
  many_steps
  native PROVENANCE=max
  first=$(predicate | jq -c .buildDefinition.resolvedDependencies)
  native PROVENANCE=max
  said CACHED
  [ "$(predicate | jq -c .buildDefinition.resolvedDependencies)" = "$first" ]
  [ "$(jq length <<<"$first")" -eq 2 ]
  rm -r cache
  native PROVENANCE=max
  [ "$(predicate | jq -c .buildDefinition.resolvedDependencies)" = "$first" ]
}

@test "attestations: the image is the same with them, and each time with SOURCE_DATE_EPOCH" {
  printf 'FROM busybox\nCOPY f /\n' >context/Dockerfile
  echo f >context/f
  native SOURCE_DATE_EPOCH=1 PROVENANCE=max
  attested=$(oci-digest --json native | jq -r .manifest)
  native SOURCE_DATE_EPOCH=1
  [ "$(oci-digest --json native | jq -r .manifest)" = "$attested" ]
}

@test "attestations: tools take an attested layout for the image that it holds" {
  printf 'FROM busybox\nCOPY f /\n' >context/Dockerfile
  echo f >context/f
  native PROVENANCE=max UNPACK_ROOTFS=true
  [ "$(cat image/rootfs/f)" = f ]
  oci-digest --json native | jq -e --arg root "$(jq -r '.manifests[0].digest' native/index.json)" \
    '.index == $root and (.platforms | length) == 1'
  oci-push --insecure native "$HUB/pushed/attested-natively:1"
  skopeo inspect --raw --tls-verify=false "docker://$HUB/pushed/attested-natively:1" |
    jq -e '[.manifests[].platform.os] == ["linux", "unknown"]'
  oci-merge native merged
  grep -rl slsa.dev merged
  printf 'FROM given\nCOPY --from=given /f /g\n' >context/Dockerfile
  native BUILD_CONTEXTS=given=native
}

# make_scanner: pushes an image that speaks BuildKit's scanner protocol: it lists the first files of what it is shown.
make_scanner() {
  local root=$BATS_TEST_TMPDIR/scanner
  make_busybox_rootfs "$root"
  cat >"$root/scan" <<'END'
#!/bin/sh
set -e
files() {
  local comma=
  cd "$BUILDKIT_SCAN_SOURCE"
  find . -type f | sort | while read -r file; do
    printf '%s{"fileName":"%s","SPDXID":"SPDXRef-%s","checksums":[],"copyrightText":""}' "$comma" "${file#.}" "${file##*/}"
    comma=,
  done
}
cat >"$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json" <<STATEMENT
{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
 "predicate": {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "$PWD, as $(id -u)",
  "documentNamespace": "https://example.com/scan", "comment": "$(env | grep ^BUILDKIT_SCAN | sort | tr '\n' ' ')",
  "creationInfo": {"creators": ["Tool: scan"], "created": "2024-01-01T00:00:00Z"}, "files": [$(files)]}}
STATEMENT
cat >"$BUILDKIT_SCAN_DESTINATION/another.spdx.json" <<STATEMENT
{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
 "subject": [{"name": "other", "digest": {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}],
 "predicate": {"b": [1, 2.5], "a": "$(echo x >/tmp/x && echo written || echo refused), $(touch "$BUILDKIT_SCAN_SOURCE/x" 2>&1 && echo written)"}}
STATEMENT
END
  chmod +x "$root/scan"
  make_image "$BATS_TEST_TMPDIR/scanner-layout" "$root" latest "linux/$(image_architecture)" \
    '{"Env":["PATH=/bin"],"Entrypoint":["/scan"],"WorkingDir":"/usr","User":"5"}'
  push_image "$BATS_TEST_TMPDIR/scanner-layout:latest" "$HUB/scanner:$1"
}

@test "attestations: SBOM is what BuildKit says, by the same scanner" {
  make_scanner 1
  printf 'FROM busybox\nCOPY f g /d/\nRUN rm /d/g && echo h >/d/h\n' >context/Dockerfile
  echo f >context/f
  echo g >context/g
  both SBOM="generator=$HUB/scanner:1,WORD=some" PROVENANCE=max
  agree
  [ "$(predicate | jq -r '.files | map(.fileName) | join(" ")')" = '/bin/busybox /d/f /d/h /etc/group /etc/passwd' ]
  [ "$(predicate | jq -r '[.files[].comment] | unique | length')" -eq 3 ]
}

@test "attestations: each platform and each target is scanned" {
  make_scanner 2
  printf 'FROM scratch AS first\nCOPY f /\nFROM scratch\nCOPY --from=first /f /g\n' >context/Dockerfile
  echo f >context/f
  mkdir first
  both SBOM="generator=$HUB/scanner:2" IMAGE_PLATFORM=linux/amd64,linux/arm64 ADDITIONAL_TARGETS=first
  agree
  rm -rf native
  mv first/image native
  [ "$(predicate | jq -r '.files | map(.fileName) | join(" ")')" = /f ]
}

@test "attestations: what was scanned is not scanned again" {
  make_scanner 3
  printf 'FROM busybox\nCOPY f /\n' >context/Dockerfile
  echo f >context/f
  native SBOM="generator=$HUB/scanner:3"
  first=$(predicate)
  native SBOM="generator=$HUB/scanner:3"
  said "CACHED"
  [ "$(predicate)" = "$first" ]
  echo changed >context/f
  native SBOM="generator=$HUB/scanner:3" COMPRESSION=zstd
  [ "$(predicate | jq -r '.files[] | select(.fileName == "/f").comment')" != "$(jq -r '.files[] | select(.fileName == "/f").comment' <<<"$first")" ]
}

@test "attestations: a scanner that fails fails the build" {
  make_busybox_rootfs "$BATS_TEST_TMPDIR/failing"
  make_image "$BATS_TEST_TMPDIR/failing-layout" "$BATS_TEST_TMPDIR/failing" latest "linux/$(image_architecture)" \
    '{"Entrypoint":["/bin/sh","-c","echo gone; exit 7"]}'
  push_image "$BATS_TEST_TMPDIR/failing-layout:latest" "$HUB/failing:1"
  printf 'FROM busybox\n' >context/Dockerfile
  run_task ENGINE=native BUILDKIT_HOST= REGISTRY_MIRRORS="$HUB" CONTEXT=context OUTPUT_OCI=true SBOM="generator=$HUB/failing:1"
  [ "$status" -eq 1 ]
  said gone
  [ ! -e image/image ]
}
