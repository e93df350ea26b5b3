# Made once for all end-to-end tests: base images, a registry that stands for Docker Hub, and, where BuildKit is the
# engine under test, one that the tests share where they do not need one of their own.
_e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/support/load.bash
source "$_e2e/../support/load.bash"

setup_suite() {
  export FIXTURES=$_e2e/fixtures
  if [ "${E2E_ENGINE:-buildkit}" = buildkit ]; then
    command -v buildkitd >/dev/null || return 0 # every test says why it is skipped
  fi
  export BASES=$BATS_SUITE_TMPDIR/bases       # OCI layouts: busybox, ssh
  export HUB SHARED_BUILDKIT_HOST
  local root=$BATS_SUITE_TMPDIR/rootfs

  make_busybox_rootfs "$root"
  make_image "$BASES/busybox" "$root" >&2
  add_program "$root" ssh-add
  make_image "$BASES/ssh" "$root" latest "linux/$(image_architecture)" '{"Env":["PATH=/bin:/usr/bin"]}' >&2

  start_registry "$BATS_SUITE_TMPDIR/hub"
  HUB=$REGISTRY
  push_image "$BASES/busybox:latest" "$HUB/library/busybox:latest"
  push_image "$BASES/ssh:latest" "$HUB/library/ssh:latest"

  [ "${E2E_ENGINE:-buildkit}" = buildkit ] || return 0
  printf '[registry."docker.io"]\n  mirrors = ["%s"]\n' "$HUB" >"$BATS_SUITE_TMPDIR/buildkitd.toml"
  BUILDKITD_IN_MEMORY=1 start_buildkitd "$BATS_SUITE_TMPDIR/shared" --config "$BATS_SUITE_TMPDIR/buildkitd.toml" \
    --allow-insecure-entitlement network.host --allow-insecure-entitlement security.insecure
  SHARED_BUILDKIT_HOST=$BUILDKITD_ADDRESS
}

teardown_suite() {
  stop_buildkitd
  stop_registry
}

# add_program ROOTFS PROGRAM: copies a program of this machine and the libraries it needs.
add_program() {
  local file
  file=$(command -v "$2")
  install -D "$file" "$1$file"
  for file in $(ldd "$file" | grep -o '/[^ ]*'); do
    install -D "$file" "$1$file"
  done
}
