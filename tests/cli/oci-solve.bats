#!/usr/bin/env bats
# oci-solve up to the point where an engine starts; whole builds are in tests/e2e.

load ../support/load

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  mkdir parts tmp
  export TMPDIR=$BATS_TEST_TMPDIR/tmp
}

# solve [oci-solve option...]: feeds it the request in the file `request`.
solve() {
  run --separate-stderr oci-solve "$@" <request
}

# part NAME SCRIPT: puts a stand-in for one of BuildKit's programs on PATH: a failure that the real one cannot be made
# to have.
part() {
  printf '#!/bin/sh\n%s\n' "$2" >"parts/$1"
  chmod +x "parts/$1"
}

# Only what is in parts, and the shell's own programs.
with_parts_only() {
  part runc 'exit 0'
  # What else lies beside oci-solve would be found first.
  cp "$(command -v oci-solve)" parts/
  export PATH=$BATS_TEST_TMPDIR/parts:/usr/bin:/bin
}

@test "oci-solve: anything but a request on stdin exits 1 and names it" {
  echo '{"schema": "something/else/1"}' >request
  solve
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ "$stderr" == "oci-solve: request: field 'schema': "* ]]
}

@test "oci-solve: an engine that does not exist exits 1 and names the one there is" {
  make_request >request
  solve --engine native
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-solve: engine 'native' is unknown; use 'buildkit'" ]
}

@test "oci-solve: the engine of the request is the default" {
  make_request '.engine = "native"' >request
  solve
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-solve: engine 'native' is unknown; use 'buildkit'" ]
}

@test "oci-solve: wrong usage exits 2" {
  make_request >request
  solve --start-timeout never
  [ "$status" -eq 2 ]
  [ -z "$output" ]
}

@test "oci-solve: a work directory that does not exist exits 2 and is named" {
  make_request >request
  solve --work-dir absent
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--work-dir"*"absent"* ]]
}

@test "oci-solve: several platforms in one image.tar are refused before anything starts" {
  make_request '.platforms = [{platform: "linux/amd64"}, {platform: "linux/arm64"}]' >request
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"several platforms need the OCI output format"* ]]
}

@test "oci-solve: an attestation in an image.tar is refused before anything starts" {
  make_request '.provenance = "mode=max"' >request
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"PROVENANCE needs the OCI output format"* ]]
}

@test "oci-solve: extra configuration that clashes is refused by its table and key" {
  make_request '.buildkit_config = "[grpc]\naddress = [\"tcp://0.0.0.0:1\"]"' >request
  part buildkitd 'exit 0'
  with_parts_only
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"BUILDKIT_EXTRA_CONFIG sets 'address' in table [grpc]"* ]]
  [ -z "$(ls -A tmp)" ]
}

@test "oci-solve: a missing buildkitd is named with the way out" {
  make_request >request
  with_parts_only
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"the program 'buildkitd' is missing"*"BUILDKIT_HOST"* ]]
  [ -z "$(ls -A tmp)" ]
}

@test "oci-solve: a daemon that exits at once is reported with its exit code and the end of its log" {
  [ "$(id -u)" -eq 0 ] || skip 'without root the daemon runs under rootlesskit'
  make_request >request
  part buildkitd 'seq 1 100; echo "no such feature" >&2; exit 3'
  with_parts_only
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"buildkitd died while starting (it exited with 3); the end of its log:"* ]]
  [[ "$stderr" == *"  100"* ]]
  [[ "$stderr" == *"no such feature"* ]]
  [[ "$stderr" != *"  50"* ]]
  [ -z "$(ls -A tmp)" ]
}

@test "oci-solve: a daemon that never answers is given up after the start timeout" {
  [ "$(id -u)" -eq 0 ] || skip 'without root the daemon runs under rootlesskit'
  make_request >request
  part buildkitd 'echo $$ >"$PWD/pid"; echo waiting; exec sleep 600'
  with_parts_only
  solve --start-timeout 1
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"buildkitd did not answer within 1 s; the end of its log:"* ]]
  [[ "$stderr" == *"waiting"* ]]
  gone "$(cat pid)"
  [ -z "$(ls -A tmp)" ]
}

@test "oci-solve: a key whose variable is gone is named" {
  make_request '.ssh = [{id: "git", env: "KEY_THAT_IS_GONE", paths: [], raw: false}]' >request
  solve
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-solve: KEY_THAT_IS_GONE is not set, though the request names it" ]
}
