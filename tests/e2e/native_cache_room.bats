#!/usr/bin/env bats
# How large the cache of the native engine may stay.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  mkdir cache
  REGISTRY_PID=''
}

teardown() { stop_registry; }

# make_base N: `base-N`, an image of two megabytes that no other is like.
make_base() {
  mkdir -p "bases/$1"
  head -c 2M /dev/urandom >src/content
  printf 'FROM busybox\nCOPY content /content\n' | dockerfile
  make_request '.engine = "native"' "$(serve_busybox)" ".output.format = \"oci\" | .targets[0].output = \"bases/$1\"" |
    oci-solve >/dev/null
}

# build_on N [FILTER...]: builds, with the cache, something that needs `base-N` unpacked.
build_on() {
  local layout=bases/$1/image
  printf 'FROM base\nRUN test -s /content && echo done >/file\n' | dockerfile
  make_request '.engine = "native" | .cache.directory = "cache" | .no_cache = true' \
    "$(preload context base "$layout" "$(jq -r '.manifests[0].digest' "$layout/index.json")")" "${@:2}" "$(to_output)" >request
  run --separate-stderr oci-solve <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# on_disk: the kilobytes of the cache.
on_disk() { du -sk cache | cut -f 1; }

@test "a cache of changing bases stays as small as it is to be" {
  local n
  for n in {1..5}; do make_base "$n"; done
  for n in {1..5}; do
    build_on "$n" '.cache.max_size = 9000000'
    [ "$(on_disk)" -le 9000 ]
  done
  [[ "$stderr" == *'oci-solve: cache: freed '*' not used for longest, '*' stay'* ]]
  build_on 5 '.cache.max_size = 9000000'
  [[ "$stderr" == *CACHED* ]]
  build_on 1 '.cache.max_size = 9000000'
  [[ "$stderr" != *CACHED* ]]
  # What was used stays, even where nothing may.
  build_on 2 '.cache.max_size = 0'
  build_on 2 '.cache.max_size = 0'
  [[ "$stderr" == *CACHED* ]]
  [ "$(find cache/native/trees -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
  nothing_left
}

@test "what was not used for long goes from the cache" {
  make_base 1
  make_base 2
  build_on 1
  find cache/native/trees -mindepth 1 -maxdepth 1 -exec touch -d '3 days ago' {} +
  build_on 2 '.cache.max_age = 259200 + 3600'
  [ "$(find cache/native/trees -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ]
  build_on 2 '.cache.max_age = 86400'
  [ "$(find cache/native/trees -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}

@test "what the other engine left is mentioned where it is large, and stays" {
  make_base 1
  mkdir -p cache/buildkit/blobs/sha256
  truncate -s 900M cache/buildkit/blobs/sha256/one
  build_on 1
  [[ "$stderr" != *buildkit* ]]
  truncate -s 900M cache/buildkit/blobs/sha256/other
  build_on 1
  [[ "$stderr" == *"oci-solve: cache: 'cache/buildkit' holds 1.8 GiB that only ENGINE=buildkit uses"* ]] || { echo "$stderr"; return 1; }
  [ -e cache/buildkit/blobs/sha256/one ]
  # So it is with what the stock task has left in the directory itself.
  mv cache/buildkit/blobs cache
  rmdir cache/buildkit
  build_on 1
  [[ "$stderr" == *"oci-solve: cache: 'cache/blobs' holds 1.8 GiB that only ENGINE=buildkit uses"* ]] || { echo "$stderr"; return 1; }
  [ -e cache/blobs/sha256/one ]
}

@test "a cache that fills its disk makes room for what the last build used" {
  local n
  for n in 1 2 3; do make_base "$n"; done
  cat >fill <<'END'
set -e
mount -t tmpfs -o size=7M tmpfs cache  # not enough for two bases
for n in 1 2 2 2; do
  printf 'FROM base\nRUN test -s /content && echo done >/file\n' >src/Dockerfile
  oci-solve <"request-$n"
done
END
  for n in 1 2; do
    build_on "$n" '.cache.directory = null'
    jq '.cache.directory = "cache"' request >"request-$n"
  done
  run --separate-stderr unshare -m sh fill
  echo "$stderr"
  [ "$status" -eq 0 ]
  [ "$(grep -c 'nothing more of this build is kept in' <<<"$stderr")" -eq 1 ]
  [ "$(grep -c 'cache: freed ' <<<"$stderr")" -eq 1 ]
  [ "$(grep -c CACHED <<<"$stderr")" -eq 1 ]
}

@test "a build that finds the disk full of what others left in the cache makes room and comes to its end" {
  make_base 1
  make_base 2
  build_on 1 '.cache.directory = null'
  jq '.cache.directory = "cache"' request >request-1
  head -c 5M /dev/urandom >src/content
  printf 'FROM busybox\nCOPY content /content\nRUN echo done >/file\n' >src/large
  make_request '.engine = "native" | .cache.directory = "cache" | .dockerfile = "src/large"' "$(serve_busybox)" "$(to_output)" >large
  cat >fill <<'END'
set -e
mkdir disk
mount -t tmpfs -o size=20M tmpfs disk
mkdir disk/cache disk/tmp
mount --bind disk/cache cache
printf 'FROM base\nRUN test -s /content && echo done >/file\n' >src/Dockerfile
oci-solve --work-dir disk/tmp <request-1
# What is left does for the tree of the large build, but not for its layer too.
head -c "$(($(df --output=avail -B 1 disk | tail -n 1) - 10000000))" /dev/zero >disk/taken
oci-solve --work-dir disk/tmp <large
END
  run --separate-stderr unshare -m sh fill
  echo "$stderr"
  [ "$status" -eq 0 ]
  [[ "$stderr" == *'building again, as the disk was full: freed '*' that other builds left in the cache'* ]]
  [ "$(image_file file)" = done ]
}

# on_small_disk COMMANDS: runs them, by sh, in a directory on a disk of 20 MB that is their cache, work directory and output.
on_small_disk() {
  cat >small <<'END'
set -e
mkdir -p disk
mount -t tmpfs -o size=20M tmpfs disk
mkdir disk/cache disk/tmp disk/out
mount --bind disk/cache cache
mount --bind disk/tmp tmp
mount --bind disk/out out
sh -e -c "$1"
END
  run --separate-stderr unshare -m sh small "$1"
  echo "$stderr"
}

# fill_by STEP: a request of a build that keeps a base and a cache mount, and then runs the step.
fill_by() {
  printf 'FROM base\nRUN --mount=type=cache,target=/c head -c 1000000 /dev/zero >/c/1\nRUN %s\n' "$1" | dockerfile
  make_request '.engine = "native" | .cache.directory = "cache"' "$(to_output)" \
    "$(preload context base bases/1/image "$(jq -r '.manifests[0].digest' bases/1/image/index.json)")" >request
}

@test "a build for which the disk is too small says what takes how much of it" {
  local takes
  local cache="MiB the cache 'cache/native' \\([0-9.]+ KiB in layers, [0-9.]+ MiB in unpacked images, [0-9.]+ KiB in cache mounts, [0-9.]+ KiB in records\\); "
  make_base 1
  fill_by 'head -c 40000000 /dev/zero >/large'
  on_small_disk 'mkdir -p cache/buildkit/blobs; head -c 2000000 /dev/zero >cache/buildkit/blobs/1; head -c 3000000 /dev/zero >out/old; oci-solve <request'
  [ "$status" -eq 1 ]
  takes=$(grep -o 'what it takes: .*' <<<"$stderr")
  [[ "$stderr" =~ 'exit code: 1; the disk of the build is full, '[0-9.]+' MiB are of this step' ]]
  [[ "$takes" =~ $cache ]]
  [[ "$takes" == *"; 1.9 MiB 'cache/buildkit', which only ENGINE=buildkit uses; 2.9 MiB the output 'out'; "* ]]
  [[ "$takes" =~ '; what is free now: '[0-9.]+' MiB of 20.0 MiB by '"'cache/native'"$ ]]
  nothing_left
}

@test "so does one whose image finds no room" {
  make_base 1
  fill_by 'head -c 6000000 /dev/urandom >/large'
  on_small_disk 'head -c 4000000 /dev/zero >out/old; oci-solve <request'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *': No space left on device; what it takes: '*" MiB the cache 'cache/native' ("*"KiB in layers"*"; 3.8 MiB the output 'out'; "*" MiB this build in '$PWD/tmp/"*"; what is free now: "* ]]
}

# next_dockerfile: one of three projects that share the cache. Each time it makes half a megabyte that no other build
# makes, on a base that other builds may have pushed out.
next_dockerfile() {
  local project=$((RANDOM % 3))
  cat >src/Dockerfile <<END
FROM $REGISTRY/base:$project AS tools
RUN --mount=type=cache,id=$((RANDOM % 3)),target=/c head -c 100000 /dev/urandom >/c/$((RANDOM % 4)); echo $RANDOM >/tool
FROM $REGISTRY/base:$project
COPY --from=tools /tool /tool
RUN head -c 200000 /dev/urandom >/one; echo $((RANDOM % 6))
RUN head -c 300000 /dev/urandom >/two; echo $RANDOM
END
}

# build_killed: a build that dies at one of its calls, or at any time, or is through before.
build_killed() {
  local call calls=(write pwrite64 mkdir,mkdirat rename,renameat,renameat2 unlinkat clone,clone3 mount openat)
  if ((RANDOM % 2)); then
    call=${calls[RANDOM % ${#calls[@]}]}
    timeout 20 strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$((1 + RANDOM % 30))" \
      oci-solve <request >/dev/null 2>progress 3>&- || true
  else
    oci-solve <request >/dev/null 2>progress 3>&- &
    sleep "0.0$((RANDOM % 10))"
    kill -KILL $! || true
    wait $! || true
  fi
}

# is_in_order: of what builds leave behind only what has its place is there, and it is no more than it may be.
is_in_order() {
  local place
  [ "$(on_disk)" -le 11000 ] || { echo "$(on_disk) KiB:"; du -k cache | tail -n 20; return 1; }
  for place in cache/native/partial/*-*; do
    [ ! -e "$place" ] || { echo "left: $place"; return 1; }
  done
  for place in cache/native/{trees,mounts}/*; do
    [ ! -d "$place" ] || [ -e "$place/tree.json" ] || [ -e "$place/mount.json" ] || { echo "half: $place"; return 1; }
  done
  [ "$(ls -A out)" = image.tar ]
  nothing_left
}

@test "fifty builds of what changes all the time, some of them killed, leave what the last one used, and no more than may stay" {
  local n good=0 killed=0
  seed_random
  start_registry "$PWD/r"
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/base:0"
  for n in 1 2; do
    make_base "$n"
    push_image "bases/$n/image:latest" "$REGISTRY/base:$n"
  done
  make_request '.engine = "native" | .cache.directory = "cache" | .cache.max_size = 11000000' "$(to_output)" >request
  for ((n = 1; n <= ${OCI_BUILD_ROUNDS:-50}; ++n)); do
    next_dockerfile
    if ((RANDOM % 3 == 0)); then
      killed=$((killed + 1))
      build_killed
      continue
    fi
    good=$((good + 1))
    run --separate-stderr oci-solve <request
    [ "$status" -eq 0 ] || { echo "build $n, exit code $status: $stderr"; return 1; }
    [[ "$stderr" != *warning:* ]] || { echo "build $n: $stderr"; return 1; }
    is_in_order || { echo "build $n: $stderr"; return 1; }
    if ((good % 5 == 0)); then
      run --separate-stderr oci-solve <request
      [ "$status" -eq 0 ]
      run ! grep 'not cached: ' <<<"$stderr"
    fi
  done
  [ "$good" -gt "$killed" ]
  # Of all that the others left nothing has to stay.
  run --separate-stderr oci-solve <<<"$(jq -c '.cache.max_size = 0' request)"
  [ "$status" -eq 0 ]
  [ -z "$(ls -A cache/native/partial)" ]
  is_in_order
}
