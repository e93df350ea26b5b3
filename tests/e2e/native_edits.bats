#!/usr/bin/env bats
# A day's work: after each random edit of a project (its files, Dockerfile, args, base) the build with a cache does what
# its plan said, and gives the image of the build without. OCI_BUILD_EDITS says how many.

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

# parameters CACHE: of a build of the project with this directory for a cache, "" for none: ARGS.
parameters() {
  mapfile -t ARGS <project/args
  ARGS+=(CONTEXT=project/context STATE_DIR="$1" SOURCE_DATE_EPOCH=1000000000 REWRITE_TIMESTAMP=true
    BUILD_CONTEXTS="$(printf "busybox=%s\nbase-one=base-one/layout\nbase-two=base-two/layout" "$BATS_FILE_TMPDIR/busybox")")
}

# build_project CACHE: builds it with this directory for a cache, "" for none. What the image is made of is in IMAGE.
build_project() {
  parameters "$1"
  rm -rf image
  mkdir image
  run --separate-stderr env -i PATH="$PATH" HOME="$HOME" TMPDIR="$TMPDIR" ENGINE=native "${ARGS[@]}" build
  IMAGE="exit code $status, $(cat image/digest 2>/dev/null || true)"
  [ "$status" -eq 0 ] || IMAGE+=" $(sed -n 's/^.*oci-solve: //p' <<<"$stderr")"
}

@test "after each edit of a project the build with a cache gives the image of the build without" {
  local n edit with made=0 steps=0
  mkdir none
  for ((n = 1; n <= ${OCI_BUILD_EDITS:-25}; ++n)); do
    edit=$("$(dirname "$BATS_TEST_DIRNAME")/support/edit_project.py" edit project "${OCI_BUILD_SEED:-1}-$n")
    parameters kept
    plan_task "${ARGS[@]}" >plan.json 2>/dev/null || true
    build_project kept
    with=$IMAGE
    # A build that fails does less than was planned.
    [ "$status" -ne 0 ] || built_as_planned plan.json >>compared || { echo "edit $n, $edit:"; tail -n 3 compared; return 1; }
    made=$((made + $(grep -c ' not cached: ' <<<"$stderr" || true)))
    steps=$((steps + $(grep -cE '^#[0-9]+ \[(build|stage)' <<<"$stderr" || true)))
    [[ "$stderr" != *'never built before'* || "$n" -eq 1 || "$edit" == *step* || "$edit" == *user* || "$edit" == *workdir* ]] ||
      { echo "edit $n, $edit:"; echo "$stderr"; return 1; }
    build_project ''
    [ "$with" = "$IMAGE" ] || { echo "edit $n, $edit: $with, without a cache $IMAGE"; return 1; }
  done
  echo "$made of $steps steps made again"
  cat compared
  # Each kind has been planned.
  grep -q '[1-9][0-9]* cached, [1-9][0-9]* run, [1-9]' compared
  [ "$made" -gt 0 ]
  [ "$made" -lt "$steps" ]
}
