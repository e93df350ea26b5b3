#!/usr/bin/env bats
# The native engine in the containers that Docker, containerd and Kubernetes start: the isolation that it picks, with its
# reasons, and the image, which is that of isolation namespaces outside of them, byte for byte.
# bats file_tags=once

bats_require_minimum_version 1.5.0

load ../support/load

setup_file() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  local root=$BATS_FILE_TMPDIR/rootfs program
  cd "$BATS_FILE_TMPDIR" || return
  make_busybox_rootfs "$root"
  for program in setcap getcap; do
    add_program "$root" "$program"
  done
  mkdir -p "$root"/lower/directory/below "$root/nodes"
  touch "$root"/lower/{file,directory/file,directory/below/file}
  ln "$root/lower/file" "$root/lower/linked"
  mknod -m 0640 "$root/nodes/block" b 7 1
  install -m 4755 "$(command -v as-owner)" "$root/bin/become-root"
  install -m 6755 -o 33 -g 44 "$(command -v as-owner)" "$root/bin/become-other"
  echo 'app:x:1000:2000::/home/app:/bin/sh' >>"$root/etc/passwd"
  make_image busybox "$root" >busybox.digest

  mkdir src copies outside tmp request programs
  cp -L "$(command -v oci-solve)" programs/
  cp -L "$(command -v build)" programs/
  mkdir src/data added
  echo data >src/data/file
  mknod -m 0600 added/zero c 1 5
  touch added/file
  chmod 6755 added/file
  chown 33:44 added/file
  tar -C added -cf src/added.tar .
  cat >src/Dockerfile <<'END'
FROM busybox AS first
ENV PATH=/bin:/sbin:/usr/sbin
COPY --chown=1234:5678 data /copied
ADD added.tar /added/
RUN mkdir -p /made/by && echo first >/made/by/file && chmod 4755 /made/by/file && mkfifo /made/fifo && ln -s /nowhere /made/link

FROM busybox
ENV PATH=/bin:/sbin:/usr/sbin
COPY --from=first /made /made
COPY --from=first --chown=65534:65534 /added /copied /copied/
RUN rm /lower/file && rm -r /lower/directory && mkdir /lower/directory && touch /lower/directory/new && mv /nodes/block /moved
RUN touch /1000 /65535 && chown 1000:1000 /1000 && chown 65535:65535 /65535
RUN cp /bin/busybox /raw && setcap cap_net_raw+ep /raw && getcap /raw && ln /raw /made/raw
WORKDIR /home/app
USER app
RUN id >/tmp/id && echo $HOME >/tmp/home && ! touch /refused
RUN become-root sh -c 'cat /proc/self/comm >/owned && become-other id && echo gone >/dev/null && id -u >>/owned'
RUN ["become-other", "touch", "/tmp/of-other"]
USER root
RUN echo gone >/dev/null && head -c 8 /dev/urandom | wc -c >/random && ls -l /dev/fd/ >/dev/null && [ -w /dev/shm ] && [ -r /proc/self/exe ]
RUN --mount=type=cache,target=/cache,uid=1000 --mount=type=tmpfs,target=/scratch --mount=type=bind,from=first,target=/first \
    --mount=type=secret,id=key touch /cache/x /scratch/x && cat /first/made/by/file >/bound && wc -c </run/secrets/key >/key
RUN ! mount -t tmpfs none /tmp && ! touch /sys/x && ! echo x >/proc/sys/kernel/domainname
END
  cat >copies.Dockerfile <<'END'
FROM busybox AS first
ADD --chown=5:6 src/added.tar /added/
FROM busybox
ENV A=b
COPY --chown=1234:5678 --chmod=4750 src/data /copied
COPY --from=first /added /nodes /made/
WORKDIR /home/app
USER app
CMD ["sh"]
END
  request src src/Dockerfile >request/steps
  request . copies.Dockerfile >request/copies
  for kind in steps copies; do
    mkdir -p out
    hidden=words TMPDIR=$PWD/tmp oci-solve <"request/$kind" 2>log || { cat log; return 1; }
    image_digest out >"$kind.digest"
    rm -r out
  done
  chmod -R a+rX "$BATS_FILE_TMPDIR"
}

# request CONTEXT DOCKERFILE: a request of that build, which writes to `out`.
request() {
  make_request "$(preload context busybox busybox "$(cat busybox.digest)")" '.source_date_epoch = "1000000000"' \
    '.output.rewrite_timestamp = true | .engine = "native" | .targets[0].output = "out"' \
    ".context = \"$1\" | .dockerfile = \"$2\"" '.secrets = [{id: "key", env: "hidden", file: null}]'
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  mkdir out
  chmod 777 out
}

# solve_in KIND OPTION...: the build of request/KIND in such a container; what it says first is in FIRST.
solve_in() {
  local request=$1
  shift
  # shellcheck disable=SC2016
  run container --rootfs host --cwd /app --empty /app --bind "$BATS_FILE_TMPDIR/programs:/opt" --bind "$PWD/out:/app/out" \
    --bind "$BATS_FILE_TMPDIR:/given" --timeout 120 --env hidden=words --env TMPDIR=/app/tmp "$@" -- sh -c '
      mkdir tmp; cp -r /given/src /given/busybox /given/copies.Dockerfile .
      /opt/oci-solve <"/given/request/$0"; status=$?; echo "left: $(ls -A tmp)"; exit $status' "$request"
  echo "$output"
  FIRST=$(grep -m 1 '^oci-solve: engine:' <<<"$output")
  [[ "$output" =~ 'left: '$'\r'?$ ]]
}

# builds ISOLATION KIND OPTION...: that build picks the isolation and makes the image that namespaces make.
builds() {
  solve_in "${@:2}"
  [ "$status" -eq 0 ]
  [[ $FIRST == *"(isolation: $1"* ]]
  [ "$(image_digest out)" = "$(cat "$BATS_FILE_TMPDIR/$2.digest")" ]
}

@test "a container of Docker's builds by chroot" {
  builds chroot steps --kind docker
  [[ $FIRST == *'not namespaces: this container may not '*'; not userns: this container may make no user namespace)'* ]]
}

@test "a container of containerd's builds by chroot, as does a pod with the profile RuntimeDefault" {
  builds chroot steps --kind containerd
  [[ $FIRST == *'not namespaces: this container may not '*'; not userns: this container may make no user namespace)'* ]]
}

@test "a pod that says nothing of its security builds by chroot" {
  builds chroot steps --kind baseline
  [[ $FIRST == *'not namespaces: '*'; not userns: this container may not mount a /proc of its own)'* ]]
}

@test "a pod with a user namespace builds by chroot, with /proc unmasked in a user namespace, and with SYS_ADMIN as a machine does" {
  builds chroot steps --kind host-users-false
  builds userns steps --kind host-users-false --unmasked
  builds namespaces steps --kind host-users-false --unmasked --capability SYS_ADMIN
  [[ $FIRST == *'(isolation: namespaces)'* ]]
}

@test "a restricted pod builds what has no step, also where its root is read-only" {
  builds copies copies --kind restricted
  [[ $FIRST == *'not namespaces: it needs root here'* ]]
  builds copies copies --kind restricted --read-only
}

@test "all of build works for a user without a capability, who cannot read its own /proc from outside either" {
  # shellcheck disable=SC2016
  run container --kind restricted --read-only --rootfs host --cwd /app --empty /app --empty /tmp \
    --bind "$BATS_FILE_TMPDIR/programs:/opt" --bind "$BATS_FILE_TMPDIR:/given" --timeout 120 -- sh -c '
      cp -r /given/src /given/busybox /given/copies.Dockerfile . && mkdir image &&
      env ENGINE=native DOCKERFILE=copies.Dockerfile BUILD_CONTEXTS=busybox=busybox SOURCE_DATE_EPOCH=1000000000 \
        REWRITE_TIMESTAMP=true UNPACK_ROOTFS=true BUILDKIT_SECRETTEXT_key=words /opt/build &&
      cat image/rootfs/copied/file && ls -A /tmp && cat image/manifest-digest'
  echo "$output"
  [ "$status" -eq 0 ]
  [ "${lines[-1]}" = "$(cat "$BATS_FILE_TMPDIR/copies.digest")" ]
}

@test "containers that runc starts build what those of crun build" {
  builds chroot steps --runtime runc --kind docker
  builds chroot steps --runtime runc --kind host-users-false
  builds namespaces steps --runtime runc --kind host-users-false --unmasked --capability SYS_ADMIN
  builds copies copies --runtime runc --kind restricted --read-only
}

@test "a restricted pod refuses a step before anything runs, and says what helps" {
  solve_in steps --kind restricted
  [ "$status" -eq 1 ]
  [[ $output == *'oci-solve: Dockerfile:5: no step can run here (not namespaces: it needs root here; not userns: this container may make no user namespace; not chroot: it needs root here); '* ]]
  [[ $output == *"; run it as root (on Concourse 'user: root' of the task's run, in Kubernetes 'runAsUser: 0' with "* ]]
  [[ $output != *'COPY --chown=1234'$'\n'* ]]
  [ -z "$(ls -A out)" ]
}
