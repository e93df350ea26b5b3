#!/usr/bin/env bats
# Cache mounts live in the state directory, from build to build and between builds that run at the same time.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  mkdir cache
}

# request [FILTER...]: writes the request of a build of the Dockerfile on the cache.
request() {
  make_request '.engine = "native"' '.cache.directory = "cache"' "$(serve_busybox)" "$(to_output)" "$@" >request
}

# build_well [FILTER...]: builds so, and well.
build_well() {
  request "$@"
  run --separate-stderr oci-solve <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# step OPTIONS COMMAND [TEXT]: a Dockerfile of one step with a cache mount of these options on /c.
step() {
  printf 'FROM busybox\nRUN --mount=type=cache,target=/c%s %s\n' "$1" "$2" | dockerfile
}

# warnings: what the last build warned of, one a line.
warnings() { grep 'oci-solve: warning: ' <<<"$stderr"; }

# mounts: the entries of the store for cache mounts.
mounts() { find cache/native/mounts -mindepth 1 -maxdepth 1 | sort; }

@test "what a build leaves in a cache mount the next one finds" {
  step '' 'ls /c >/before; echo $((1 + $(cat /c/count || echo 0))) >/c/count; cp /c/count /after'
  build_well
  [ "$(image_file after)" = 1 ]
  build_well
  [ "$(image_file before)" = count ]
  [ "$(image_file after)" = 2 ]
  [ -z "$(warnings)" ]
  nothing_left
}
