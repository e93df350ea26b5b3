#!/usr/bin/env bats
# The directory cache/, CACHE_FROM, CACHE_TO and NO_CACHE. Engines of their own: a shared one remembers by itself.

# bats file_tags=buildkit

load ../support/load

setup() {
  require_engine
  enter_task image cache
  cp "$FIXTURES"/basic/* .
}

# own_engine NAME=VALUE...: a build on an engine that `build` starts.
own_engine() {
  succeed_task BUILDKIT_HOST= BUILD_CONTEXTS="busybox=$BASES/busybox" "$@"
}

@test "cache: what a build leaves in cache/ serves the next one" {
  own_engine
  [ -e cache/buildkit/index.json ]
  digest=$(cat image/digest)
  own_engine
  [[ $stderr =~ \#[0-9]+\ CACHED ]]
  did_not_say 'the greeting is: hello'
  [ "$(cat image/digest)" = "$digest" ]
}

@test "cache: it holds only what the last build used" {
  head -c 2000000 /dev/urandom >greeting
  printf 'FROM busybox\nCOPY greeting /\n' >Dockerfile
  own_engine
  before=$(du -s cache | cut -f 1)
  head -c 2000000 /dev/urandom >greeting
  own_engine
  [ "$(du -s cache | cut -f 1)" -le $((before + 100)) ]
  [ "$(files_in cache | wc -w)" -eq 2 ] # the cache, and the link that names it
}

@test "cache: a failed build leaves the cache of the last one" {
  own_engine
  cp -a cache "$BATS_TEST_TMPDIR/before"
  echo 'RUN false' >>Dockerfile
  run_task BUILDKIT_HOST= BUILD_CONTEXTS="busybox=$BASES/busybox"
  [ "$status" -eq 1 ]
  diff -r cache "$BATS_TEST_TMPDIR/before"
}

@test "cache: steps of additional targets are cached too" {
  cat >Dockerfile <<'END'
FROM busybox AS additional
RUN echo "a step of additional" >/additional
FROM busybox
RUN echo "a step of the last stage" >/last
END
  own_engine ADDITIONAL_TARGETS=additional
  own_engine ADDITIONAL_TARGETS=additional
  did_not_say ' a step of '
}

@test "cache: one that the stock task left is used and replaced" {
  own_engine CACHE_TO=type=local,dest=stock,mode=max
  rm -rf cache
  mv stock cache
  own_engine
  did_not_say 'the greeting is: hello'
  [ ! -e cache/index.json ]
  [ -e cache/buildkit/index.json ]
}

@test "cache: a damaged one is no reason to fail" {
  own_engine
  echo '{' >cache/buildkit/index.json
  own_engine
  said 'the greeting is: hello'
}

@test "no cache: NO_CACHE runs every step again" {
  own_engine
  own_engine NO_CACHE=true
  said 'the greeting is: hello'
}

@test "cache to and from: a directory of the user's choice" {
  rmdir cache
  own_engine CACHE_TO=type=local,dest=mine,mode=max
  [ -e mine/index.json ]
  own_engine CACHE_FROM=type=local,src=mine
  [[ $stderr =~ \#[0-9]+\ CACHED ]]
  did_not_say 'the greeting is: hello'
}

@test "cache to and from: a registry" {
  rmdir cache
  own_engine CACHE_TO="type=registry,ref=$HUB/cache/basic:1,mode=max"
  own_engine CACHE_FROM="type=registry,ref=$HUB/cache/basic:1"
  did_not_say 'the greeting is: hello'
}
