#!/usr/bin/env bats
# The native engine inside the sandboxes that Concourse starts: the image is the one that this machine makes outside.

load ../support/load

# Everything that user namespaces and other people's overlays make hard, in two stages.
setup_file() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  local root=$BATS_FILE_TMPDIR/rootfs program
  cd "$BATS_FILE_TMPDIR" || return
  make_busybox_rootfs "$root"
  for program in setcap getcap; do
    command -v "$program" >/dev/null && add_program "$root" "$program"
  done
  mkdir -p "$root"/lower/directory/below "$root"/lower/replaced "$root"/lower/kept
  touch "$root"/lower/{file,directory/below/file,replaced/old,kept/one,kept/two}
  ln "$root/lower/file" "$root/lower/linked"
  ln "$root/lower/file" "$root/lower/linked-too"
  install -m 4755 "$(command -v as-owner)" "$root/bin/become-root"
  echo 'app:x:1000:2000::/home/app:/bin/sh' >>"$root/etc/passwd"
  echo 'wheel:x:10:app' >>"$root/etc/group"
  make_image busybox "$root" >busybox.digest
  rm -rf "$root"

  mkdir src outside tmp request
  cat >src/Dockerfile <<'END'
FROM busybox AS first
RUN mkdir -p /made/by/first && echo first >/made/by/first/file && chmod 4755 /made/by/first/file
RUN echo second >/made/by/second && mkfifo /made/fifo && ln -s /nowhere /made/link
COPY --chown=1234:5678 data /copied

FROM busybox
ENV PATH=/bin:/sbin:/usr/sbin
COPY --from=first /made /made
COPY --from=first --chown=65534:65534 /copied /copied
RUN rm /lower/file && rm -r /lower/directory && rm -r /lower/replaced && mkdir /lower/replaced && touch /lower/replaced/new
RUN mv /lower/kept /lower/moved && chown 0:0 /lower/moved
RUN touch /0 /1000 /65535 /100000 /4000000000 && chown 1000:1000 /1000 && chown 65535:65535 /65535 && \
    chown 100000:100000 /100000 && chown 4000000000:4000000000 /4000000000
RUN cp /bin/busybox /raw && setcap cap_net_raw+ep /raw && getcap /raw
RUN echo link >/a && ln /a /b && ln /a /made/c
RUN echo changed >>/lower/linked && chmod 0600 /made/by/second
WORKDIR /home/app
USER app
RUN id >/tmp/id && echo $HOME >/tmp/home && ! touch /refused
RUN become-root sh -c 'cat /proc/self/comm >/owned && echo gone >/dev/null && id -u >>/owned'
USER 4321:10
RUN (cd /tmp && id >id4321)
USER root
RUN echo gone >/dev/null && head -c 8 /dev/zero | wc -c >/zero && head -c 8 /dev/urandom | wc -c >/random && \
    ls -l /dev/fd/ >/dev/null && ls /dev >/devices && [ -w /dev/shm ] && [ -e /dev/pts/ptmx ]
RUN echo $$ >/pid && grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status >/status && \
    ! mount -t tmpfs none /tmp && ! touch /sys/x && ! echo x >/proc/sys/kernel/domainname && cat /proc/kcore | wc -c >/kcore
RUN --mount=type=cache,target=/cache,uid=1000 --mount=type=tmpfs,target=/scratch --mount=type=bind,from=first,target=/first \
    touch /cache/x /scratch/x && cat /first/made/by/second >/bound
RUN --network=none ip -o link | wc -l >/links
END
  mkdir src/data
  echo data >src/data/file
  make_request "$(preload context busybox busybox "$(cat busybox.digest)")" '.source_date_epoch = "1000000000"' \
    '.output.rewrite_timestamp = true' '.targets[0].output = "outside"' '.context = "src"' \
    '.dockerfile = "src/Dockerfile"' '.engine = "native"' >request/outside
  jq -c '.targets[0].output = "out"' request/outside >request/json
  TMPDIR=$PWD/tmp oci-solve <request/outside 2>outside.log || { cat outside.log; return 1; }
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  mkdir out programs
  cp -L "$(command -v oci-solve)" programs/
}

# layers FILE: the diff ids of an image archive.
layers() {
  tar -xOf "$1" "$(tar -xOf "$1" manifest.json | jq -r '.[0].Config')" | jq -r '.rootfs.diff_ids[]'
}

# solve_in_task OPTION...: the build of setup_file in a copy of a Concourse task on this machine's root.
solve_in_task() {
  run concourse_task --rootfs host --bind "$PWD/programs:/opt" --input src="$BATS_FILE_TMPDIR/src" \
    --input busybox="$BATS_FILE_TMPDIR/busybox" --input request="$BATS_FILE_TMPDIR/request" \
    --output out="$PWD/out" --timeout 120 "$@" -- sh -c '
      cat /proc/self/mountinfo >/scratch/.before
      /opt/oci-solve <request/json; status=$?
      cat /proc/self/mountinfo >/scratch/.after
      cmp /scratch/.before /scratch/.after && rm /scratch/.before /scratch/.after
      echo "left: $(ls -A /scratch)"; exit $status'
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" =~ 'left: '$'\r'?$ ]]
  run diff <(layers "$BATS_FILE_TMPDIR/outside/image.tar") <(layers out/image.tar)
  echo "$output"
  # What a step sees of /dev, and which process it is, is the container's affair by chroot.
  [[ "$* " == *"--mode unprivileged "* ]] && [ "$(grep -c '^<' <<<"$output")" -eq 2 ] && status=0
  [ "$status" -eq 0 ]
}

@test "a privileged task builds the image that is built outside" {
  solve_in_task --mode privileged
}

@test "a task that may do no more than mount builds the image that is built outside" {
  solve_in_task --mode fuse-only
}

@test "so does one on a worker of release 8.2" {
  solve_in_task --mode fuse-only --profile 8.2
}

@test "so does one on a worker of release 7.13" {
  solve_in_task --mode fuse-only --profile 7.13
}

@test "so does an unprivileged task there, in a user namespace of its own" {
  solve_in_task --mode unprivileged-on-fuse-only
  [[ $output != *'isolation: namespaces'* ]]
  solve_in_task --mode unprivileged-on-fuse-only --profile 7.13
}

@test "so do tasks that runc starts, as it does on workers" {
  solve_in_task --runtime runc --mode privileged
  solve_in_task --runtime runc --mode fuse-only --profile 8.2
  solve_in_task --runtime runc --mode unprivileged-on-fuse-only
  solve_in_task --runtime runc --mode unprivileged
  solve_in_task --runtime runc --mode unprivileged --profile guardian
}

@test "so does an unprivileged task of every release, by chroot" {
  local profile
  for profile in head 8.2 7.13 7.12 guardian; do
    solve_in_task --mode unprivileged --profile "$profile"
  done
}

# count_in_task TEXT OPTION...: a step in a task counts the builds before by a cache mount, and says TEXT.
count_in_task() {
  run concourse_task --rootfs host --bind "$PWD/programs:/opt" --input src="$PWD/src" --input request="$PWD/request" \
    --input busybox="$BATS_FILE_TMPDIR/busybox" --timeout 120 "${@:2}" -- sh -c '
      /opt/oci-solve <request/json || exit
      /opt/oci-solve <request/json'
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
  [[ "$output" == *" counted $1"* ]] || { echo "$output"; return 1; }
  [[ "$output" != *"oci-solve: warning"* ]] || { echo "$output"; return 1; }
}

@test "cache mounts go on in the next run of a task, whose cache is an overlay then" {
  local mode
  mkdir src request
  cat >src/Dockerfile <<'END'
FROM busybox
ENV PATH=/bin
RUN --mount=type=cache,target=/c,uid=1000,sharing=locked --mount=type=cache,id=private,target=/p,sharing=private \
    touch /p/x; mv /c/d /c/e; mkdir -p /c/d; rm -rf /c/e; chown 1000 /c/d; echo $((1 + $(cat /c/count || echo 0))) >/c/new; \
    mv /c/new /c/count; echo counted $(cat /c/count) of $(stat -c %u /c /c/d)
END
  make_request "$(preload context busybox busybox "$(cat "$BATS_FILE_TMPDIR/busybox.digest")")" '.engine = "native"' \
    '.context = "src" | .dockerfile = "src/Dockerfile" | .cache.directory = "cache" | .no_cache = true' >request/json
  for mode in privileged fuse-only; do
    count_in_task '2 of 1000 1000' --mode "$mode" --cache cache="$PWD/$mode"
    count_in_task '4 of 1000 1000' --mode "$mode" --input cache="$PWD/$mode"
  done
}

# one_run MODE OPTION... -- COMMANDS: a run of a task, in which /opt/build is there and $PWD/MODE/out is its output `image`. What is in
# its cache afterwards is in MODE/left.
one_run() {
  local mode=$1 commands=${*: -1}
  rm -rf "$mode/left" "$mode/out"
  mkdir -p "$mode/left" "$mode/out"
  run concourse_task --mode "$mode" --rootfs host --bind "$PWD/programs:/opt" --input src="$PWD/src" \
    --input busybox="$BATS_FILE_TMPDIR/busybox" --output image="$PWD/$mode/out" --output left="$PWD/$mode/left" --timeout 120 \
    --env ENGINE=native --env CONTEXT=src --env BUILD_CONTEXTS=busybox=busybox --env PATH="$PATH" \
    "${@:2:$#-3}" -- sh -c "$commands; status=\$?; cp -a cache/. left; exit \$status"
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
  [[ "$output" != *'oci-solve: warning'* ]] || { echo "$output"; return 1; }
}

# made: how many steps the last run made.
made() { grep -c 'not cached: ' <<<"$output" || true; }

# keep: what the last run left is what the next one finds.
keep() {
  rm -rf "$1/volume"
  mv "$1/left" "$1/volume"
}

@test "of three runs of a task the second makes nothing, and the third what follows its edit, also after one that was killed" {
  local mode first
  cp -L "$(command -v build)" programs/
  mkdir src
  echo data >src/data
  for mode in privileged fuse-only; do
    mkdir "$mode"
    cat >src/Dockerfile <<'END'
FROM busybox
ENV PATH=/bin
COPY data /data
RUN --mount=type=cache,target=/c echo one >>/c/runs; date >/one; rm /etc/passwd
RUN --mount=type=cache,target=/c echo two >>/c/runs; cat /c/runs >/two
END
    one_run "$mode" --cache cache="$PWD/$mode/volume" -- /opt/build
    [ "$(made)" -eq 3 ]
    first=$(cat "$mode/out/manifest-digest")
    keep "$mode"
    one_run "$mode" --input cache="$PWD/$mode/volume" -- /opt/build
    [ "$(made)" -eq 0 ] || { echo "$output"; return 1; }
    [ "$(cat "$mode/out/manifest-digest")" = "$first" ]
    # Killed while it makes one that nobody has made; what is left of it goes to the next run like anything else.
    sed -i 's/cat .c.runs/echo started; sleep 100/' src/Dockerfile
    # shellcheck disable=SC2016
    one_run "$mode" --input cache="$PWD/$mode/volume" -- '/opt/build >log 2>&1 & build=$!
      until grep -q "^#[0-9]* [0-9.]* started" log; do sleep 0.05; done; kill -KILL $build; wait $build; cat log; [ ! -e image/image.tar ]'
    [ "$(made)" -eq 1 ]
    keep "$mode"
    sed -i 's/echo started; sleep 100/sort \/c\/runs/' src/Dockerfile
    one_run "$mode" --input cache="$PWD/$mode/volume" -- '/opt/build && [ -z "$(ls -A cache/native/partial)" ]'
    [ "$(made)" -eq 1 ] || { echo "$output"; return 1; }
    [ "$(image_file two "$mode/out" | tr '\n' ' ')" = 'one two two two ' ]
  done
}

@test "the secrets that a build holds nobody reads out of its processes while a step runs by chroot" {
  cp -L "$(command -v build)" programs/
  mkdir src unprivileged unprivileged-on-fuse-only
  cat >src/Dockerfile <<'END'
FROM busybox
ENV PATH=/bin
RUN --mount=type=secret,id=key [ $(cat /run/secrets/key) = hidden-words ] && touch /read
FROM scratch AS ends
COPY --from=0 /read /
FROM busybox AS waits
ENV PATH=/bin
COPY --from=0 /read /
RUN echo started; sleep 100
END
  # shellcheck disable=SC2016
  one_run unprivileged --env TARGET=waits --cache cache="$PWD/unprivileged/volume" -- '
    BUILDKIT_SECRETTEXT_key=hidden-words /opt/build >log 2>&1 & build=$!
    until grep -q "^#[0-9]* [0-9.]* started" log || ! kill -0 $build; do sleep 0.05; done
    cat /proc/[0-9]*/environ 2>/dev/null | tr "\0" "\n" | grep hidden-words && echo it is read
    (: </proc/$build/mem) 2>/dev/null && echo memory is read
    readlink /proc/$build/fd/0 && echo its files are open
    kill -TERM $build; wait $build; cat log'
  echo "$output"
  [[ $output == *' started'* ]]
  [[ $output != *'it is read'* ]]
  [[ $output != *'memory is read'* ]]
  [[ $output != *'its files are open'* ]]
  # The same process does all of its own work.
  for mode in unprivileged unprivileged-on-fuse-only; do
    one_run "$mode" --env TARGET=ends --env UNPACK_ROOTFS=true --env BUILDKIT_SECRETTEXT_key=hidden-words \
      --cache cache="$PWD/$mode/volume" -- /opt/build
    [ -e "$mode/out/rootfs/read" ]
  done
}
