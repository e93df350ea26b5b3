#!/usr/bin/env bats
# Cache mounts live in the state directory, from build to build and between builds that run at the same time.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  mkdir cache
}

teardown() {
  if [ -n "${HOLDER:-}" ]; then kill -KILL "$HOLDER" 2>/dev/null || true; fi
  umount -l cache 2>/dev/null || true
}

# request [FILTER...]: writes the request of a build of the Dockerfile on the cache.
request() {
  make_request '.engine = "native"' '.cache.directory = "cache"' '.no_cache = true' "$(serve_busybox)" "$(to_output)" "$@" >request
}

# build_well [FILTER...]: builds so, and well.
build_well() {
  request "$@"
  run --separate-stderr oci-solve <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# step OPTIONS COMMAND: a Dockerfile of one step with a cache mount of these options on /c.
step() {
  printf 'FROM busybox\nRUN --mount=type=cache,target=/c%s %s\n' "$1" "$2" | dockerfile
}

# warnings: what the last build warned of, one a line.
warnings() { grep 'oci-solve: warning: ' <<<"$stderr"; }

# mounts: how many directories the store has for cache mounts.
mounts() { find cache/native/mounts -mindepth 1 -maxdepth 1 | wc -l; }

# count_to N [FILTER...]: builds, and the step finds what N - 1 builds before have counted.
count_to() {
  build_well "${@:2}"
  [[ "$stderr" == *" counted $1"* ]] || { echo "not $1: $(grep counted <<<"$stderr")"; return 1; }
}

# shellcheck disable=SC2016  # the dollars are the step's
counting='echo $((1 + $(cat /c/count 2>/dev/null || echo 0))) >/c/count; echo counted $(cat /c/count)'

# hold OPTIONS: another build of one step, HOLDER, which uses the cache mount until there is /c/go.
hold() {
  mkdir -p other/src other/out
  printf 'FROM busybox\nRUN --mount=type=cache,target=/c%s touch /c/busy; until [ -e /c/go ]; do usleep 5000; done; rm /c/busy /c/go; touch /c/held\n' "$1" >other/src/Dockerfile
  CONTEXT=other/src make_request '.engine = "native"' '.cache.directory = "cache"' '.no_cache = true' "$(serve_busybox)" >other/request
  oci-solve <other/request >other/result 2>other/progress 3>&- &
  HOLDER=$!
  wait_until 20 holds || { cat other/progress; return 1; }
}

# holds: the other build's step runs. BUSY is the directory that it uses.
holds() {
  BUSY=$(find cache/native/mounts -mindepth 3 -maxdepth 3 -name busy -printf '%h' 2>/dev/null) && [ -n "$BUSY" ]
}

# let_go: ends it, well.
let_go() {
  touch "$BUSY/go"
  wait "$HOLDER"
  HOLDER=
}

@test "what a build leaves in a cache mount the next one finds, and no image" {
  step '' "$counting"
  count_to 1
  count_to 2
  [ -z "$(warnings)" ]
  [ -z "$(image_file c/count)" ]
  [ "$(mounts)" -eq 1 ]
  # Whatever else the Dockerfile and the step are.
  printf 'FROM busybox AS other\nFROM scratch\nCOPY --from=other / /\nRUN --mount=type=cache,id=/c,target=/d echo counted `cat /d/count`\n' | dockerfile
  count_to 2
  nothing_left
}

@test "a cache mount is known by its id, its namespace, and what it begins with" {
  local options
  for options in '' ,id=other ,uid=5 ,mode=0700,uid=5,gid=6; do
    step "$options" "stat -c '%a %u %g' /c; $counting"
    count_to 1
  done
  count_to 2
  [[ "$stderr" == *' 700 5 6'* ]]
  count_to 1 '.build_args = [{name: "BUILDKIT_CACHE_MOUNT_NS", value: "space"}]'
  count_to 3
  # Who may use it at the same time is no part of that.
  step ,mode=0700,uid=5,gid=6,sharing=locked "$counting"
  count_to 4
  step ,mode=0700,uid=5,gid=6,sharing=private,ro 'echo counted `cat /c/count`; ! touch /c/new'
  count_to 4
  [ "$(mounts)" -eq 5 ]
}

# seeded TEXT COMMAND: a Dockerfile whose cache mount begins as /seed of a stage in which COMMAND left TEXT there.
seeded() {
  printf 'FROM busybox AS seed\nRUN mkdir -m 0710 /seed; %s; echo %s >/seed/text\nFROM busybox\nRUN --mount=type=cache,target=/c,from=seed,source=/seed stat -c %%a /c; cat /c/text; %s\n' \
    "$2" "$1" "$counting" | dockerfile
}

@test "one that begins as a directory of a stage goes on as long as the stage has the same there" {
  seeded one true
  count_to 1
  seeded one 'echo something else >/etc/motd'
  count_to 2
  [[ "$stderr" == *' 710'* ]]
  seeded two true
  count_to 1
  [[ "$stderr" == *' two'* ]]
  seeded one true
  count_to 3
  [[ "$stderr" == *' one'* ]]
}

@test "one may begin as files of a named context" {
  mkdir -p files/seed
  echo seed >files/seed/text
  step ,from=files,source=/seed "cat /c/text; $counting"
  count_to 1 '.contexts = [{name: "files", directory: "files"}]'
  count_to 2 '.contexts = [{name: "files", directory: "files"}]'
  [[ "$stderr" == *' seed'* ]]
  echo other >files/seed/text
  count_to 1 '.contexts = [{name: "files", directory: "files"}]'
}

@test "builds that run at the same time share a shared cache mount" {
  hold ''
  step '' 'ls /c >/seen; touch /c/go; until [ -e /c/held ]; do usleep 5000; done'
  build_well
  [ "$(image_file seen)" = busy ]
  wait "$HOLDER"
  [ "$(mounts)" -eq 1 ]
}

@test "a private cache mount that another build has is another" {
  hold ,sharing=private
  step ,sharing=private 'ls -A /c >/seen; touch /c/second'
  build_well
  [ -z "$(image_file seen)" ]
  # Who shares does not take it either.
  step '' 'ls -A /c >/seen'
  build_well
  [ "$(image_file seen)" = second ]
  let_go
  step ,sharing=private 'ls -A /c >/seen'
  build_well
  [ "$(image_file seen)" = held ]
  [ "$(mounts)" -eq 2 ]
}

# wait_for_other: starts a build, WAITING, and returns when it has come to its step, in which it waits.
wait_for_other() {
  oci-solve <request >result 2>progress 3>&- &
  WAITING=$!
  wait_until 20 grep -q '\] RUN' progress || { cat progress; return 1; }
}

@test "a locked cache mount is waited for, also when its user is killed, and no longer than a signal" {
  local started options
  for options in ,sharing=locked '' ,sharing=private; do
    rm -rf cache/*
    hold "$options"
    printf 'FROM busybox\nRUN --mount=type=cache,target=/c,sharing=locked ls /c >/seen\n' | dockerfile
    request
    wait_for_other
    started=$SECONDS
    kill -TERM "$WAITING"
    wait "$WAITING" && return 1
    [ $((SECONDS - started)) -le 5 ]
    [ ! -s result ]
    wait_for_other
    if [ "$options" = ,sharing=locked ]; then
      wait_until 20 grep -q "waiting for the cache '/c', which another step or build uses" progress
      kill -KILL "$HOLDER" "$(tr -d ' ' <"/proc/$HOLDER/task/$HOLDER/children")"
      wait "$HOLDER" && return 1
      HOLDER=
      wait "$WAITING"
      [ "$(image_file seen)" = busy ]
    else
      let_go
      wait "$WAITING"
      [ "$(image_file seen)" = held ]
    fi
    [ "$(mounts)" -eq 1 ]
  done
}

@test "steps of two builds that lock the same cache mounts in another order never wait for each other" {
  local first second
  first='--mount=type=cache,id=a,target=/a,sharing=locked'
  second='--mount=type=cache,id=b,target=/b,sharing=locked'
  mkdir -p other/src
  printf 'FROM busybox\nRUN %s %s mkdir /a/busy /b/busy && usleep 50000 && rmdir /a/busy /b/busy\n' "$first" "$second" | dockerfile
  printf 'FROM busybox\nRUN %s %s mkdir /b/busy /a/busy && usleep 50000 && rmdir /a/busy /b/busy\n' "$second" "$first" >other/src/Dockerfile
  CONTEXT=other/src make_request '.engine = "native"' '.cache.directory = "cache"' '.no_cache = true' "$(serve_busybox)" >other/request
  for _ in 1 2 3; do
    oci-solve <other/request >other/result 2>other/progress 3>&- &
    build_well
    wait $! || { cat other/progress; return 1; }
  done
}

@test "a build that is killed in a step leaves the cache mount to the next one" {
  hold ''
  kill -KILL "$HOLDER" "$(tr -d ' ' <"/proc/$HOLDER/task/$HOLDER/children")"
  wait "$HOLDER" && return 1
  HOLDER=
  step ,sharing=locked 'ls /c >/seen'
  build_well
  [ "$(image_file seen)" = busy ]
  [ -z "$(warnings)" ]
  [ -z "$(ls cache/native/partial)" ]
}

@test "a step can lead nothing astray by what it leaves, and its mode keeps nobody out" {
  mkdir outside
  echo outside >outside/file
  step '' "ln -s $PWD/outside /c/link; ln -s / /c/root; mkfifo /c/fifo; mknod /c/zero c 1 5; mkdir /c/d; chmod 0 /c/d; chown 5:5 /c; chmod 0 /c"
  build_well
  step ,sharing=locked 'ls -A /c >/seen; stat -c "%a %u" /c >/facts'
  build_well
  [ "$(image_file seen | tr '\n' ' ')" = 'd fifo link root zero ' ]
  [ "$(image_file facts)" = '0 5' ]
  # Also when it goes.
  step ,id=other true
  build_well '.cache.max_size = 0'
  [ "$(mounts)" -eq 1 ]
  [ -z "$(warnings)" ]
  [ "$(cat outside/file)" = outside ]
}

@test "what is of the wrong kind where a cache mount should be is replaced, with one warning" {
  local path kind
  mkdir outside
  echo outside >outside/file
  step '' "$counting"
  count_to 1
  for path in cache/native/mounts cache/native/mounts/* cache/native/mounts/*/root cache/native/mounts/*/mount.json; do
    for kind in fifo link; do
      rm -rf "$path"
      if [ "$kind" = fifo ]; then mkfifo "$path"; else ln -s "$PWD/outside" "$path"; fi
      count_to 1
      [ "$(warnings | wc -l)" -eq 1 ] || { echo "$path as $kind:"; warnings; return 1; }
    done
    count_to 2
    [ -z "$(warnings)" ]
  done
  [ "$(ls outside)" = file ]
}

# on_disk: the kilobytes of the cache.
on_disk() { du -sk cache | cut -f 1; }

@test "cache mounts count for what may stay in the cache, and those in use stay" {
  local n
  # What a mount has grown shows in what is free on its disk, where nobody else may give anything back.
  mount -t tmpfs tmpfs cache || skip 'nothing can be mounted here'
  for n in 1 2 3 4; do
    step ",id=$n" "head -c 2000000 /dev/urandom >/c/$n"
    build_well '.cache.max_size = 7000000'
    [ "$(on_disk)" -le 7000 ]
  done
  [ "$(mounts)" -lt 4 ]
  [ -n "$(find cache/native/mounts -name 4)" ]
  [[ "$stderr" == *'oci-solve: cache: freed '*' not used for longest, '*' stay'* ]]
  # One that grows with each build.
  for n in 5 6 7; do
    step ,id=4 "head -c 2000000 /dev/urandom >/c/$n"
    build_well '.cache.max_size = 7000000'
  done
  [ "$(mounts)" -eq 1 ]
  step ,id=4 'ls /c >/seen'
  build_well '.cache.max_size = 0'
  [ "$(image_file seen | tr '\n' ' ')" = '4 5 6 7 ' ]
  # While another build has the cache nothing goes.
  hold ,id=held
  step ,id=last true
  build_well '.cache.max_size = 0'
  [ "$(mounts)" -eq 3 ]
  let_go
  build_well '.cache.max_size = 0'
  [ "$(mounts)" -eq 1 ]
}

@test "a cache that is full costs no build its cache mounts" {
  step '' 'head -c 3000000 /dev/zero >/c/file && wc -c </c/file >/size'
  request
  cat >fill <<'END'
set -e
mount -t tmpfs -o size=12M tmpfs cache
oci-solve <request
fill() { head -c "$(($(df --output=avail -B 1 cache | tail -n 1) - $1))" /dev/zero >"cache/filled$1"; }
fill 100000
oci-solve <request
END
  run --separate-stderr unshare -m sh fill
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  [ "$(warnings | wc -l)" -eq 1 ] || { echo "$stderr"; return 1; }
  [[ "$(warnings)" == *'nothing more of this build is kept in '*': cannot write to the cache mounts: No space left on device' ]]
  [ "$(image_file size)" = 3000000 ]
  nothing_left
}

@test "a step that fails as its cache mount is full is run again once other things in the cache have gone" {
  local n
  for n in 1 2; do
    step ",id=$n" 'rm -f /c/file && head -c 5000000 /dev/zero >/c/file && wc -c </c/file >/size'
    request
    mv request "request-$n"
    cp src/Dockerfile "src/Dockerfile-$n"
    jq -c --arg n "$n" '.dockerfile = "src/Dockerfile-" + $n' "request-$n" >request && mv request "request-$n"
  done
  cat >fill <<'END'
set -e
mount -t tmpfs -o size=11M tmpfs cache
oci-solve <request-1
oci-solve <request-2
END
  run --separate-stderr unshare -m sh fill
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  [ "$(warnings | wc -l)" -eq 1 ]
  [[ "$(warnings)" == *'building again, as the disk was full: freed '* ]] || { echo "$stderr"; return 1; }
  [ "$(image_file size)" = 5000000 ]
}

@test "cache mounts of a task go on where its cache is an overlay" {
  step ,sharing=locked "mv /c/d /c/e; mkdir /c/d; touch /c/d/\$(cat /c/count 2>/dev/null); $counting"
  count_to 1
  in_later_tasks 'oci-solve <request; oci-solve <request' 'oci-solve <request; oci-solve <request'
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  [[ "$stderr" == *' counted 2'*' counted 3'*' counted 4'*' counted 5'* ]]
  [ -z "$(warnings)" ]
  [ "$(mounts)" -eq 1 ]
}

@test "without a cache directory cache mounts last as long as the build" {
  printf 'FROM busybox\nRUN --mount=type=cache,target=/c touch /c/1\nRUN --mount=type=cache,target=/c ls /c >/seen\n' | dockerfile
  build_well '.cache.directory = null'
  [ "$(image_file seen)" = 1 ]
  nothing_left
  build_well '.cache.directory = null'
  [ "$(image_file seen)" = 1 ]
  # A directory for all builds of this machine does as well as a task's.
  step '' "$counting"
  request '.cache.directory = null'
  oci-solve --state-dir state <request
  run --separate-stderr oci-solve --state-dir state <request
  [[ "$stderr" == *' counted 2'* ]]
}
