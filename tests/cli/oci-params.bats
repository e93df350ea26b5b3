#!/usr/bin/env bats
# oci-params as people and `build` run it: exact documents, exact messages.

load ../support/load

setup() {
  documents=$(cd "$BATS_TEST_DIRNAME/../golden/documents" && pwd)
  cd "$BATS_TEST_TMPDIR" || return
  echo 'FROM scratch' >Dockerfile
}

# params NAME=VALUE...: oci-params in an environment of nothing but these
params() {
  env -i PATH="$PATH" "$@" oci-params
}

# shows DOCUMENT: the last output is that golden document; ACCEPT=1 rewrites it
shows() {
  jq . <<<"$output" >document.json
  if [[ ${ACCEPT-} == 1 ]]; then cp document.json "$documents/$1"; fi
  diff "$documents/$1" document.json
}

@test "oci-params: without parameters, builds the Dockerfile of the current directory" {
  run --separate-stderr params
  [ "$status" -eq 0 ]
  [ "$stderr" = '' ]
  shows request-smallest.json
}

@test "oci-params: the request that README shows" {
  mkdir image cache base
  touch base/image.tar
  run --separate-stderr params TARGET=release BUILD_ARG_version=1.2 IMAGE_ARG_base=base/image.tar \
    BUILDKIT_SECRETTEXT_token=hunter2 UNPACK_ROOTFS=true
  [ "$status" -eq 0 ]
  [ "$stderr" = '' ]
  shows README.request.json
}

@test "oci-params: prints one line, and no secret in it" {
  run --separate-stderr params BUILDKIT_SECRETTEXT_token=hunter2 https_proxy=http://me:hunter2@proxy
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 1 ]
  [[ "$output" != *hunter2* ]]
  [ "$(jq -c '.secrets, .proxies' <<<"$output")" = \
    '[{"id":"token","env":"BUILDKIT_SECRETTEXT_token","file":null}]'$'\n''[{"env":"https_proxy"}]' ]
}

@test "oci-params: takes names that no shell could set" {
  run --separate-stderr params 'BUILD_ARG_my-arg.x=a b' 'LABEL_org.example/a=1'
  [ "$status" -eq 0 ]
  [ "$(jq -c '.build_args + .labels' <<<"$output")" = \
    '[{"name":"my-arg.x","value":"a b"},{"name":"org.example/a","value":"1"}]' ]
}

@test "oci-params: shows every error at once, prints nothing and exits 1" {
  run --separate-stderr params UNPACK_ROOTFS=yse BUILD_ARGS_FILE=args.yml IMAGE_ARG_base=base.tar
  [ "$status" -eq 1 ]
  [ "$output" = '' ]
  [ "$stderr" = "oci-params: BUILD_ARGS_FILE: 'args.yml' does not exist; is its input missing from the task?
oci-params: IMAGE_ARG_base: 'base.tar' does not exist; is its input missing from the task?
oci-params: UNPACK_ROOTFS: 'yse' is neither true nor false; use 'true' or 'false'" ]
}

@test "oci-params: warns of a variable that is nearly a parameter, and goes on" {
  run --separate-stderr params BUILD_ARGS_FLIE=x UNPACK_ROOTF=true BUILD_ID=1 HOME=/
  [ "$status" -eq 0 ]
  [ "$stderr" = "oci-params: warning: 'BUILD_ARGS_FLIE' is no parameter; did you mean 'BUILD_ARGS_FILE'?
oci-params: warning: 'UNPACK_ROOTF' is no parameter; did you mean 'UNPACK_ROOTFS'?" ]
  shows request-smallest.json
}

@test "oci-params: warns also where an error ends the run" {
  run --separate-stderr params CONTEX=src DOCKERFILE=absent
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-params: warning: 'CONTEX' is no parameter; did you mean 'CONTEXT'?
oci-params: DOCKERFILE: 'absent' does not exist; is its input missing from the task?" ]
}

@test "oci-params: an output that is a file is an error before anything is built" {
  touch image
  run --separate-stderr params
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-params: outputs: the output 'image' is not a directory; remove it, or name it as an output of the task" ]
}

@test "oci-params: an environment that is not UTF-8 is an error only where it counts" {
  run --separate-stderr params "NOISE=$(printf '\377')"
  [ "$status" -eq 0 ]
  run --separate-stderr params "TARGET=$(printf '\377')"
  [ "$status" -eq 1 ]
  [ "$stderr" = 'oci-params: TARGET: the value is not UTF-8' ]
}

@test "oci-params: --list names every parameter with a line about it" {
  run --separate-stderr oci-params --list
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = $'CONTEXT\tdirectory or URL of the build context (default .)' ]
  [ "$(grep -c $'^[A-Z_]*[*]\\?\t[^\t]*$' <<<"$output")" -eq "${#lines[@]}" ]
}

@test "oci-params: --list needs no Dockerfile" {
  rm Dockerfile
  run -0 oci-params --list
}

@test "oci-params: its man page describes every parameter" {
  page=$BATS_TEST_DIRNAME/../../tools/oci-params/oci-params.1
  run -0 oci-params --list
  for line in "${lines[@]}"; do
    name=${line%%$'\t'*}
    echo "$name"
    grep -qE "^\.(B|BI) ${name%\*}( |\$)" "$page"
  done
}

@test "oci-params: output that cannot be written is an error" {
  run bash -c 'oci-params >/dev/full'
  [ "$status" -eq 1 ]
  [[ "$output" == 'oci-params: cannot write to stdout'* ]]
}
