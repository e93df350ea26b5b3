#!/usr/bin/env bats
# oci-solve --plan: what is cached, what would run and why, without a change to anything. Plans before the rebuilds of
# rebuilds.bats and the edits of native_edits.bats are held against the builds there.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() { enter_native_build; }

# request [FILTER...]: a build of the Dockerfile, into the file `request`.
request() {
  make_request '.engine = "native"' "$(serve_busybox)" "$(to_output)" "$@" >request
}

# places: what a build may read or write.
places() {
  local place
  for place in src out state files shared; do
    [ ! -e "$place" ] || state_of "$place"
  done
}

# plan [FILTER...]: the plan of that build, in $output; nothing is changed by it.
plan() {
  request "$@"
  places >before
  run --separate-stderr oci-solve --plan --state-dir state <request
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  places | diff before - || return
  nothing_left
}

# build_as_planned [FILTER...]: the plan of that build, then the build, which does as planned. The reasons and the like
# are in $PLANNED, one a line.
build_as_planned() {
  plan "$@"
  run -0 --separate-stderr oci-solve --plan --json --state-dir state <request
  echo "$output" >plan.json
  PLANNED=$(jq -r '.steps[] | .reason // "CACHED"' plan.json)
  rm -rf out/*
  run --separate-stderr oci-solve --state-dir state <request
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  built_as_planned plan.json
}

# planned LINE...: so it was.
planned() { diff <(printf '%s\n' "$@") <(echo "$PLANNED"); }

@test "a plan is text with the words of a build, and makes no state directory" {
  printf 'FROM busybox AS a\nRUN echo a >/a\nRUN echo b >/b\nFROM busybox\nCOPY --from=a /a /a\nRUN echo c\n' | dockerfile
  plan
  [ ! -e state ]
  diff - <(echo "$output") <<'END'
#1 [a 1/3] RUN echo a >/a
#1 would run: never built before
#2 [a 2/3] RUN echo b >/b
#2 would run: follows #1
#3 [stage-1 1/3] COPY --from=a /a /a
#3 unknown until #2 has run
#4 [stage-1 2/3] RUN echo c
#4 unknown until #2 has run
0 cached, 2 would run, 2 unknown
END
  [ "$stderr" = 'oci-solve: engine: native (isolation: namespaces), as asked for' ]
  build_as_planned
  build_as_planned
  planned CACHED CACHED CACHED CACHED
  # A cache that takes nothing is read all the same.
  run -0 --separate-stderr unshare -m sh -c 'mount --bind state state && mount -o remount,ro,bind state && oci-solve --plan --state-dir state <request'
  [ "${lines[-1]}" = '4 cached, 0 would run, 0 unknown' ]
}

# hosts NAME...: the jq filter that adds these.
hosts() {
  jq -nr '$ARGS.positional | map({host: ., ip: "127.0.0.2"}) | ".add_hosts = \(tojson)"' --args "$@"
}

@test "a plan gives each kind of reason, and the build does what it says" {
  local files
  mkdir -p src/d src/m files
  echo 1 >src/d/a
  echo 1 >src/m/a
  echo 1 >files/f
  files=".contexts = [{name: \"files\", directory: \"$PWD/files\"}]"
  write() {
    cat >src/Dockerfile <<END
FROM busybox AS other
ARG A
RUN echo $1 >/same; echo \$A >/other
FROM busybox
COPY d /d
COPY --from=files f /f
COPY --link --from=other /same /same
RUN --mount=source=m,target=/m cat /m/* >/copied
RUN ${2-echo last}
END
  }
  write one
  build_as_planned "$files"
  [ "$(head -n 1 <<<"$PLANNED")" = 'never built before' ]
  build_as_planned "$files"
  planned CACHED CACHED CACHED CACHED CACHED CACHED

  write one 'echo changed'
  build_as_planned "$files"
  planned CACHED CACHED CACHED CACHED CACHED 'the instruction changed'

  echo 2 >src/m/a
  touch src/m/{b,c,d,e}
  build_as_planned "$files"
  planned CACHED CACHED CACHED CACHED 'm/a changed, m/b is new, m/c is new (and 2 more)' 'follows #5'

  rm src/m/b
  build_as_planned "$files"
  planned CACHED CACHED CACHED CACHED 'm/b is gone' 'follows #5'

  echo 2 >files/f
  build_as_planned "$files"
  planned CACHED CACHED 'f changed' CACHED 'follows #3' 'follows #5'

  # A stage that would run may come to the same files, which nobody knows before.
  build_as_planned "$files" '.build_args = [{name: "A", value: "2"}]'
  planned 'the variable A is new' CACHED CACHED 'until #1 has run' 'until #1 has run' 'until #1 has run'
  [ "$(grep -c ' not cached: ' <<<"$stderr")" -eq 1 ]

  build_as_planned "$files" '.build_args = [{name: "A", value: "2"}]' "$(hosts one)"
  planned 'the added host one is new' CACHED CACHED 'until #1 has run' 'until #1 has run' 'until #1 has run'
  build_as_planned "$files" '.build_args = [{name: "A", value: "2"}]' "$(hosts two three)"
  [ "$(head -n 1 <<<"$PLANNED")" = 'the added host three is new, the added host two is new, the added host one is gone' ]
  build_as_planned "$files" '.build_args = [{name: "A", value: "2"}]' "$(hosts three two)"
  [ "$(head -n 1 <<<"$PLANNED")" = 'the added hosts changed' ]

  build_as_planned "$files" '.no_cache = true'
  planned NO_CACHE NO_CACHE NO_CACHE NO_CACHE NO_CACHE NO_CACHE
}

@test "a plan tells a base that changed, and what only a look at its files would tell" {
  make_base_layout() {
    printf 'FROM busybox\nRUN echo %s >/base\n' "$1" >src/Dockerfile
    request '.output.format = "oci"'
    rm -rf out/*
    oci-solve <request >/dev/null
    mv out/image "base-$1"
  }
  make_base_layout one
  make_base_layout two
  base() { preload context base "base-$1" "$(jq -r '.manifests[0].digest' "base-$1/index.json")"; }
  local targets='.targets = [{name: "stage-0", output: null}] + .targets'
  printf 'FROM base AS stage-0\nRUN echo a\nFROM busybox\nCOPY --from=base /base /base\n' | dockerfile
  build_as_planned "$(base one)" "$targets"
  planned 'never built before' 'until the files of docker.io/library/base:latest are looked at'
  build_as_planned "$(base one)" "$targets"
  planned CACHED CACHED
  build_as_planned "$(base two)" "$targets"
  [[ "$(head -n 1 <<<"$PLANNED")" =~ ^'the base image changed (sha256:'[0-9a-f]{12}' -> sha256:'[0-9a-f]{12}')'$ ]]
  # A stage that is cached has files that nobody has looked at.
  printf 'FROM busybox AS a\nRUN echo a >/a; echo b >/b\nFROM busybox\nCOPY --from=a /a /a\n' | dockerfile
  build_as_planned
  printf 'FROM busybox AS a\nRUN echo a >/a; echo b >/b\nFROM busybox\nCOPY --from=a /b /a\n' | dockerfile
  build_as_planned
  planned CACHED 'until the files of #1 are looked at'
}

@test "a plan tells what was pruned or is damaged, and leaves it" {
  printf 'FROM busybox\nRUN echo one >/one\nRUN echo two >/two\n' | dockerfile
  build_as_planned
  local step
  cp -a state whole
  while read -r step; do
    printf X >>"state/blobs/sha256/$(jq -r .digest "$step" | cut -d : -f 2)"
  done < <(grep -l '"instruction"' state/steps/*)
  plan
  [[ "$output" == *'#1 would run: its layer is damaged'*'#2 would run: follows #1'* ]]
  [[ "$stderr" != *warning* ]]
  build_as_planned
  planned 'its layer is damaged' 'follows #1'
  build_as_planned
  planned CACHED CACHED
  # Of the record, too.
  grep -l '"instruction"' state/steps/* | while read -r step; do printf X >"$step"; done
  plan
  [[ "$output" == *'#1 would run: its layer is damaged'* ]]
  # What is not there at all, layer or record, was pruned.
  rm -rf state
  mv whole state
  grep -l '"instruction"' state/steps/* | while read -r step; do
    rm "state/blobs/sha256/$(jq -r .digest "$step" | cut -d : -f 2)"
  done
  plan
  [[ "$output" == *'#1 would run: its layer was pruned'* ]]
  grep -l '"instruction"' state/steps/* | xargs rm
  plan
  [[ "$output" == *'#1 would run: its layer was pruned'* ]]
}

@test "a layer that turns out to be damaged while it is used is the reason in the build that is made again" {
  printf 'FROM busybox\nRUN head -c 3000000 /dev/urandom >/one\n' | dockerfile
  build_as_planned
  local layer
  layer=state/blobs/sha256/$(jq -r .digest "$(grep -l '"instruction"' state/steps/*)" | cut -d : -f 2)
  printf X | dd of="$layer" bs=1 seek=2000000 conv=notrunc status=none
  request
  run -0 --separate-stderr oci-solve --state-dir state <request
  [[ "$stderr" == *'building again, as a layer in the cache was damaged'*'not cached: its layer is damaged'* ]]
}

@test "a plan knows the caches of others" {
  printf 'FROM busybox\nRUN echo one >/one\nCOPY Dockerfile /\n' | dockerfile
  request '.cache.to = [{entry: "type=local,dest=shared"}]'
  oci-solve <request
  build_as_planned '.cache.from = [{entry: "type=local,src=shared"}]'
  planned CACHED CACHED
  # Of them alone.
  run -0 --separate-stderr oci-solve --plan <request
  request '.cache.from = [{entry: "type=local,src=shared"}]'
  run -0 --separate-stderr oci-solve --plan <request
  [ "${lines[-1]}" = '2 cached, 0 would run, 0 unknown' ]
  request
  run -0 --separate-stderr oci-solve --plan <request
  [ "${lines[1]}" = '#1 would run: there is no cache' ]
}

@test "a plan of what cannot be built is its error, one for BuildKit names the reason" {
  printf 'FROM busybox\nCOPY nothing /\n' | dockerfile
  request
  run --separate-stderr oci-solve --plan --state-dir state <request
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ "$stderr" == *Dockerfile:2*'"/nothing": not found'* ]]
  run --separate-stderr oci-solve --plan --engine buildkit <request
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "${stderr_lines[-1]}" = 'oci-solve: --plan: only the native engine tells what would run, and the engine is buildkit, as asked for' ]
  request '.engine = "auto"' '.output.format = "oci" | .provenance = "mode=max,inline-only=true"'
  run --separate-stderr oci-solve --plan <request
  [ "$status" -eq 1 ]
  [[ "${stderr_lines[-1]}" == *'the engine is buildkit, because the build asks for PROVENANCE with '\''inline-only'\' ]]
  run --separate-stderr oci-solve --json <request
  [ "$status" -eq 2 ]
}
