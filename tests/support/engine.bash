# Whole builds by oci-solve, with a base image that lies on disk.

# prepare_base: makes, once per test file, the image that every Dockerfile gets by `FROM busybox`; where the suite has
# made it already, that is taken.
prepare_base() {
  local layout=$BATS_FILE_TMPDIR/busybox
  if [ -e "${BASES:-}/busybox/index.json" ]; then
    cp -a "$BASES/busybox" "$layout"
    jq -r '.manifests[0].digest' "$layout/index.json" >"$layout.digest"
  else
    make_busybox_layout "$layout" >"$layout.digest"
  fi
}

# enter_build: a fresh working directory with a context `src` and an output directory `out`; temporary files go to
# `tmp`, so that tests can see what is left.
enter_build() {
  require_engine
  enter_directories
}

# enter_native_build: the same for tests that call the native engine by its name.
enter_native_build() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  enter_directories
}

enter_directories() {
  cd "$BATS_TEST_TMPDIR" || return
  mkdir -p src out tmp
  export TMPDIR=$BATS_TEST_TMPDIR/tmp
  export CONTEXT=src
}

# dockerfile <<END: writes the Dockerfile of the context.
dockerfile() {
  cat >src/Dockerfile
}

# serve_busybox: the jq filter that serves busybox from disk, under its name.
serve_busybox() {
  preload context busybox "$BATS_FILE_TMPDIR/busybox" "$(cat "$BATS_FILE_TMPDIR/busybox.digest")"
}

# to_output: the jq filter that sends the only target's image to `out`.
to_output() {
  echo '.targets[0].output = "out"'
}

# solve [FILTER...]: builds with busybox and these changes to the request.
solve() {
  make_request "$(serve_busybox)" "$@" >request
  run --separate-stderr oci-solve <request
}

# solve_well [FILTER...]: the same; fails the test, with what was said, when the build fails.
solve_well() {
  solve "$@"
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# image_config [DIRECTORY]: the image config of DIRECTORY/image.tar (default: out).
image_config() {
  local tar=${1:-out}/image.tar
  tar -xOf "$tar" "$(tar -xOf "$tar" manifest.json | jq -r '.[0].Config')"
}

# image_digest [DIRECTORY]: the manifest digest of the image in DIRECTORY/image.tar (default: out).
image_digest() {
  tar -xOf "${1:-out}/image.tar" index.json | jq -r '.manifests[0].digest'
}

# image_file PATH [DIRECTORY]: prints a file of the image in DIRECTORY/image.tar (default: out); the uppermost layer
# that has it counts.
image_file() {
  local layers layer
  layers=$(image_layers "${2:-out}/image.tar") || return
  while read -r layer; do
    ! tar -xOf "$layer" "$1" 2>/dev/null || return 0
  done < <(find "$layers" -type f | sort -r)
  return 1
}

# image_layers FILE: a directory of the image's layers, each a tar file, the uppermost last by name. They are unpacked
# once for each state of FILE.
image_layers() {
  local layers layer number=100
  layers=$BATS_TEST_TMPDIR/layers-$(stat -c %d-%i-%s-%.Y "$1") || return
  if [ ! -d "$layers" ]; then
    mkdir "$layers"
    while read -r layer; do
      ((number += 1))
      tar -xOf "$1" "$layer" | gzip -dc >"$layers/$number"
    done < <(tar -xOf "$1" manifest.json | jq -r '.[0].Layers[]')
  fi
  echo "$layers"
}

# nothing_left: no temporary file, mount or process of a build of this test is left.
nothing_left() {
  if [ -n "$(ls -A tmp)" ]; then
    find tmp | head
    return 1
  fi
  if grep -F " $BATS_TEST_TMPDIR/" /proc/self/mountinfo; then
    return 1
  fi
  if grep -lsF "$BATS_TEST_TMPDIR/tmp" /proc/[0-9]*/cmdline; then
    return 1
  fi
}

# start_build [FILTER...]: like solve, in the background: its process id is $BUILD_PID, its stderr goes to the file
# `progress`.
start_build() {
  make_request "$(serve_busybox)" "$@" >request
  # Descriptor 3 is bats' own. Background jobs of a script ignore SIGINT unless that is undone.
  env --default-signal=INT oci-solve <request >result 2>progress 3>&- &
  BUILD_PID=$!
}

# ended_with CODE: $BUILD_PID ends with this exit code.
ended_with() {
  local status=0
  wait "$BUILD_PID" || status=$?
  [ "$status" -eq "$1" ] || { echo "exit code $status:"; cat progress; return 1; }
}

# daemon_pid: the process id of the buildkitd that $BUILD_PID has started.
daemon_pid() {
  local stat
  for stat in /proc/[0-9]*/stat; do
    # "PID (NAME) STATE PPID ..."
    awk -v parent="$BUILD_PID" '$2 == "(buildkitd)" && $4 == parent {print $1}' "$stat" 2>/dev/null
  done
}
