#!/usr/bin/env bats
# The task's cache, full, damaged or cut by a kill: it costs time, but never a build.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  mkdir cache
  printf 'FROM busybox\nRUN echo done >/file\n' | dockerfile
  make_request '.engine = "native"' '.cache.directory = "cache"' '.no_cache = true' "$(serve_busybox)" "$(to_output)" >request
}

# warnings: what the last build warned of, one a line.
warnings() { grep 'oci-solve: warning: ' <<<"$stderr"; }

# build_well [COMMAND...]: builds, by this command, and the image is right.
build_well() {
  rm -rf out/*
  run --separate-stderr "${@:-oci-solve}" <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
  [ "$(image_file file)" = done ]
}

# hits: the last build found the base unpacked, and nothing to warn of.
hits() {
  [[ "$stderr" == *CACHED* ]] || { echo "no hit: $stderr"; return 1; }
  [ -z "$(warnings)" ] || { warnings; return 1; }
}

@test "a cache without space or without inodes is passed over, with one warning" {
  local options
  for options in size=300k nr_inodes=12 nr_inodes=4; do
    # shellcheck disable=SC2016
    build_well unshare -m sh -c 'mount -t tmpfs -o "$1" tmpfs cache && oci-solve || exit
      find cache/native/partial -mindepth 1 >left 2>/dev/null || true' sh "$options"
    [ "$(warnings | wc -l)" -eq 1 ] || { warnings; return 1; }
    [[ "$(warnings)" == *'No space left on device' ]]
    [ ! -s left ]
  done
  nothing_left
}

# on_disk COMMAND: runs it, by sh, with the file `disk` mounted on `cache`, where nobody else sees it.
on_disk() {
  # shellcheck disable=SC2016
  unshare -m sh -c 'mount -o loop disk cache && sh -c "$1"; code=$?; umount -l cache; exit $code' sh "$1"
}

@test "a cache whose quota is exhausted is passed over, with one warning" {
  truncate -s 120M disk
  mkfs.btrfs --quiet disk
  build_well on_disk 'btrfs quota enable cache && btrfs qgroup limit 300K cache && oci-solve'
  [ "$(warnings | wc -l)" -eq 1 ]
  [[ "$(warnings)" == *'Disk quota exceeded' ]]
  nothing_left
}

@test "a cache on a disk that fails is passed over" {
  local size tried_again=0
  truncate -s 64M disk
  mkfs.ext4 -q disk
  build_well on_disk oci-solve
  cp --sparse=always disk whole
  for size in 3 6 9 12; do
    cp --sparse=always whole disk
    # Behind the end of the file that stands for it nothing can be read.
    build_well on_disk "truncate -s ${size}M disk && oci-solve"
    [[ "$stderr" != *'building again without the cache, whose disk may be failing: '*'Input/output error'* ]] ||
      tried_again=$((tried_again + 1))
  done
  [ "$tried_again" -gt 0 ]
  nothing_left
}

@test "what is of the wrong kind in the cache is replaced, with one warning, and read by nobody" {
  local path kind
  mkdir outside
  echo outside >outside/file
  build_well
  build_well
  hits
  for path in cache/native cache/native/trees cache/native/format cache/native/trees/* cache/native/trees/*/tree.json; do
    for kind in fifo link; do
      rm -rf "$path"
      if [ "$kind" = fifo ]; then mkfifo "$path"; else ln -s "$PWD/outside" "$path"; fi
      build_well timeout 20 oci-solve
      [ "$(warnings | wc -l)" -eq 1 ] || { echo "$path as $kind:"; warnings; return 1; }
      build_well
      hits
    done
  done
  [ "$(ls outside)" = file ]
}

@test "a byte that changed in an unpacked base never gets into an image" {
  local file
  printf 'FROM busybox\nRUN cat /etc/passwd >/copy; echo done >/file\n' | dockerfile
  build_well
  image_file copy >before
  file=$(echo cache/native/trees/*/root/etc/passwd)
  touch -r "$file" time
  printf X | dd of="$file" conv=notrunc status=none
  touch -r time "$file"
  build_well
  [ "$(warnings | wc -l)" -eq 1 ]
  [[ "$(warnings)" == *'dropped the damaged tree '*'its files are not as they were unpacked' ]]
  image_file copy >after
  cmp before after
  build_well
  hits
  # Nor does it fail a build.
  printf 'FROM busybox\nRUN grep -q ^root: /etc/passwd && echo done >/file\n' | dockerfile
  printf X | dd of="$file" conv=notrunc status=none
  build_well
  [ "$(warnings | wc -l)" -eq 1 ]
  nothing_left
}

@test "what a step made of an unpacked base that had changed is kept for no build" {
  make_request '.engine = "native"' '.cache.directory = "cache"' "$(serve_busybox)" "$(to_output)" >request
  build_well
  cp "$(echo cache/native/trees/*/root/etc/passwd)" before
  printf 'X%s\n' "$(cat before)" >"$(echo cache/native/trees/*/root/etc/passwd)"
  printf 'FROM busybox\nRUN cat /etc/passwd >/copy; echo done >/file\nFROM busybox\nCOPY --from=0 /copy /file /\n' | dockerfile
  build_well
  [[ "$(warnings)" == *'dropped the damaged tree '* ]]
  [[ "$stderr" == *'building again, as what lay unpacked in the cache was damaged'* ]]
  image_file copy | cmp before -
  build_well
  hits
  image_file copy | cmp before -
}

@test "a build that is killed wherever it writes the cache leaves one that the next build uses" {
  local call number killed=0
  mkdir -p small/directory
  echo done >small/directory/file
  make_image small small >digest
  printf 'FROM small AS small\nFROM scratch\nCOPY --from=small /directory/file /\n' | dockerfile
  make_request '.engine = "native"' '.cache.directory = "cache"' "$(to_output)" \
    "$(preload context small small "$(cat digest)")" >request
  for call in mkdir rename unlink,unlinkat; do
    for ((number = 1; ; ++number)); do
      rm -rf cache/* out/*
      strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$number" oci-solve <request >log 2>&1 && break
      killed=$((killed + 1))
      build_well
      [ -z "$(warnings)" ] || { echo "$call $number:"; warnings; return 1; }
      [ -z "$(ls cache/native/partial)" ]
      [ -z "$(find cache -name root -prune -o -name '.*' -print)" ]
      [ "$(ls cache/native/trees | wc -l)" -eq 1 ]
    done
  done
  [ "$killed" -ge 10 ] || { echo "only $killed kills"; return 1; }
}
