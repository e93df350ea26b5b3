# A task as Concourse starts it: a working directory with the directories of its outputs, and variables.
# shellcheck disable=SC2154  # run sets status, output and stderr

# enter_task [DIRECTORY...]: makes a fresh working directory with these in it (default: image) and goes there.
enter_task() {
  local task
  task=$(mktemp -d "$BATS_TEST_TMPDIR/task.XXXXXX")
  cd "$task" || return
  [ $# -gt 0 ] || set -- image
  mkdir -p "$@"
}

# task NAME=VALUE...: runs `build` with these variables and no others but those of the engine under test, E2E_ENGINE.
# BuildKit is the one that all tests share unless BUILDKIT_HOST says otherwise (empty: one of its own); the native
# engine pulls from the same mirror as that one.
task() {
  local engine=(ENGINE="${E2E_ENGINE:-buildkit}")
  if [ "${E2E_ENGINE:-buildkit}" = buildkit ]; then
    engine+=(BUILDKIT_HOST="${SHARED_BUILDKIT_HOST:-}")
  else
    engine+=(REGISTRY_MIRRORS="${HUB:-}")
  fi
  # env takes the last value that a name is given.
  env -i PATH="$PATH" HOME="$BATS_TEST_TMPDIR" TMPDIR="$(task_tmpdir)" "${engine[@]}" "$@" build 3>&-
}

# plan_task NAME=VALUE...: the plan of such a build, as JSON.
plan_task() {
  local work
  work=$(mktemp -d "$BATS_TEST_TMPDIR/plan.XXXXXX") || return
  # shellcheck disable=SC2016
  env -i PATH="$PATH" HOME="$BATS_TEST_TMPDIR" TMPDIR="$(task_tmpdir)" ENGINE=native REGISTRY_MIRRORS="${HUB:-}" "$@" \
    bash -c 'set -o pipefail; oci-params | oci-preload --work-dir "$1" | oci-solve --plan --json' bash "$work" 3>&-
}

# state_of DIRECTORY...: every entry below, with its size and the times of its last changes.
state_of() { find "$@" -printf '%p %y %s %m %T@ %C@\n' | sort; }

# built_as_planned PLAN: what the last build made and took from its cache is what this plan said.
built_as_planned() {
  printf '%s\n' "$stderr" >"$BATS_TEST_TMPDIR/progress"
  "$(dirname "$BATS_TEST_DIRNAME")/support/compare_plan.py" "$1" "$BATS_TEST_TMPDIR/progress"
}

# Where this test's builds keep their temporary files. Short: sockets live below it.
task_tmpdir() {
  local dir=$BATS_TEST_TMPDIR/tmp
  mkdir -p "$dir"
  echo "$dir"
}

# run_task NAME=VALUE...: the same, with $status, $stderr and no output on stdout.
run_task() {
  run --separate-stderr task "$@"
  [ -z "$output" ] || { echo "unexpected output on stdout: $output"; return 1; }
}

# succeed_task NAME=VALUE...: the same; fails the test, with what the build said, when it fails.
succeed_task() {
  run_task "$@" || return
  [ "$status" -eq 0 ] || { echo "exit code $status:"; echo "$stderr"; return 1; }
}

# said TEXT: what the last build said holds TEXT.
said() {
  [[ $stderr == *"$1"* ]] || { printf 'not said: %s\nbut:\n%s\n' "$1" "$stderr"; return 1; }
}

# did_not_say TEXT: what the last build said does not hold TEXT.
did_not_say() {
  [[ $stderr != *"$1"* ]] || { printf 'said: %s\nin:\n%s\n' "$1" "$stderr"; return 1; }
}

# files_in DIRECTORY: its entries, hidden ones too, on one line.
files_in() {
  (cd "$1" && find . -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | paste -sd ' ')
}

# nothing_left_behind: no temporary file, staging directory, process or mount of a build exists.
nothing_left_behind() {
  [ -z "$(find "$(task_tmpdir)" -mindepth 1)" ] || { find "$(task_tmpdir)" | head; return 1; }
  [ -z "$(find . -name '.oci-build-*')" ] || { find . -name '.oci-build-*'; return 1; }
  run ! grep -F "$BATS_TEST_TMPDIR" /proc/self/mounts
  run ! pgrep -f "$(task_tmpdir)"
}

# image_reference [DIRECTORY]: the image in an output directory, in skopeo's words.
image_reference() {
  local dir=${1:-image}
  if [ -e "$dir/image.tar" ]; then
    echo "docker-archive:$dir/image.tar"
  else
    echo "oci:$dir/image"
  fi
}

# config_of [DIRECTORY [skopeo option...]]: the config of the image in an output directory.
config_of() {
  skopeo inspect --config "${@:2}" "$(image_reference "${1:-image}")"
}

# label_of NAME [DIRECTORY]: one label of the image.
label_of() {
  config_of "${2:-image}" | jq -r --arg name "$1" '.config.Labels[$name]'
}

# file_of PATH [DIRECTORY]: the content of one file of the image, unpacked by another tool than ours, once for each image.
file_of() {
  local dir=${2:-image} work image
  image=$dir/image.tar
  [ -e "$image" ] || image=$dir/image/index.json
  work=$BATS_TEST_TMPDIR/unpacked-$(stat -c %d-%i-%s-%.Y "$image") || return
  if [ ! -d "$work" ]; then
    mkdir "$work"
    skopeo copy --quiet "$(image_reference "$dir")" "oci:$work/layout:image"
    umoci --log=error unpack --image "$work/layout:image" "$work/bundle"
  fi
  cat "$work/bundle/rootfs/$1"
}

# make_ssh_key FILE: a key without a passphrase; prints its fingerprint.
make_ssh_key() {
  ssh-keygen -q -t ed25519 -N '' -C "key of the tests" -f "$1"
  ssh-keygen -lf "$1" | cut -d ' ' -f 2
}

# in_later_tasks COMMAND...: runs one after the other, by sh, where `cache` is what Concourse makes of the cache of a task
# for each run but the first: an overlay over what the runs before have left. $status and $stderr are those of all; what
# the last leaves is in `cache` afterwards.
in_later_tasks() {
  cat >later-tasks <<'END'
set -e
mkdir volumes
mount -t tmpfs tmpfs volumes
mkdir volumes/0
mount --bind cache volumes/0
below=$PWD/volumes/0
number=0
for command; do
  number=$((number + 1))
  volume=$PWD/volumes/$number
  mkdir "$volume" "$volume/upper" "$volume/work"
  mount -t overlay -o "lowerdir=$below,upperdir=$volume/upper,workdir=$volume/work" overlay cache
  sh -e -c "$command"
  [ "$number" -eq $# ] || umount -l cache
  below=$volume/upper:$below
done
cp -a cache/. left
END
  mkdir left
  run --separate-stderr unshare -m sh later-tasks "$@"
  rm -rf volumes cache
  mv left cache
}

# concourse_task OPTION... -- COMMAND...: runs a command in the sandbox that a worker gives to a task.
concourse_task() { "$(dirname "${BASH_SOURCE[0]}")/concourse-task" "$@"; }

# container OPTION... -- COMMAND...: runs a command in a container as Docker, containerd and Kubernetes start it.
container() { "$(dirname "${BASH_SOURCE[0]}")/container" "$@"; }
