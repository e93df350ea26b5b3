#!/usr/bin/env bats
# An engine elsewhere.

# bats file_tags=buildkit

load ../support/load

setup_file() { prepare_base; }
setup() { enter_build; }

teardown() {
  stop_buildkitd
}

# remote HOST [CA CERT KEY]: the jq filter for an engine there.
remote() {
  jq -nr --args '$ARGS.positional as [$host, $ca_cert, $cert, $key] |
    {$host, $ca_cert, $cert, $key} | ".remote = \(tojson)"' "$@"
}

# start_tls_buildkitd: one that asks its clients for certificates of its authority, on a free port; sets PORT.
start_tls_buildkitd() {
  make_ca "$PWD/tls"
  make_certificate "$PWD/tls" server
  make_certificate "$PWD/tls" client
  # buildkitd cannot choose a free port by itself and tell; another try is as good.
  local try
  for try in 1 2 3 4 5; do
    PORT=$((20000 + RANDOM % 20000))
    if start_buildkitd "$PWD/tmp/bk$try" --addr "tcp://127.0.0.1:$PORT" --tlscert tls/server.pem \
      --tlskey tls/server.key --tlscacert tls/ca.pem; then
      return
    fi
  done
  return 1
}

@test "a remote engine over a unix socket builds, and nothing local is started" {
  start_buildkitd "$PWD/tmp/bk"
  printf 'FROM busybox\nCOPY Dockerfile /d\nRUN true\n' | dockerfile
  mkdir work
  make_request "$(serve_busybox)" "$(to_output)" "$(remote "$BUILDKITD_ADDRESS")" >request
  # Neither of these could be started.
  mkdir parts
  ln -s "$(command -v buildctl)" "$(command -v oci-solve)" parts/
  cp --remove-destination "$(command -v oci-solve)" parts/
  PATH=$PWD/parts:/usr/bin:/bin run --separate-stderr parts/oci-solve --work-dir work <request
  echo "$stderr"
  [ "$status" -eq 0 ]
  [ -s out/image.tar ]
  [ -z "$(ls -A work)" ]
}

@test "a remote engine gets secrets, contexts, images and the local cache from here" {
  start_buildkitd "$PWD/tmp/bk"
  mkdir cache assets
  echo asset >assets/file
  dockerfile <<'END'
FROM busybox
COPY --from=assets file /asset
RUN --mount=type=secret,id=s sha256sum </run/secrets/s >/sum
END
  export SECRET_TEXT=from-here
  local parts=('.secrets = [{id: "s", env: "SECRET_TEXT", file: null}]' '.cache.directory = "cache"'
    '.contexts = [{name: "assets", directory: "assets"}]')
  solve_well "$(to_output)" "$(remote "$BUILDKITD_ADDRESS")" "${parts[@]}"
  [ "$(image_file sum)" = "$(printf %s from-here | sha256sum)" ]
  [ -e cache/buildkit/index.json ]
}

@test "a remote engine over mutual TLS builds, and without the certificate it does not" {
  start_tls_buildkitd
  printf 'FROM busybox\nRUN true\n' | dockerfile
  solve_well "$(to_output)" "$(remote "tcp://127.0.0.1:$PORT" tls/ca.pem tls/client.pem tls/client.key)"
  [ -s out/image.tar ]
  solve "$(remote "tcp://127.0.0.1:$PORT" tls/ca.pem)"
  [ "$status" -eq 1 ]
  # The server hangs up: whether its reason is read before the next write fails is chance.
  [[ "$stderr" == *Unavailable* ]]
}

@test "a remote engine that is down exits 1 and is named" {
  printf 'FROM busybox\n' | dockerfile
  solve "$(remote "unix://$PWD/absent.sock")"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"absent.sock"* ]]
  nothing_left
}

@test "parameters that only an own daemon could honour get a warning each" {
  start_buildkitd "$PWD/tmp/bk"
  printf 'FROM busybox\n' | dockerfile
  solve_well "$(remote "$BUILDKITD_ADDRESS")" '.registry_mirrors = [{host: "mirror.example.com"}]' \
    '.buildkit_config = "[worker.oci]\ngc = true"'
  [[ "$stderr" == *"oci-solve: warning: REGISTRY_MIRRORS has no effect"* ]]
  [[ "$stderr" == *"oci-solve: warning: BUILDKIT_EXTRA_CONFIG has no effect"* ]]
}

@test "SIGTERM ends a build on a remote engine, and the engine stays" {
  start_buildkitd "$PWD/tmp/bk"
  printf 'FROM busybox\nRUN echo step-is-run""ning; sleep 1000\n' | dockerfile
  start_build "$(remote "$BUILDKITD_ADDRESS")" "$(to_output)"
  wait_until 60 grep -q step-is-running progress
  kill -TERM "$BUILD_PID"
  ended_with 143
  [ -z "$(ls -A out)" ]
  buildctl --addr "$BUILDKITD_ADDRESS" debug workers
}
