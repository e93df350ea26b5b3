#!/usr/bin/env bats
# What README shows is what happens: its blocks that open with ```sh test run here.

# bats file_tags=once

load ../support/load

setup() {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  require_buildkit
}

# Lays out what the blocks may use: hello/ (tests/examples/hello), busybox/ (its base, as a layout), image.tar (an
# image), image/ and cache/ (an output and a cache).
lay_out() {
  mkdir -p "$1/image" "$1/cache"
  cd "$1" || return
  cp -r "$top/tests/examples/hello" hello
  make_busybox_rootfs rootfs
  make_image busybox rootfs >/dev/null
  rm -r rootfs
  skopeo copy -q oci:busybox:latest docker-archive:image.tar:busybox:latest
}

@test "every tested block of README succeeds" {
  local block count=0
  awk -v dir="$BATS_TEST_TMPDIR" '
    /^```sh test$/ {file = sprintf("%s/block-%02d", dir, ++count); printf "" >file; next}
    /^```/ {file = ""}
    file != "" {print >file}' "$top/README.md"
  for block in "$BATS_TEST_TMPDIR"/block-*; do
    [ -e "$block" ] || break
    lay_out "$block.dir"
    cat "$block"
    bash -euo pipefail "$block"
    count=$((count + 1))
  done
  echo "$count blocks"
  [ "$count" -gt 0 ]
}
