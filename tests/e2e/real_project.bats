#!/usr/bin/env bats
# A Dockerfile as projects have it: Debian packages, a compiled program, several stages, a user without rights. Both
# engines build it, and what comes out runs.

# bats file_tags=once

load ../support/load

# One build by each engine serves all tests: their outputs are in native/image and buildkit/image.
setup_file() {
  require_buildkit
  command -v mmdebstrap >/dev/null || skip 'mmdebstrap is not installed: run scripts/setup --tests'
  local top engine debian
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  debian=$(debian_image)
  for engine in native buildkit; do
    mkdir -p "$BATS_FILE_TMPDIR/$engine/image"
    cd "$BATS_FILE_TMPDIR/$engine" || return
    ENGINE=$engine CONTEXT=$top/tests/examples/inventory BUILD_CONTEXTS="debian:bookworm-slim=$debian" \
      SOURCE_DATE_EPOCH=1000000000 REWRITE_TIMESTAMP=true UNPACK_ROOTFS=true build >log 2>&1 || {
      tail -n 60 log
      return 1
    }
  done
}

setup() {
  cd "$BATS_FILE_TMPDIR" || return
}

# config ENGINE: the image's config as JSON.
config() {
  skopeo inspect --config "docker-archive:$1/image/image.tar"
}

# listing ENGINE NUMBER: every entry of a layer with its mode, owner and name.
listing() {
  local layer
  layer=$(tar -xOf "$1/image/image.tar" manifest.json | jq -r --argjson number "$2" '.[0].Layers[$number]')
  tar -xOf "$1/image/image.tar" "$layer" | tar -tzvf - --numeric-owner | awk '{$3 = $4 = $5 = ""; print}'
}

@test "the program runs as the user that the image names" {
  local image=native/image
  [ "$(jq -r .user $image/metadata.json)" = inventory ]
  run -0 chroot --userspec=inventory:inventory $image/rootfs \
    /bin/sh -c 'cd /home/inventory && id -un && inventory stock.json'
  [ "${lines[0]}" = inventory ]
  [ "${lines[1]}" = '42 things in stock' ]
}

@test "the image keeps what the last stage needs and no more" {
  [ ! -e native/image/rootfs/usr/bin/gcc ]
  [ ! -e native/image/rootfs/src ]
  [ "$(stat -c '%U %a' native/image/rootfs/usr/local/bin/inventory)" = 'root 755' ]
  [ "$(chroot native/image/rootfs stat -c %U /home/inventory/stock.json)" = inventory ]
}

@test "both engines write the same config and history" {
  config native | jq 'del(.rootfs)' >native.json
  config buildkit | jq 'del(.rootfs)' >buildkit.json
  diff native.json buildkit.json
}

@test "both engines make the same layers of what the packages leave alone" {
  local native buildkit
  native=$(config native | jq -c '.rootfs.diff_ids | del(.[1])')
  buildkit=$(config buildkit | jq -c '.rootfs.diff_ids | del(.[1])')
  [ "$native" = "$buildkit" ]
}

@test "the layer of the packages has the same files on both engines" {
  listing native 1 >native.list
  listing buildkit 1 >buildkit.list
  [ -s native.list ]
  diff native.list buildkit.list
}
