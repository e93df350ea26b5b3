#!/usr/bin/env bats
# Builds that are killed at any time, in the isolations that leave more behind than namespaces do: the next build clears
# everything, and makes the same image.
# bats file_tags=once

bats_require_minimum_version 1.5.0

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  cp -L "$(command -v oci-solve)" .
  cp -r "$BATS_FILE_TMPDIR/busybox" "$BATS_FILE_TMPDIR/busybox.digest" .
  echo text >src/file
  mkdir -p src/many
  touch src/many/{1..300}
  seed_random
  cat >rounds <<'END'
# rounds COUNT SEED DIGEST: kills so many builds of `request` at any time, and has each followed by one that is not.
RANDOM=$2
export TMPDIR=$PWD/tmp the_secret=words-of-a-secret
fail() { echo "$1"; cat progress; exit 1; }

# begin: a build in the background; whoever reads `log` to its end has seen all its processes end.
begin() {
  cat log >progress &
  reader=$!
  ./oci-solve <request >result 2>log &
  build=$!
}

well() {
  begin
  wait "$build" || fail "$1: the next build fails"
  wait "$reader"
  [ "$(tar -xOf out/image.tar index.json | jq -r '.manifests[0].digest')" = "$2" ] || fail "$1: another image"
  [ "$(ls -A out)" = image.tar ] || fail "$1: left in the output: $(ls -A out)"
  [ -z "$(ls -A tmp)" ] || fail "$1: left: $(find tmp | head)"
  [ -z "$(ls -A cache/native/partial)" ] || fail "$1: left in the cache: $(ls -A cache/native/partial)"
  ! grep -rqF "$the_secret" tmp cache out || fail "$1: the secret is on the disk"
  ! readlink /proc/[0-9]*/exe | grep -F "$PWD/tmp/" || fail "$1: a step goes on"
  ! grep -F " $PWD/tmp/" /proc/self/mountinfo || fail "$1: something is mounted"
}

mkfifo log
mkdir -p cache out
before=$(date +%s%N)
well 'before all' "$3"
window=$((($(date +%s%N) - before) / 1000000))
killed=0
for ((round = 0; round < $1; ++round)); do
  rm -rf cache out
  mkdir cache out
  begin
  moment=$((RANDOM % window))
  sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
  ! kill -KILL "$build" 2>/dev/null || killed=$((killed + 1))
  wait "$build" 2>/dev/null
  wait "$reader"
  well "round $round" "$3"
done
echo "killed $killed of $1 in $window ms each"
[ $((killed * 2)) -ge "$1" ] || fail 'most were faster'
END
}

# rounds_request ISOLATION: its request, and the image that namespaces make of it, as its digest in `digest`.
rounds_request() {
  make_request "$(serve_busybox | sed "s#$BATS_FILE_TMPDIR/##")" '.engine = "native" | .cache.directory = "cache"' \
    '.source_date_epoch = "0" | .output.rewrite_timestamp = true' "$(to_output)" ".isolation = \"$1\"" \
    '.secrets = [{id: "key", env: "the_secret", file: null}]' >request
  jq -c '.isolation = "namespaces" | .cache.directory = null' request >wanted
  the_secret=x oci-solve <wanted 2>log.wanted || { cat log.wanted; return 1; }
  image_digest >digest
  rm -rf out
}

with_steps() {
  dockerfile <<'END'
FROM busybox AS first
ENV PATH=/bin
COPY many /many
RUN --mount=type=secret,id=key,uid=7 [ "$(wc -c </run/secrets/key)" -gt 0 ]; mkdir /made; echo 1 >/made/file; rm -r /etc; mknod -m 600 /made/fifo p
FROM busybox
ENV PATH=/bin
RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=bind,from=first,target=/first touch /c/x /t/x; cp -r /first/many /many; rm /bin/vi
COPY --from=first /made /made
USER 1234:5
RUN --mount=type=secret,id=key,uid=1234 id >/tmp/id; [ -r /run/secrets/key ]
END
}

# rounds_in COMMAND...: the script, by that command.
rounds_in() {
  run "$@" bash rounds "${OCI_BUILD_KILLS:-5}" "$RANDOM" "$(cat digest)"
  echo "$output"
  [ "$status" -eq 0 ]
  echo "# $BATS_TEST_DESCRIPTION: ${lines[-1]}" >&3
}

@test "killed at any time, a build in a user namespace leaves nothing that the next one does not clear" {
  with_steps
  rounds_request userns
  rounds_in env
}

@test "killed at any time, a build by chroot in a container leaves nothing that the next one does not clear" {
  with_steps
  rounds_request chroot
  rounds_in container --kind docker --rootfs host --bind "$PWD:/app" --cwd /app --timeout 600 --
}

@test "killed at any time, a build of one who may do nothing leaves nothing that the next one does not clear" {
  local dir=$PWD
  tar -C src -cf src.tar . && mv src.tar src/added.tar
  dockerfile <<'END'
FROM busybox AS first
ADD --chown=1234:5678 added.tar /added
FROM busybox
COPY --from=first --chmod=4711 /added /copy/
COPY many /many
WORKDIR /made
END
  rounds_request copies
  chown -R 65534:65534 .
  while [ "$dir" != / ]; do
    chmod a+x "$dir"
    dir=$(dirname "$dir")
  done
  rounds_in setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs
}
