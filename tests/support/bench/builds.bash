# What the benchmarks of whole builds share: a filesystem of their own, the peer and ours, and rows of a table.
# shellcheck shell=bash disable=SC2154,SC2034  # variables of the benchmarks, and for them
# shellcheck source=tests/support/images.bash
source "$support/images.bash"
# shellcheck source=tests/support/measure.bash
source "$support/measure.bash"
# shellcheck source=tests/support/wait.bash
source "$support/wait.bash"
# shellcheck source=tests/support/registry.bash
source "$support/registry.bash"
PATH=$support/../../.cache/buildkit/bin:$PATH

failed=0 # what the benchmarks exit with

# enter_workspace NAME: goes to an empty directory that is gone at the end. It is a filesystem of its own on which nothing
# is deleted before: ext4 gives out no inode that was freed in the last minutes, and looking for others would take longer
# than all else.
enter_workspace() {
  [ "$(id -u)" -eq 0 ] || { echo "$1: needs root, as buildkitd does" >&2; exit 1; }
  mkdir -p "$BENCH_CACHE"
  work=$(mktemp -d "$BENCH_CACHE/$1.XXXXXX")
  trap 'stop_registry; umount -l "$work"; rm -rf "$work" "$work.ext4"' EXIT
  truncate -s 40G "$work.ext4"
  mkfs.ext4 -q -i 8192 -E lazy_itable_init=0 "$work.ext4"
  mount -o loop "$work.ext4" "$work"
  cd "$work" || exit
  mkdir tmp past
  export TMPDIR=$work/tmp
}

# The peer, step by step as concourse/oci-build-task does it: buildkit OPTION... of buildctl.
buildkit() {
  local address=unix://$work/daemon/buildkitd.sock pid
  mkdir daemon
  buildkitd --root "$work/daemon" --addr "$address" >daemon.log 2>&1 &
  pid=$!
  until buildctl --addr "$address" debug workers >/dev/null 2>&1; do
    kill -0 "$pid" || { cat daemon.log; return 1; }
    sleep 0.1
  done
  buildctl --addr "$address" build --progress plain --frontend dockerfile.v0 --local context=context \
    --local dockerfile=context --output type=docker,dest=image.tar "$@" || return
  kill "$pid"
  wait "$pid" || true
}

native() {
  ENGINE=native CONTEXT=context build
}

# Emptied, so that the page cache holds no more from run to run.
leave_behind() {
  local file
  for file; do
    [ -e "$file" ] || continue
    find "$file" -type f -size +64k -exec truncate -s 0 {} +
    mv "$file" "$(mktemp -d past/XXXXXX)/"
  done
}

serve_bases() {
  [ -z "${REGISTRY_PID:-}" ] || return 0
  start_registry "$work/registry"
  skopeo copy -q --dest-tls-verify=false "oci:$(make_debian_layout)" "docker://$REGISTRY/debian:latest"
  make_busybox_layout "$work/busybox" >/dev/null
  skopeo copy -q --dest-tls-verify=false "oci:$work/busybox:latest" "docker://$REGISTRY/busybox:latest"
}

dockerfile() { cat >context/Dockerfile; }

# median MILLISECONDS...
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# row WHAT PEER OURS LIMIT: prints a line of the table of two times. A LIMIT of 20 is a twentieth of the peer's.
row() {
  local verdict=held
  if (($3 * $4 > $2)); then
    verdict='**missed**'
    failed=1
  fi
  printf '| %s | %s ms | %s ms | 1/%s | 1/%d | %s |\n' "$1" "$2" "$3" "$(ratio "$2" "$3")" "$4" "$verdict"
}

# memory_row WHAT PEAK LIMIT, in KiB.
memory_row() {
  local verdict=held
  if (($2 > $3)); then
    verdict='**missed**'
    failed=1
  fi
  printf '| %s | %s KiB | %s KiB | %s |\n' "$1" "$2" "$3" "$verdict"
}

# peak_of COMMAND...: the most memory that any one program of it takes, beside the page cache, in KiB.
peak_of() {
  /usr/bin/time -q -f %M -o peak "$@" >log 2>&1 || { cat log >&2; return 1; }
  cat peak
}
