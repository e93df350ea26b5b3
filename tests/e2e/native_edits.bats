#!/usr/bin/env bats
# A day's work: after each random edit of a project (its files, Dockerfile, args, base) the build with a cache does what
# its plan said, and gives the image of the build without. OCI_BUILD_EDITS says how many. So it does after edits that
# hide from who looks at sizes and times alone.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() { enter_native_build; }

# make_project: the project as it begins, and the bases that it may have.
make_project() {
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
  make_project
  mkdir kept
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

# build_files CACHE: builds src with this directory for a cache, "" for none. What came out is in IMAGE; how many of the
# files were READ, and of how many others a build before was BELIEVED.
build_files() {
  rm -rf image
  mkdir image
  run --separate-stderr env -i PATH="$PATH" HOME="$HOME" TMPDIR="$TMPDIR" ENGINE=native DEBUG=true CONTEXT=src STATE_DIR="$1" \
    SOURCE_DATE_EPOCH=1000000000 REWRITE_TIMESTAMP=true build
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  IMAGE=$(cat image/digest)
  read -r READ BELIEVED < <(sed -nE 's/.*files of the build context: ([0-9]+) read, ([0-9]+) as .*/\1 \2/p' <<<"$stderr")
}

# edit_file FILE OTHER: changes the file in one of the ways that leave its size and its time as they were. The way is in EDIT.
edit_file() {
  local text
  printf -v text '%08d' "$RANDOM"
  case $((RANDOM % 6)) in
    0) EDIT='written over' && printf %s "$text" | dd of="$1" conv=notrunc status=none ;;
    1) EDIT='written anew' && printf %s "$text" >"$1" ;;
    2) EDIT=replaced && printf %s "$text" >new && touch -r time new && mv new "$1" ;;
    3) EDIT='exchanged with another' && mv "$1" new && mv "$2" "$1" && mv new "$2" ;;
    4) EDIT='linked to another' && ln -f "$2" "$1" ;;
    5) EDIT='written through a mapping' && python3 -c 'import mmap, sys
with open(sys.argv[1], "r+b") as file: mmap.mmap(file.fileno(), 0)[:] = sys.argv[2].encode()' "$1" "$text" ;;
  esac
  touch -r time "$1" "$2"
}

@test "a file of the context that was edited and has its old time and size is never taken for the old one" {
  local n with file files believed=0
  local -A images
  printf 'FROM scratch\nCOPY files /\n' | dockerfile
  mkdir src/files kept
  touch -d '1 hour ago' time
  for n in {1..6}; do
    printf 'file %03d' "$n" >"src/files/$n"
    touch -r time "src/files/$n"
  done
  RANDOM=${OCI_BUILD_SEED:-1}
  for ((n = 1; n <= 10; ++n)); do
    file=$((RANDOM % 6 + 1))
    edit_file "src/files/$file" "src/files/$((file % 6 + 1))"
    build_files kept
    with=$IMAGE
    images[$with]=1
    believed=$((believed + BELIEVED))
    build_files ''
    [ "$with" = "$IMAGE" ] || { echo "edit $n, $EDIT: $with, without a cache $IMAGE"; return 1; }
    [ "$BELIEVED" -eq 0 ]
  done
  [ "${#images[@]}" -gt 5 ]
  # What was written too late for the last build to tell is old by now.
  build_files kept
  build_files kept
  [ "$with" = "$IMAGE" ]
  files=$(find src/files -type f -printf '%i\n' | sort -u | wc -l)
  case $(stat -f -c %T src) in
    ext2/ext3 | xfs | btrfs)
      [ "$believed" -gt 0 ]
      [ "$READ $BELIEVED" = "0 $files" ]
      ;;
    *)
      echo "# the file system of $PWD does not tell of every change: all files are read each time" >&3
      [ "$believed" -eq 0 ]
      [ "$READ $BELIEVED" = "$files 0" ]
      ;;
  esac
}
