#!/usr/bin/env bats
# A day's work: after each random edit of a project (its files, Dockerfile, args, base) the build with a cache gives
# the image of the build without. OCI_BUILD_EDITS says how many.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  mkdir kept
  "$(dirname "$BATS_TEST_DIRNAME")/support/edit_project.py" make project
  make_base one
  make_base two
}

# make_base NAME: an image on disk that is busybox and one file more.
make_base() {
  printf 'FROM busybox\nRUN echo %s >/etc/base\n' "$1" | dockerfile
  mkdir -p "base-$1"
  run env -i PATH="$PATH" HOME="$HOME" ENGINE=native CONTEXT=src BUILD_CONTEXTS="busybox=$BATS_FILE_TMPDIR/busybox" OUTPUT_OCI=true \
    SOURCE_DATE_EPOCH=0 REWRITE_TIMESTAMP=true sh -c 'mkdir -p image && build && mv image/image "base-$1/layout" && rm -rf image' sh "$1"
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

# build_project CACHE: builds it with this directory for a cache, "" for none. What the image is made of is in IMAGE.
build_project() {
  local args
  mapfile -t args <project/args
  rm -rf image
  mkdir image
  run --separate-stderr env -i PATH="$PATH" HOME="$HOME" TMPDIR="$TMPDIR" ENGINE=native CONTEXT=project/context STATE_DIR="$1" \
    BUILD_CONTEXTS="$(printf "busybox=%s\nbase-one=base-one/layout\nbase-two=base-two/layout" "$BATS_FILE_TMPDIR/busybox")" \
    SOURCE_DATE_EPOCH=1000000000 REWRITE_TIMESTAMP=true "${args[@]}" build
  IMAGE="exit code $status, $(cat image/digest 2>/dev/null || true)"
  [ "$status" -eq 0 ] || IMAGE+=" $(sed -n 's/^.*oci-solve: //p' <<<"$stderr")"
}

@test "after each edit of a project the build with a cache gives the image of the build without" {
  local n edit with made=0 steps=0
  mkdir none
  for ((n = 1; n <= ${OCI_BUILD_EDITS:-25}; ++n)); do
    edit=$("$(dirname "$BATS_TEST_DIRNAME")/support/edit_project.py" edit project "${OCI_BUILD_SEED:-1}-$n")
    build_project kept
    with=$IMAGE
    made=$((made + $(grep -c ' not cached: ' <<<"$stderr" || true)))
    steps=$((steps + $(grep -cE '^#[0-9]+ \[(build|stage)' <<<"$stderr" || true)))
    [[ "$stderr" != *'never built before'* || "$n" -eq 1 || "$edit" == *step* || "$edit" == *user* || "$edit" == *workdir* ]] ||
      { echo "edit $n, $edit:"; echo "$stderr"; return 1; }
    build_project ''
    [ "$with" = "$IMAGE" ] || { echo "edit $n, $edit: $with, without a cache $IMAGE"; return 1; }
  done
  echo "$made of $steps steps made again"
  [ "$made" -gt 0 ]
  [ "$made" -lt "$steps" ]
}
