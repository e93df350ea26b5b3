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

@test "the tools after one that failed in a pipe are silent and fail too" {
  run --separate-stderr bash -c 'set -o pipefail; false | oci-solve; echo "${PIPESTATUS[*]}"'
  [ "$output" = '1 1' ]
  [ -z "$stderr" ]
  run --separate-stderr bash -c 'false | oci-preload --work-dir . | oci-solve; echo "${PIPESTATUS[*]}"'
  [ "$output" = '1 1 1' ]
  [ -z "$stderr" ]
  run --separate-stderr bash -c 'false | oci-digest -; echo "${PIPESTATUS[*]}"; false | oci-unpack - x; echo "${PIPESTATUS[*]}"'
  [ "$output" = $'1 1\n1 1' ]
  [ -z "$stderr" ]
}

@test "an empty stdin that is no pipe is an error with a word" {
  run --separate-stderr oci-solve </dev/null
  [ "$status" -eq 1 ]
  [[ "$stderr" == 'oci-solve: request is not JSON: '* ]]
}

@test "oci-solve: an engine that does not exist exits 2 and names those there are" {
  make_request >request
  solve --engine docker
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-solve: --engine: 'docker' is none of 'auto', 'buildkit', 'native'" ]
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

@test "oci-solve: of a log that would take for ever to read, the end is shown all the same" {
  [ "$(id -u)" -eq 0 ] || skip 'without root the daemon runs under rootlesskit'
  make_request >request
  part buildkitd 'truncate -s 500G /proc/self/fd/1; exec >>/proc/self/fd/1; seq 1 99; echo "the last line"; exit 3'
  with_parts_only
  run --separate-stderr timeout 20 oci-solve <request
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"the end of its log:"*"the last line"* ]]
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
  [ "${stderr_lines[-1]}" = "oci-solve: KEY_THAT_IS_GONE is not set, though the request names it" ]
}

# chosen ENGINE FILTER: what oci-solve says of the engine where this one is wanted for the request that the jq filter
# makes of a build that needs nothing.
chosen() {
  mkdir -p context
  [ -e context/Dockerfile ] || printf 'FROM scratch\nCOPY Dockerfile /\n' >context/Dockerfile
  CONTEXT=context make_request ".engine = \"$1\"" "${2:-.}" >request
  solve
  grep -o 'oci-solve: engine: .*' <<<"$stderr"
}

@test "oci-solve: without /proc it says so" {
  [ "$(id -u)" -eq 0 ] || skip 'unmounting needs root'
  make_request >request
  for engine in native buildkit; do
    run --separate-stderr unshare -m sh -c 'umount -l /proc && exec oci-solve --engine "$1" <request' sh "$engine"
    [ "$status" -eq 1 ]
    [ "$stderr" = 'oci-solve: /proc is not mounted here, and files are reached through it: mount -t proc proc /proc' ]
  done
}

@test "oci-solve: the native engine is what builds unless something speaks against it" {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  chosen auto >said
  [ "$(cat said)" = 'oci-solve: engine: native (isolation: namespaces)' ]
  [ -z "$(ls -A tmp)" ]
}

@test "oci-solve: the engine that is asked for is named, and so is it in the result" {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  make_request '.engine = "native"' >request
  printf 'FROM scratch\nCOPY Dockerfile /\n' >Dockerfile
  solve
  [ "$status" -eq 0 ]
  [ "$(jq -r .engine <<<"$output")" = native ]
  [ "${stderr_lines[0]}" = 'oci-solve: engine: native (isolation: namespaces), as asked for' ]
}

@test "oci-solve: the isolation that is asked for is named, and a wrong word is refused" {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  chosen native '.isolation = "userns"' >said
  [ "$(cat said)" = 'oci-solve: engine: native (isolation: userns, as asked for), as asked for' ]
  run --separate-stderr oci-solve --isolation namespaces <request
  [ "${stderr_lines[0]}" = 'oci-solve: engine: native (isolation: namespaces, as asked for), as asked for' ]
  run --separate-stderr oci-solve --isolation jail <request
  [ "$status" -eq 2 ]
  [ "$stderr" = "oci-solve: --isolation: 'jail' is none of 'auto', 'namespaces', 'userns', 'chroot', 'copies'" ]
}

@test "oci-solve: an isolation is for the native engine, and not left out in silence" {
  with_parts_only
  chosen auto '.isolation = "userns" | .remote = {host: "unix:///nowhere", ca_cert: null, cert: null, key: null}' >said || true
  [ "$status" -eq 1 ]
  [ "$stderr" = 'oci-solve: ISOLATION=userns is for the native engine, and BuildKit is to build, because BUILDKIT_HOST names it; leave it out' ]
}

@test "oci-solve: what the native engine leaves out is BuildKit's, and the line says what it was" {
  with_parts_only
  chosen auto '.output.format = "oci" | .sbom = "" | .build_args = [{name: "BUILDKIT_SBOM_SCAN_STAGE", value: "true"}]' >said
  [ "$(cat said)" = 'oci-solve: engine: buildkit, because the build asks for SBOM with BUILDKIT_SBOM_SCAN_*' ]
  [[ "$stderr" == *"the program 'build"*"' is missing"* ]]
}

@test "oci-solve: BUILDKIT_HOST decides for BuildKit" {
  with_parts_only
  chosen auto '.remote = {host: "unix:///nowhere", ca_cert: null, cert: null, key: null}' >said
  [ "$(cat said)" = 'oci-solve: engine: buildkit, because BUILDKIT_HOST names it' ]
}

@test "oci-solve: the native engine refuses what it leaves out by name, with the way out" {
  make_request '.engine = "native"' '.output.format = "oci"' '.provenance = "mode=max,capture-usage=true"' >request
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"the build asks for PROVENANCE with 'capture-usage', which the native engine does not do; use ENGINE=buildkit" ]]
}

@test "oci-solve: the native engine refuses a provenance that BuildKit refuses, before it builds" {
  make_request '.engine = "native"' '.output.format = "oci"' '.provenance = "version=v9"' >request
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"PROVENANCE: invalid provenance SLSA version: v9; use 'v1' or 'v0.2'" ]]
}

@test "oci-solve: where neither engine can run the error says what each lacks" {
  [ "$(id -u)" -eq 0 ] || skip 'mounting needs root'
  make_request '.engine = "auto"' >request
  printf 'FROM scratch\n' >Dockerfile
  with_parts_only
  part buildctl 'exit 0'
  mkdir full
  run --separate-stderr unshare -m sh -c \
    'mount -t tmpfs -o ro full full && exec setpriv --reuid=65534 --clear-groups parts/oci-solve --work-dir full <request'
  [ "$status" -eq 1 ]
  [[ "$stderr" == "oci-solve: no engine can run here: the native one because cannot make a directory in 'full': Read-only file system, BuildKit because "*\
"'buildkitd'"*" not installed; set BUILDKIT_HOST to an engine elsewhere, or set TMPDIR or --work-dir to a directory that can be written" ]]
}

# in_user_namespace IDS SETGROUPS COMMAND...: runs it in a user namespace of that many ids, and with setgroups(2)
# allowed or not.
in_user_namespace() {
  python3 -c '
import ctypes, os, sys
ids, setgroups, command = sys.argv[1], sys.argv[2], sys.argv[3:]
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None).unshare(0x10000000) != 0:
        os._exit(99)
    os.write(ready[1], b"x")
    os.read(go[0], 1)
    os.execvp(command[0], command)
os.read(ready[0], 1)
for name, text in ("setgroups", setgroups), ("uid_map", "0 0 " + ids), ("gid_map", "0 0 " + ids):
    open(f"/proc/{child}/{name}", "w").write(text)
os.write(go[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))' "$@"
}

@test "oci-solve: where steps could not change users, none is run" {
  [ "$(id -u)" -eq 0 ] || skip 'mapping ids needs root'
  make_request '.engine = "native"' >request
  printf 'FROM scratch\nRUN ["x"]\n' >Dockerfile
  run --separate-stderr in_user_namespace 1 allow oci-solve <request
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"no step can run here (not namespaces: the user namespace around it maps one id alone, and steps and the files of images need others"* ]]
  run --separate-stderr in_user_namespace 65536 deny oci-solve <request
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"no step can run here (not namespaces: this container may not change users: Operation not permitted"* ]]
  run --separate-stderr in_user_namespace 65536 allow oci-solve <request
  [ "$status" -eq 1 ]
  [[ "$stderr" != *"may not change users"* ]]
}

@test "oci-solve: where the disk is full or a limit is reached, the advice is for that" {
  [ "$(id -u)" -eq 0 ] || skip 'mounting needs root'
  make_request '.engine = "native"' >request
  printf 'FROM scratch\n' >Dockerfile
  mkdir full
  run --separate-stderr unshare -m sh -c 'mount -t tmpfs -o nr_inodes=1 full full && exec oci-solve --work-dir full <request'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"the native engine cannot run here: cannot make a directory in 'full': No space left on device; make room there, or "* ]]
  [[ "$stderr" != *privileged* ]]
  run --separate-stderr unshare -m sh -c 'mount -t tmpfs -o ro full full && exec oci-solve --work-dir full <request'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"Read-only file system; set TMPDIR or --work-dir to a directory that can be written" ]]
  run --separate-stderr unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_pid_namespaces && exec oci-solve --isolation namespaces <request'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"a process namespace: the limit of them (sysctl user.max_*_namespaces) is reached; raise that limit" ]]
  run --separate-stderr unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_pid_namespaces && exec oci-solve <request'
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"native (isolation: copies, not namespaces: cannot make a process namespace: the limit of them"* ]]
}
