#!/usr/bin/env bats
# BUILDKIT_HOST: an engine that runs elsewhere.

# bats file_tags=buildkit

load ../support/load

setup() {
  require_engine
  enter_task
}

teardown() {
  [ -z "${REMOTE_PID:-}" ] || stop_buildkitd "$REMOTE_PID"
}

@test "remote: BUILDKIT_HOST is used and nothing local is started" {
  succeed_task CONTEXT="$FIXTURES/basic" BUILDKIT_HOST="$SHARED_BUILDKIT_HOST" DEBUG=true
  did_not_say buildkitd.toml
  [ "$(file_of copied)" = hello ]
  nothing_left_behind
}

@test "remote: tcp:// with certificates of both sides" {
  local pki=$BATS_TEST_TMPDIR/pki port
  make_ca "$pki"
  make_certificate "$pki" server 127.0.0.1
  make_certificate "$pki" client
  port=$(free_port)
  start_buildkitd "$BATS_TEST_TMPDIR/remote" --addr "tcp://127.0.0.1:$port" \
    --tlscacert "$pki/ca.pem" --tlscert "$pki/server.pem" --tlskey "$pki/server.key"
  REMOTE_PID=$BUILDKITD_PID
  succeed_task CONTEXT="$FIXTURES/labels" BUILDKIT_HOST="tcp://127.0.0.1:$port" BUILDKIT_TLS_CACERT="$pki/ca.pem" \
    BUILDKIT_TLS_CERT="$pki/client.pem" BUILDKIT_TLS_KEY="$pki/client.key"
  [ "$(files_in image)" = 'digest image.tar manifest-digest' ]

  run_task CONTEXT="$FIXTURES/labels" BUILDKIT_HOST="tcp://127.0.0.1:$port" BUILDKIT_TLS_CACERT="$pki/ca.pem"
  [ "$status" -eq 1 ]
}

@test "remote: one that nobody listens on is an error that names it" {
  run_task CONTEXT="$FIXTURES/labels" BUILDKIT_HOST="unix://$BATS_TEST_TMPDIR/absent.sock"
  [ "$status" -eq 1 ]
  said "$BATS_TEST_TMPDIR/absent.sock"
  [ -z "$(files_in image)" ]
}

# free_port: a TCP port that nobody listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
