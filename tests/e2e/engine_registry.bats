#!/usr/bin/env bats
# Pulls: plain registries, mirrors, passwords, private authorities, proxies.

load ../support/load

setup_file() { prepare_base; }
setup() { enter_build; }

teardown() {
  stop_registry "${FIRST_REGISTRY_PID:-}"
  stop_registry
}

# push_busybox NAME [skopeo option...]: to the registry that runs.
push_busybox() {
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/$1" "${@:2}"
}

# helper NAME [SCRIPT]: puts a credential helper on PATH, the one that gives FAKE_USER and FAKE_PASSWORD or that script.
helper() {
  mkdir -p helpers
  if [ $# -eq 1 ]; then
    cp "$BATS_TEST_DIRNAME/../support/docker-credential-fake" "helpers/docker-credential-$1"
  else
    printf '#!/bin/sh\n%s\n' "$2" >"helpers/docker-credential-$1"
    chmod +x "helpers/docker-credential-$1"
  fi
  [[ $PATH == "$PWD/helpers:"* ]] || PATH=$PWD/helpers:$PATH
}

# A port of this machine on which nothing listens.
closed_port() {
  start_registry "$PWD/closed"
  stop_registry
  echo "$REGISTRY"
}

# extra_config TOML: the jq filter for it.
extra_config() {
  jq -nr --arg toml "$1" '".buildkit_config = \($toml | tojson)"'
}

@test "a registry of this machine is pulled from without TLS" {
  start_registry "$PWD/r"
  push_busybox base:1
  printf 'FROM %s/base:1\nRUN true\n' "$REGISTRY" | dockerfile
  solve_well "$(to_output)"
}

@test "Docker Hub's images come from the mirror" {
  start_registry "$PWD/r"
  push_busybox library/mirrored:1
  printf 'FROM mirrored:1\nRUN true\n' | dockerfile
  solve_well "$(to_output)" ".registry_mirrors = [{host: \"$REGISTRY\"}]"
  requests_to_registry r | grep -q '^GET /v2/library/mirrored/blobs/'
}

@test "of several mirrors the next is asked where one is down" {
  local closed
  closed=$(closed_port)
  start_registry "$PWD/r"
  push_busybox library/mirrored:1
  printf 'FROM mirrored:1\nRUN true\n' | dockerfile
  solve_well "$(to_output)" ".registry_mirrors = [{host: \"$closed\"}, {host: \"$REGISTRY\"}]"
  requests_to_registry r | grep -q '^GET /v2/library/mirrored/blobs/'
}

@test "when no mirror has the image the error names it" {
  printf 'FROM unheard-of:1\n' | dockerfile
  # Docker Hub itself is out of reach too: the proxy on the way is down.
  local closed
  closed=$(closed_port)
  HTTPS_PROXY=http://$closed solve ".registry_mirrors = [{host: \"$closed\"}]"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"unheard-of:1"* ]]
  [[ "${stderr,,}" == *"connection refused"* || "$stderr" == *"Failed to connect"* ]]
}

@test "a credential helper of DOCKER_CONFIG opens a registry, of its host or of all" {
  start_registry "$PWD/r" --auth robot:pass-word
  push_busybox base:1 --dest-creds robot:pass-word
  printf 'FROM %s/base:1\nRUN true\n' "$REGISTRY" | dockerfile
  helper fake
  export FAKE_USER=robot FAKE_PASSWORD=pass-word
  mkdir login
  local config
  for config in "{\"credHelpers\": {\"$REGISTRY\": \"fake\"}}" '{"credsStore": "fake"}'; do
    echo "$config" >login/config.json
    solve_well "$(to_output)" '.docker_config = "login" | .no_cache = true'
    [[ "$stderr" != *pass-word* ]]
  done
}

@test "a credential helper that is missing, fails or prints no login fails the pull" {
  start_registry "$PWD/r" --auth robot:pass-word
  push_busybox base:1 --dest-creds robot:pass-word
  printf 'FROM %s/base:1\nRUN true\n' "$REGISTRY" | dockerfile
  mkdir login
  echo '{"credsStore": "fake"}' >login/config.json
  local script
  # BuildKit's client says of these what it likes; the native engine names the helper and what helps.
  local says=('not on PATH; install it, or log in with' 'exited with 3: no bus' "gives no login: its output")
  for script in '' 'echo no bus; exit 3' 'echo secret-garbage'; do
    [ -z "$script" ] || helper fake "$script"
    solve "$(to_output)" '.docker_config = "login"'
    [ "$status" -eq 1 ]
    [[ "$stderr" != *secret-garbage* ]]
    if [ "${E2E_ENGINE:-}" = native ]; then
      [[ "$stderr" == *"docker-credential-fake"*"${says[0]}"* ]]
      says=("${says[@]:1}")
    fi
  done
}

@test "the login of DOCKER_CONFIG opens a registry, and without it the error says what is missing" {
  start_registry "$PWD/r" --auth robot:pass-word
  push_busybox base:1 --dest-creds robot:pass-word
  printf 'FROM %s/base:1\nRUN true\n' "$REGISTRY" | dockerfile
  docker_login login "$REGISTRY" robot pass-word
  solve_well "$(to_output)" '.docker_config = "login"'
  [[ "$stderr" != *pass-word* ]]
  rm out/image.tar
  solve "$(to_output)"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"$REGISTRY/base:1"* ]]
  [[ "$stderr" == *"authorization failed"* || "$stderr" == *"401 Unauthorized"* || "$stderr" == *"no basic auth credentials"* ||
    "$stderr" == *"$REGISTRY asks for a user and password; give them by DOCKER_CONFIG"* ]]
}

@test "a registry of a private authority is trusted by BUILDKIT_EXTRA_CONFIG, and only then" {
  start_registry "$PWD/r" --auth robot:pass-word --tls
  push_busybox base:1 --dest-creds robot:pass-word
  printf 'FROM %s/base:1\nRUN true\n' "$REGISTRY" | dockerfile
  docker_login login "$REGISTRY" robot pass-word
  # Registries of this machine are asked over plain HTTP unless told otherwise.
  local table="[registry.\"$REGISTRY\"]"$'\nhttp = false\n'
  solve_well "$(to_output)" '.docker_config = "login"' "$(extra_config "${table}ca = ['$PWD/r/ca.pem']")"
  solve '.docker_config = "login"' "$(extra_config "$table")"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"certificate signed by unknown authority"* || "$stderr" == *"SSL certificate problem"* ]]
}

@test "pulls go through the task's proxy" {
  local closed
  closed=$(closed_port)
  printf 'FROM registry.example.com/base:1\n' | dockerfile
  https_proxy=http://$closed solve '.proxies = [{env: "https_proxy"}]'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"proxyconnect"*"$closed"* || "$stderr" == *"Failed to connect to ${closed/:/ port }"* ]]
}
