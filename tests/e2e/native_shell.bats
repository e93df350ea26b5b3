#!/usr/bin/env bats
# The native engine in the shell of a plain user, with and without newuidmap, on the filesystems that a home lies on.
# bats file_tags=once

bats_require_minimum_version 1.5.0

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  command -v newuidmap >/dev/null || skip 'newuidmap is not installed: run scripts/setup --tests'
  cp -L "$(command -v oci-solve)" .
  cp -r "$BATS_FILE_TMPDIR/busybox" "$BATS_FILE_TMPDIR/busybox.digest" src
  echo text >src/file
  chmod 0751 src/file
  cat >src/with-steps <<'END'
FROM busybox AS first
ENV PATH=/bin
RUN mkdir /made && echo 1 >/made/file && chown 33:44 /made/file && chmod 2755 /made/file && mknod /made/fifo p && rm -r /root
FROM busybox
ENV PATH=/bin
COPY --chown=5:6 file /
RUN --mount=type=cache,target=/c,uid=1234 --mount=type=tmpfs,target=/t --mount=type=bind,from=first,target=/first \
    touch /c/x /t/x && cp -a /first/made /copy && rm /bin/vi
USER 1234:5
RUN id >/tmp/id
END
  printf 'FROM busybox AS first\nFROM scratch\nCOPY --from=first --chown=7:8 /etc /etc\nCOPY --chown=5:6 file /\nUSER a\n' >src/without
  # A user of the test's own.
  printf 'oci-build-tester:x:54321:54321::/nonexistent:/bin/sh\n' | cat /etc/passwd - >passwd
  printf 'oci-build-tester:700000:65536\n' >subids
  # Of what PATH has, all but newuidmap.
  mkdir without-uidmap
  ln -s "$(command -v sh)" without-uidmap/
}

# request DOCKERFILE ISOLATION: a request of that build.
request() {
  make_request "$(preload context busybox src/busybox "$(cat src/busybox.digest)")" \
    '.engine = "native" | .source_date_epoch = "0" | .output.rewrite_timestamp = true | .cache.directory = "cache"' \
    "$(to_output)" ".dockerfile = \"src/$1\" | .isolation = \"$2\""
}

# home_on FILESYSTEM: the command that mounts such a home.
home_on() {
  case $1 in
    tmpfs) echo 'mount -t tmpfs tmpfs home' ;;
    ext4) echo 'truncate -s 128M disk && mkfs.ext4 -q disk && mount -o loop disk home' ;;
    overlay) echo 'mount -t tmpfs tmpfs layers && mkdir layers/lower layers/upper layers/work &&
      mount -t overlay -o lowerdir=layers/lower,upperdir=layers/upper,workdir=layers/work overlay home' ;;
  esac
}

# at_home FILESYSTEM DOCKERFILE [PATH]: that build by the user, with that PATH, twice, in a home of that filesystem; of a build that
# succeeds the image is in `out`.
at_home() {
  local dir=$PWD
  rm -rf home layers out disk
  mkdir home layers out
  while [ "$dir" != / ]; do
    chmod a+x "$dir"
    dir=$(dirname "$dir")
  done
  request "$2" auto >request
  # shellcheck disable=SC2016
  run --separate-stderr unshare --mount sh -c '
    mount --bind passwd /etc/passwd && mount --bind subids /etc/subuid && mount --bind subids /etc/subgid || exit 90
    { '"$(home_on "$1")"'; } || exit 91
    cp -a src request oci-solve home && mkdir home/tmp home/out home/cache && chown -R 54321:54321 home && cd home || exit 92
    for run in first second; do
      setpriv --reuid=54321 --regid=54321 --clear-groups env TMPDIR="$PWD/tmp" PATH="$0" ./oci-solve <request || exit
    done
    [ -z "$(ls -A tmp)$(ls -A cache/native/partial)" ] || { find tmp cache/native/partial; exit 93; }
    cp out/image.tar ../out' "${3:-$PATH}"
  echo "$stderr"
}

@test "a user with newuidmap builds in a user namespace wherever his home lies" {
  mkdir cache
  request with-steps namespaces | oci-solve 2>log || { cat log; return 1; }
  image_digest >digest
  for filesystem in tmpfs ext4 overlay; do
    at_home "$filesystem" with-steps
    [ "$status" -eq 0 ] || { echo "$filesystem: $status"; return 1; }
    [[ ${stderr_lines[0]} == 'oci-solve: engine: native (isolation: userns, not namespaces: it needs root here)'* ]]
    [ "$(image_digest)" = "$(cat digest)" ] || { echo "$filesystem: another image"; return 1; }
  done
}

@test "a user without it builds what has no step, and is told what a step needs" {
  mkdir cache
  request without namespaces | oci-solve 2>log || { cat log; return 1; }
  image_digest >digest
  for filesystem in tmpfs ext4 overlay; do
    at_home "$filesystem" without "$PWD/without-uidmap"
    [ "$status" -eq 0 ] || { echo "$filesystem: $status"; return 1; }
    [[ ${stderr_lines[0]} == *'(isolation: copies, not namespaces: it needs root here'* ]]
    [ "$(image_digest)" = "$(cat digest)" ] || { echo "$filesystem: another image"; return 1; }
  done
  at_home tmpfs with-steps "$PWD/without-uidmap"
  [ "$status" -eq 1 ]
  [[ $stderr == *'no step can run here (not namespaces: it needs root here; not userns: newuidmap is not installed, which maps the ids of a user (on Debian the package uidmap); not chroot: it needs root here); '*'install the package uidmap'* ]]
}
