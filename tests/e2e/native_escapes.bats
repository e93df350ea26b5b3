#!/usr/bin/env bats
# The ways out that were found in other builders and runtimes (SECURITY.md lists them), tried on the native engine.

load ../support/load

setup_file() {
  prepare_base
}

setup() {
  enter_native_build
  make_canary
  touch "$CANARY/empty"
  mkdir "$CANARY/directory"
  canary >before
}

# native [FILTER...]: builds, whatever comes of it, and checks that nothing outside was read or changed.
native() {
  solve '.engine = "native"' "$@"
  canary_is_well
}

# native_well: the same for a build that must succeed.
native_well() {
  native "$@"
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; false; }
}

# native_fails WORDS: the same for one that must fail for that reason.
native_fails() {
  native
  [ "$status" -eq 1 ] || { echo "exit code $status: $stderr"; false; }
  [[ "$stderr" == *"$1"* ]] || { echo "$stderr"; false; }
}

@test "a working directory that names a descriptor leads to nothing of the engine" {
  local number
  for number in 3 4 5 6 7 8 10; do
    dockerfile <<END
FROM busybox
RUN ln -s /proc/self/fd/$number /link
WORKDIR /proc/self/fd/$number
RUN cat ./file ../file $(printf '../%.0s' {1..12})$CANARY/file; touch breakout; true
WORKDIR /link
RUN cat ./file ../file $(printf '../%.0s' {1..12})$CANARY/file; touch breakout; true
END
    native
    [ -z "$(find "$BATS_TEST_TMPDIR" -name breakout)" ]
  done
}

@test "a step gets no descriptor, variable, terminal, key or process of the engine" {
  dockerfile <<'END'
FROM busybox
RUN ls /proc/self/fd >/tmp/fd; [ "$(tr '\n' ' ' </tmp/fd)" = '0 1 2 3 ' ]
RUN ! env | grep -i leaked && ! grep -z leaked /proc/*/environ
RUN ! tty && ! sh -c ': </dev/tty'
RUN [ "$(ls -d /proc/[0-9]* | wc -l)" -le 5 ] && ! grep -l 'oci-so[l]ve' /proc/[0-9]*/cmdline
RUN [ "$(cut -d ' ' -f 6 /proc/self/stat)" != 0 ] && [ "$(cut -d ' ' -f 7 /proc/self/stat)" = 0 ]
RUN [ ! -s /proc/keys ]
END
  exec 9<"$CANARY/file"
  export LEAKED=leaked
  native_well
  exec 9<&-
}

@test "a step changes nothing of the kernel, and mounts nothing" {
  dockerfile <<'END'
FROM busybox
RUN mkdir /m; for type in cgroup cgroup2 proc sysfs tmpfs debugfs securityfs; do ! mount -t $type x /m || exit 1; done
RUN ! unshare -U true && ! unshare -m true && ! nsenter -t 1 -m true
RUN ! mount -o remount,rw /proc/sys && ! mount -o bind,rw /proc/sys /mnt && ! umount /proc/sys && ! umount /proc/kcore
RUN for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/overcommit_memory /proc/sysrq-trigger \
    /proc/irq/default_smp_affinity /sys/kernel/uevent_helper /sys/power/state \
    $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs | head -20); do \
    [ ! -e $file ] || ! true >>$file || exit 1; done
RUN mkdir /new && ! mkdir /sys/fs/cgroup/new
RUN mknod /disk b 8 0 && mknod /mem c 1 1 && mknod /kmsg c 1 11 && for file in /disk /mem /kmsg; do ! true <$file && ! true >>$file || exit 1; done
END
  native_well
}

@test "what a mount shows lies in its stage, whatever links say" {
  dockerfile <<END
FROM busybox AS links
RUN ln -s / /root-link && ln -s $CANARY /canary && ln -s ../../../../../../../..$CANARY /relative && mkdir -p /d && ln -s $CANARY/file /d/file
FROM busybox
RUN --mount=type=bind,from=links,source=/root-link,target=/m,rw touch /m/breakout && [ -L /m/canary ] && ! cat /m/canary/file
RUN --mount=type=bind,from=links,source=/d,target=/m,rw ! cat /m/file && rm /m/file
RUN --mount=type=bind,from=links,source=/../../../../..,target=/m,rw touch /m/breakout && ! cat /m$CANARY/file
END
  native_well
  [ ! -e /breakout ]
  local source
  for source in /canary /relative /d/file "$CANARY" "/../../../..$CANARY"; do
    dockerfile <<END
FROM busybox AS links
RUN ln -s / /root-link && ln -s $CANARY /canary && ln -s ../../../../../../../..$CANARY /relative && mkdir -p /d && ln -s $CANARY/file /d/file
FROM busybox
RUN --mount=type=bind,from=links,source=$source,target=/m,rw touch /m/breakout; cat /m /m/file
END
    native_fails ''
  done
}

@test "a cache mount is a directory of the cache, whatever its name and its source say" {
  local id
  {
    printf 'FROM busybox AS links\nRUN ln -s %s /canary && mkdir /d\nFROM busybox\n' "$CANARY"
    for id in "$CANARY" "../../../../../../../..$CANARY" .. / '../../x'; do
      echo "RUN --mount=type=cache,id=$id,target=/c touch /c/breakout && ! cat /c/file"
      echo "RUN --mount=type=cache,id=$id,source=/d,from=links,target=/c touch /c/breakout && ! cat /c/file"
    done
  } | dockerfile
  native_well
  for id in source=/canary source="$CANARY" source="../../../../../../../..$CANARY"; do
    dockerfile <<END
FROM busybox AS links
RUN ln -s $CANARY /canary
FROM busybox
RUN --mount=type=cache,id=fresh,from=links,$id,target=/c touch /c/breakout; cat /c/file
END
    native
  done
}

@test "options of mounts that reach past the step are refused" {
  local option
  for option in bind-propagation=shared upperdir=/x type=devpts; do
    printf 'FROM busybox\nRUN --mount=type=bind,target=/m,%s true\n' "$option" | dockerfile
    native
    [ "$status" -eq 1 ] || { echo "$option: $stderr"; false; }
  done
}

@test "mount points that become links are not removed where these lead" {
  dockerfile <<END
FROM busybox AS file
RUN touch /f
FROM busybox
RUN --mount=type=tmpfs,target=/a/directory true; mv /a /b; ln -s $CANARY /a
RUN --mount=type=bind,from=file,source=/f,target=/c/empty true; mv /c /e; ln -s $CANARY /c
RUN --mount=type=cache,target=/g/directory mv /g /h && ln -s $CANARY /g
RUN --mount=type=secret,id=s,target=/i/empty mv /i /j; ln -s $CANARY /i
RUN --mount=type=tmpfs,target=/k/directory umount /k/directory; rm -rf /k; mkdir /k; ln -s $CANARY/directory /k/directory
RUN rm -rf /etc; ln -s $CANARY /etc; true
RUN true
END
  native
}

@test "mount points are not made where links lead out" {
  dockerfile <<END
FROM busybox AS file
RUN touch /f
FROM busybox
RUN ln -s $CANARY /a && ln -s ../../../../../../..$CANARY/new /b && ln -s $CANARY/dangling /c
RUN --mount=type=tmpfs,target=/a/x ls -d /a/x
RUN --mount=type=tmpfs,target=/b/x ls -d /b/x
RUN --mount=type=bind,from=file,source=/f,target=/c ls /c
WORKDIR /a/work
COPY --from=file /f /a/y
COPY --from=file --chown=1:1 --chmod=777 /f /b/z
COPY --from=file --chown=1:1 --chmod=777 /f /c
END
  native_well
}

@test "users and groups are looked up in the image alone" {
  printf 'evil:x:4242:4242::/:/bin/sh\n' >"$CANARY/passwd"
  canary >before
  dockerfile <<END
FROM busybox
RUN rm /etc/passwd && ln -s $CANARY/passwd /etc/passwd
USER evil
RUN true
END
  native_fails 'evil'
  dockerfile <<END
FROM busybox
RUN rm /etc/passwd && ln -s $CANARY/passwd /etc/passwd
COPY --chown=evil Dockerfile /
RUN [ "\$(stat -c %u /Dockerfile)" != 4242 ]
END
  native_well
}

@test "users and groups that are FIFOs, devices or directories hold no build up" {
  local make use
  for make in 'mkfifo /etc/passwd' 'mknod /etc/passwd c 1 5' 'ln -s /proc/self/fd/0 /etc/passwd'; do
    for use in 'USER name\nRUN true' 'COPY --chown=name Dockerfile /'; do
      printf "FROM busybox\nRUN rm /etc/passwd && $make\n$use\n" | dockerfile
      make_request "$(serve_busybox)" '.engine = "native"' >request
      run --separate-stderr timeout 20 oci-solve <request
      [ "$status" -le 1 ] || { echo "$make, $use: $status: $stderr"; false; }
    done
  done
}

@test "a user's number that Linux does not have is not root" {
  local number
  for number in 4294967296 2147483648 18446744073709551616 0:4294967296; do
    printf 'FROM busybox\nUSER %s\nRUN [ "$(id -u)" != 0 ] || echo IS-$((1 - 1))\n' "$number" | dockerfile
    native
    [[ "$stderr" != *IS-0* ]] || { echo "$number: $stderr"; false; }
  done
}

@test "a step of a user has the groups of the image and none of the engine's" {
  dockerfile <<'END'
FROM busybox
RUN echo 'app:x:1000:1000::/:/bin/sh' >>/etc/passwd && echo 'app:x:1000:' >>/etc/group && echo 'more:x:1001:app' >>/etc/group
USER app
RUN [ "$(id -G)" = '1000 1001' ]
USER app:1002
RUN [ "$(id -G)" = 1002 ]
USER 7:8
RUN [ "$(id -G)" = 8 ]
END
  make_request "$(serve_busybox)" '.engine = "native"' >request
  run --separate-stderr setpriv --groups 0,4,6,27 oci-solve <request
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
}

@test "what stands in an image is executed in steps alone" {
  dockerfile <<END
FROM busybox
RUN for name in gzip gunzip xz unpigz unzstd tar git ssh mount newuidmap; do printf '#!/bin/sh\ntouch $CANARY/breakout\n' >/bin/\$name.new; \
    chmod +x /bin/\$name.new; mv /bin/\$name.new /bin/\$name; done; mkdir -p /lib && cp /bin/gzip /lib/libnss_files.so.2
ADD archive.tar.gz /
ADD archive.tar.xz /
COPY --chown=root:root Dockerfile /
END
  echo x >x
  tar -czf src/archive.tar.gz x
  tar -cJf src/archive.tar.xz x
  native_well
}

@test "a ref or an address of git is no option for it" {
  local source
  for source in "http://127.0.0.1:1/x.git#--upload-pack=touch $CANARY/breakout" "git@-oProxyCommand=touch $CANARY/breakout:x.git" \
    "ssh://-oProxyCommand=touch%20$CANARY/breakout/x.git" "https://127.0.0.1:1/x.git#main:--output=$CANARY/breakout"; do
    printf 'FROM busybox\nADD ["%s", "/x"]\n' "$source" | dockerfile
    native
    [ "$status" -eq 1 ] || { echo "$source: $stderr"; false; }
  done
}

@test "every test that SECURITY.md names is there" {
  local page=$BATS_TEST_DIRNAME/../../SECURITY.md names=0 file name
  # The table's last column: `FILE`: "NAME" of bats and of unit tests, `FILE`: `CASE` of the comparisons.
  while IFS=$'\t' read -r file name; do
    names=$((names + 1))
    case $file in
      *.bats) grep -qF "@test \"$name\" {" "$BATS_TEST_DIRNAME/../../$file" ;;
      *.cases) grep -qxF "=== $name" "$BATS_TEST_DIRNAME/../../$file" ;;
      *.cpp) grep -qE "^TEST(_F|_P)?\(${name/./, }\)" "$BATS_TEST_DIRNAME/../../$file" ;;
      *) false ;;
    esac || { echo "SECURITY.md names $file: $name, which is not there"; false; }
  done < <(grep -oE '`tests/[^`]+`: "[^"]+"' "$page" | sed -E 's/^`([^`]+)`: "(.*)"$/\1\t\2/')
  [ "$names" -ge 40 ]
  # Each row of the table names a test or says why it does not apply.
  run ! grep -E '^\| (CVE|GHSA)-' <(grep -vE '`tests/[^`]+`: "|\| Not applicable: ' "$page")
}

@test "what hides /proc stays on it when the step has ended that sent it to another" {
  gcc -static -O1 "$BATS_TEST_DIRNAME/fixtures/descriptors/pass.c" -o src/pass
  dockerfile <<END
FROM busybox AS giver
COPY pass /
RUN /pass give $BATS_TEST_TMPDIR /proc
FROM busybox AS taker
COPY pass /
RUN /pass take $BATS_TEST_TMPDIR sys/kernel/core_pattern sysrq-trigger irq/default_smp_affinity
FROM scratch
COPY --from=giver /pass /giver
COPY --from=taker /pass /taker
END
  solve_well '.engine = "native"'
  [[ "$stderr" == *"nothing-opened: Read-only file system"* ]] || { echo "$stderr"; false; }
}

@test "steps run one at a time where nothing can hold together what hides /proc" {
  local stage
  {
    for stage in a b c; do
      printf 'FROM busybox AS %s\nRUN --mount=type=cache,target=/c mkdir /c/here && sleep 0.05 && rmdir /c/here && touch /done\n' "$stage"
    done
    printf 'FROM scratch\n'
    printf 'COPY --from=%s /done /\n' a b c
  } | dockerfile
  make_request "$(serve_busybox)" '.engine = "native"' >request
  run --separate-stderr "$BATS_TEST_DIRNAME/fixtures/descriptors/refuse_namespaces" oci-solve <request
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
  # Nothing of the start that was refused is in the image.
  printf 'FROM busybox\nRUN --mount=type=tmpfs,target=/made/for/it true\n' | dockerfile
  run --separate-stderr "$BATS_TEST_DIRNAME/fixtures/descriptors/refuse_namespaces" oci-solve <request
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
  [ -z "$(tar -tf "$(find "$(image_layers out/image.tar)" -type f | sort | tail -n 1)" | grep -E 'made|resolv.conf|hosts')" ]
}
