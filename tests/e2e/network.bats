#!/usr/bin/env bats
# What a build reaches over the network: mirrors, private registries, hosts, proxies.

load ../support/load

setup() {
  require_engine
  enter_task
}

teardown() {
  [ -z "${PRIVATE_PID:-}" ] || stop_registry "$PRIVATE_PID"
}

@test "add hosts: BUILDKIT_ADD_HOSTS names are known to RUN" {
  succeed_task CONTEXT="$FIXTURES/hosts" BUILDKIT_ADD_HOSTS=printer.example=10.1.2.3,other.example=10.1.2.4
}

# start_mirror: a registry of this test alone that holds busybox; its address is $REGISTRY.
start_mirror() {
  start_registry "$BATS_TEST_TMPDIR/mirror"
  PRIVATE_PID=$REGISTRY_PID
  push_image "$BASES/busybox:latest" "$REGISTRY/library/busybox:latest"
}

# mirror_was_asked: for the layer, which only pulls ask for.
mirror_was_asked() {
  requests_to_registry "$BATS_TEST_TMPDIR/mirror" | grep -q '^GET /v2/library/busybox/blobs/'
}

@test "registry mirrors: docker.io is read from REGISTRY_MIRRORS, and the layers are its own" {
  start_mirror
  printf 'FROM busybox\n' >Dockerfile
  run ! mirror_was_asked
  succeed_task BUILDKIT_HOST= REGISTRY_MIRRORS="$REGISTRY"
  mirror_was_asked
  [ "$(config_of | jq -c .rootfs.diff_ids)" = \
    "$(skopeo inspect --config "oci:$BASES/busybox:latest" | jq -c .rootfs.diff_ids)" ]
}

@test "registry mirrors: one that is down is passed over for the next" {
  start_mirror
  printf 'FROM busybox\n' >Dockerfile
  succeed_task BUILDKIT_HOST= REGISTRY_MIRRORS="127.0.0.1:1,$REGISTRY"
  mirror_was_asked
}

@test "private registry: BUILDKIT_EXTRA_CONFIG gives its CA, DOCKER_CONFIG the password" {
  start_registry "$BATS_TEST_TMPDIR/private" --auth robot:sesame --tls
  PRIVATE_PID=$REGISTRY_PID
  skopeo copy --quiet --dest-creds robot:sesame --dest-tls-verify=false "oci:$BASES/busybox:latest" \
    "docker://$REGISTRY/base:1"
  docker_login "$BATS_TEST_TMPDIR/docker" "$REGISTRY" robot sesame
  printf 'FROM %s/base:1\n' "$REGISTRY" >Dockerfile
  config=$(printf '[registry."%s"]\n  ca = ["%s"]\n  http = false\n' "$REGISTRY" "$BATS_TEST_TMPDIR/private/ca.pem")
  succeed_task BUILDKIT_HOST= BUILDKIT_EXTRA_CONFIG="$config" DOCKER_CONFIG="$BATS_TEST_TMPDIR/docker"
  did_not_say sesame
  run_task BUILDKIT_HOST= BUILDKIT_EXTRA_CONFIG="$config"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *401* || "$stderr" == *'asks for a user and password'* ]]
}

# bats test_tags=buildkit
@test "extra config: what clashes with our own is an error that names the table" {
  run_task CONTEXT="$FIXTURES/labels" BUILDKIT_HOST= REGISTRY_MIRRORS="$HUB" \
    BUILDKIT_EXTRA_CONFIG=$'[registry."docker.io"]\nmirrors = ["elsewhere.example"]'
  [ "$status" -ne 0 ]
  said docker.io
  said BUILDKIT_EXTRA_CONFIG
}

@test "proxies: RUN sees them, the image and its history do not" {
  cat >Dockerfile <<'END'
FROM busybox
RUN echo "by $http_proxy but for $NO_PROXY"
END
  succeed_task http_proxy=http://proxy.example:3128 NO_PROXY=127.0.0.1,internal.example NO_CACHE=true
  said 'by http://proxy.example:3128 but for 127.0.0.1,internal.example'
  config_of >config
  run ! grep -F .example config
}

# bats test_tags=buildkit
@test "proxies: they are no part of the cache key" {
  printf 'FROM busybox\nARG unique\nRUN echo "$unique" >/file\n' >Dockerfile
  succeed_task http_proxy=http://one.example:1 BUILD_ARG_unique="$BATS_TEST_TMPDIR"
  succeed_task http_proxy=http://two.example:2 BUILD_ARG_unique="$BATS_TEST_TMPDIR"
  [[ $stderr =~ \#[0-9]+\ CACHED ]]
}

@test "proxies: pulls go through them" {
  printf 'FROM registry.example/base:1\n' >Dockerfile
  run_task BUILDKIT_HOST= HTTPS_PROXY=http://127.0.0.1:1
  [ "$status" -eq 1 ]
  [[ "$stderr" == *proxyconnect* || "$stderr" == *'Failed to connect to 127.0.0.1 port 1'* ]]
}
