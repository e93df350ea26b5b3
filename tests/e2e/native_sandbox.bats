#!/usr/bin/env bats
# What a step sees and may do: the same under the native engine as under the real BuildKit with runc.

load ../support/load

setup() {
  enter_build
  local root=rootfs namespace
  make_busybox_rootfs "$root"
  # The calls' numbers are those of one architecture.
  [ "$(uname -m)" != x86_64 ] || ! command -v perl >/dev/null || add_program "$root" perl
  printf 'app:x:1000:2000::/home/app:/bin/sh\n' >>"$root/etc/passwd"
  printf 'apps:x:2000:\nwheel:x:10:app,root\n' >>"$root/etc/group"
  make_image base "$root" >base.digest
  rm -rf "$root"
  cp "$BATS_TEST_DIRNAME/fixtures/sandbox"/* src/
  mkdir src/namespaces
  for namespace in ipc mnt net pid user uts; do
    readlink "/proc/self/ns/$namespace" >"src/namespaces/$namespace"
  done
}

# reports ENGINE: builds, and prints all that the steps have written down.
reports() {
  mkdir "out/$1"
  make_request "$(preload context base base "$(cat base.digest)")" ".engine = \"$1\"" ".targets[0].output = \"out/$1\"" \
    '.add_hosts = [{host: "mirror", ip: "10.1.2.3"}, {host: "mirror6", ip: "2001:db8::1"}]' \
    '.entitlements = [{entitlement: "network.host"}, {entitlement: "security.insecure"}]' >"request-$1"
  oci-solve <"request-$1" 2>"$1.log" >/dev/null || { cat "$1.log" >&2; return 1; }
  local file
  for file in report tmp/{report,unknown,numbers,named,cwd,init,none,host,insecure}; do
    echo "==== $file"
    image_file "$file" "out/$1"
  done
}

@test "steps see and may do what they do under BuildKit" {
  reports buildkit >buildkit.report
  reports native >native.report
  diff buildkit.report native.report
}
