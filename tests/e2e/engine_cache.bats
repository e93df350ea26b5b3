#!/usr/bin/env bats
# The task's cache directory, and caches elsewhere.

# bats file_tags=buildkit

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_build
  mkdir cache
}

teardown() {
  stop_registry
}

cached() { echo '.cache.directory = "cache"'; }

# blobs: the digests in the cache, one a line.
blobs() { ls cache/buildkit/blobs/sha256; }

# steps_cached: how many steps came from a cache in the last build.
steps_cached() { grep -c '^#[0-9]* CACHED' <<<"$stderr"; }

three_steps() {
  dockerfile <<END
FROM busybox
RUN head -c 300000 /dev/urandom >/large
RUN echo "${1:-one}" >/small
COPY Dockerfile /d
END
}

@test "the next build, with a daemon of its own, takes its steps from the cache" {
  three_steps
  solve_well "$(cached)" "$(to_output)"
  local first
  first=$(image_digest)
  solve_well "$(cached)" "$(to_output)"
  [ "$(steps_cached)" -ge 3 ]
  [ "$(image_digest)" = "$first" ]
  nothing_left
}

@test "blobs that stay are not written again" {
  three_steps
  solve_well "$(cached)"
  blobs | while read -r blob; do stat -c '%i %n' "cache/buildkit/blobs/sha256/$blob"; done >before
  [ "$(wc -l <before)" -ge 4 ]
  solve_well "$(cached)"
  cut -d ' ' -f 1 before | sort >inodes-before
  find cache/buildkit/ -type f -path '*/blobs/*' -printf '%i\n' | sort >inodes-after
  # All layers stay; only the cache's own record may be written anew.
  [ "$(comm -12 inodes-before inodes-after | wc -l)" -ge $(($(wc -l <before) - 2)) ]
}

@test "the cache never grows beyond what the last build used" {
  local round
  for round in 1 2 3 4; do
    three_steps "$round"
    solve_well "$(cached)" '.no_cache = true'
    du -s --apparent-size cache | cut -f 1 >>sizes
    find cache -mindepth 1 -maxdepth 1 | wc -l >>entries
  done
  [ "$(sort -u entries)" = 2 ]
  [ "$(tail -n 1 sizes)" -le $(($(head -n 1 sizes) + 8)) ]
}

@test "a build that fails leaves the cache as it was" {
  three_steps
  solve_well "$(cached)"
  find cache | sort >before
  printf 'FROM busybox\nRUN echo new >/new\nRUN exit 1\n' | dockerfile
  solve "$(cached)"
  [ "$status" -eq 1 ]
  find cache | sort | diff before -
}

@test "a build that is stopped leaves the cache as it was" {
  three_steps
  solve_well "$(cached)"
  find cache | sort >before
  printf 'FROM busybox\nRUN echo step-is-run""ning; sleep 1000\n' | dockerfile
  start_build "$(cached)"
  wait_until 60 grep -q step-is-running progress
  kill -TERM "$BUILD_PID"
  ended_with 143
  find cache | sort | diff before -
}

@test "what a killed build left in the cache is removed by the next one" {
  three_steps
  solve_well "$(cached)"
  printf 'FROM busybox\nRUN echo step-is-run""ning; sleep 1000\n' | dockerfile
  start_build "$(cached)"
  wait_until 60 grep -q step-is-running progress
  kill -KILL "$BUILD_PID"
  ended_with 137
  [ "$(find cache -mindepth 1 -maxdepth 1 | wc -l)" -eq 3 ]
  three_steps
  solve_well "$(cached)"
  [ "$(find cache -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ]
}

@test "every target of the last build is cached" {
  dockerfile <<'END'
FROM busybox AS first
RUN echo first >/stage
FROM busybox AS second
RUN echo second >/stage
END
  local targets='.targets = [{name: "first", output: null}, {name: "second", output: null}]'
  solve_well "$(cached)" "$targets"
  solve_well "$(cached)" "$targets"
  [ "$(steps_cached)" -ge 2 ]
  # One target alone then keeps no more than its own.
  local both
  both=$(blobs | wc -l)
  solve_well "$(cached)" '.targets = [{name: "first", output: null}]'
  [ "$(blobs | wc -l)" -lt "$both" ]
}

@test "a cache that the stock task left is used once and then replaced" {
  three_steps
  start_buildkitd "$PWD/tmp/bk"
  # As the stock task calls buildctl, but for the base image.
  buildctl --addr "$BUILDKITD_ADDRESS" build --frontend dockerfile.v0 --local context=src --local dockerfile=src \
    --oci-layout base="$BATS_FILE_TMPDIR/busybox" \
    --opt "context:busybox=oci-layout://base@$(cat "$BATS_FILE_TMPDIR/busybox.digest")" \
    --export-cache type=local,mode=max,dest=cache
  stop_buildkitd
  rm -rf tmp/bk
  [ -e cache/index.json ]
  solve_well "$(cached)" "$(to_output)"
  [ "$(steps_cached)" -ge 2 ]
  [ ! -e cache/index.json ]
  [ ! -e cache/blobs ]
  solve_well "$(cached)" "$(to_output)"
  [ "$(steps_cached)" -ge 2 ]
}

@test "a damaged cache is no reason to fail" {
  three_steps
  solve_well "$(cached)"
  echo '{' >cache/buildkit/index.json
  solve_well "$(cached)" "$(to_output)"
  [ -s out/image.tar ]
  solve_well "$(cached)"
  [ "$(steps_cached)" -ge 2 ]
}

@test "a cache whose blobs are gone is no reason to fail" {
  three_steps
  solve_well "$(cached)"
  rm cache/buildkit/blobs/sha256/*
  solve_well "$(cached)" "$(to_output)"
  [ -s out/image.tar ]
}

@test "a cache directory that cannot be written is read, with a warning" {
  three_steps
  solve_well "$(cached)"
  mkdir lower
  cp -a cache/. lower/
  run --separate-stderr unshare -m sh -c 'mount --bind lower cache && mount -o remount,bind,ro cache && oci-solve <request'
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"oci-solve: warning: the cache is used but not rewritten: "* ]]
}

@test "the cache works on a copy-on-write volume whose directories come from an earlier build" {
  three_steps
  solve_well "$(cached)"
  mkdir -p volumes/upper volumes/work
  mv cache volumes/lower
  mkdir cache
  three_steps two
  make_request "$(serve_busybox)" "$(cached)" >request
  # As on a Concourse worker without redirect_dir, where renaming such a directory fails with EXDEV.
  cat >mounted <<'END'
mount -t tmpfs tmpfs volumes/upper && mkdir volumes/upper/u volumes/upper/w
mount -t overlay overlay -o lowerdir=volumes/lower,upperdir=volumes/upper/u,workdir=volumes/upper/w,redirect_dir=off cache
oci-solve <request || exit
oci-solve <request || exit
ls cache | wc -l >entries
END
  run --separate-stderr unshare -m sh mounted
  echo "$stderr"
  [ "$status" -eq 0 ]
  [ "$(steps_cached)" -ge 4 ]
  [[ "$stderr" != *warning* ]]
  [ "$(cat entries)" -eq 2 ]
}

@test "caches in a registry and in a directory are written and read" {
  three_steps
  start_registry "$PWD/registry"
  solve_well ".cache.to = [{entry: \"type=registry,ref=$REGISTRY/cache,mode=max\"}, {entry: \"type=local,dest=elsewhere,mode=max\"}]"
  solve_well ".cache.from = [{entry: \"type=registry,ref=$REGISTRY/cache\"}]"
  [ "$(steps_cached)" -ge 2 ]
  solve_well '.cache.from = [{entry: "type=local,src=elsewhere"}]'
  [ "$(steps_cached)" -ge 2 ]
}

@test "a cache that BuildKit wrote is one line and no hit for the native engine" {
  three_steps
  start_registry "$PWD/registry"
  local place
  solve_well '.engine = "buildkit"' ".cache.to = [{entry: \"type=registry,ref=$REGISTRY/cache,mode=max\"}, {entry: \"type=local,dest=elsewhere,mode=max\"}]"
  for place in "type=registry,ref=$REGISTRY/cache" type=local,src=elsewhere; do
    solve_well '.engine = "native"' ".cache.from = [{entry: \"$place\"}]"
    [ "$(grep -c 'warning: no cache from .*: BuildKit wrote it' <<<"$stderr")" -eq 1 ]
    [[ "$stderr" == *'not cached: never built before'* ]]
  done
}
