#!/usr/bin/env bats
# A step of the native engine does not reach the machine, whatever its base image and its Dockerfile say. What is
# written to the machine here is what it holds already.

load ../support/load

setup_file() {
  prepare_base
}

setup() {
  enter_native_build
}

# native: builds, whatever comes of it.
native() {
  solve '.engine = "native"'
}

# build_of DOCKERFILE-LINE...: the Dockerfile's tail, after a stage `root` with a directory /r of links and programs.
# The links are shell commands in $LINKS.
build_of() {
  {
    printf 'FROM busybox AS root\nRUN mkdir /r && cp -a /bin /r/ && cd /r && %s\n' "$LINKS"
    printf '%s\n' "$@"
  } | dockerfile
  native
}

write_back='V=$(cat $F); echo "$V" >$F && echo WRITE-$((1 + 1))'

# refused TYPE: the build ended with 1, and no step wrote where it must not.
refused() {
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"filesystem \"$1\" must be mounted on ordinary directory"* ]]
  [[ "$stderr" != *WRITE-2* ]]
}

@test "a /proc that is a symlink is refused" {
  LINKS='mkdir -p deep/a/b/c/d/e/f deep/a/p sys/class/mem && ln -s /deep/a/b/c/d/e/f sys/class/mem/null && ln -s /sys/class/mem/null/../../../../../p proc' \
    build_of 'FROM scratch' 'COPY --from=root /r /' "RUN F=/deep/a/p/sys/kernel/core_pattern; $write_back"
  refused proc
}

@test "a /dev that is a symlink is refused" {
  LINKS='mkdir d && ln -s d dev && ln -s /proc/sys/kernel/core_pattern d/null' \
    build_of 'FROM scratch' 'COPY --from=root /r /' "RUN F=/proc/keys; $write_back"
  refused tmpfs
}

@test "a /sys that is a symlink is refused" {
  LINKS='mkdir dev && ln -s dev sys' \
    build_of 'FROM scratch' 'COPY --from=root /r /' 'RUN cat /proc/keys'
  refused sysfs
}

@test "a /proc that is a file is refused" {
  LINKS='touch proc' build_of 'FROM scratch' 'COPY --from=root /r /' 'RUN true'
  refused proc
}

@test "what is mounted on /dev is not what hides /proc and /sys" {
  LINKS='mkdir d && ln -s /proc/sys/kernel/core_pattern d/null && ln -s /proc/sys/kernel/core_pattern d/zero' \
    build_of 'FROM busybox' \
    'RUN --mount=type=bind,from=root,source=/r/d,target=/dev,rw [ -z "$(cat /proc/keys)" ] && [ ! -s /proc/kcore ]' \
    "RUN --mount=type=tmpfs,target=/dev F=/proc/sys/kernel/core_pattern; ! { $write_back; }"
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
  [[ "$stderr" != *WRITE-2* ]]
}

@test "masks stay when something is mounted on the directories that hold them" {
  LINKS=true build_of 'FROM busybox' \
    'RUN --mount=type=tmpfs,target=/dev ! grep . /proc/keys && ! grep . /proc/kcore && [ -z "$(ls /sys/firmware)" ]' \
    'RUN --mount=type=tmpfs,target=/sys ! grep . /proc/keys && ! ls /sys/firmware' \
    'RUN --mount=type=tmpfs,target=/dev ! { cat /proc/sys/kernel/core_pattern >/tmp/v; cat /tmp/v >/proc/sys/kernel/core_pattern; }'
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
}

@test "nothing is mounted on /proc or in it but on what emulations of it cover" {
  local mount
  for mount in 'type=tmpfs,target=/proc' 'type=bind,from=root,source=/r/d,target=/proc/sys' \
    'type=bind,from=root,source=/r/f,target=/proc/keys' \
    'type=tmpfs,target=/link' 'type=tmpfs,target=/bin/../link/kernel' \
    'type=tmpfs,target=/self/1/task' 'type=tmpfs,target=/cwd/new' 'type=tmpfs,target=/root/new'; do
    LINKS='mkdir d && echo >f && ln -s /proc/sys link && ln -s /proc self && ln -s /proc/self/cwd cwd && ln -s /proc/1/root root' \
      build_of 'FROM scratch' 'COPY --from=root /r /' "RUN --mount=$mount true"
    [ "$status" -eq 1 ] || { echo "$mount: $stderr"; false; }
    [[ "$stderr" == *"it cannot be mounted because it is inside /proc"* ]] || { echo "$mount: $stderr"; false; }
  done
  LINKS='echo 12.00 34.00 >uptime' \
    build_of 'FROM busybox' 'RUN --mount=from=root,source=/r/uptime,target=/proc/uptime grep 12.00 /proc/uptime'
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
}

@test "the program that executes a step's cannot be had, and not be changed" {
  mkdir bin
  cp "$(command -v oci-solve)" bin/
  chmod 755 bin/oci-solve
  sha256sum bin/oci-solve >before
  stat -c '%a %u %g %y %z' bin/oci-solve >>before
  # Executed in the place of a dynamic loader, with the file of the engine as its program.
  cat >loader.cpp <<'END'
#include <fcntl.h>
#include <sys/syscall.h>
static long call(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return number;
#else
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  asm volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x8) : "memory");
  return x0;
#endif
}
extern "C" void _start() {
  const long fd = call(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY, 0, 0);
  long done = 64;  // bits: mode, owner, attribute
  if (call(SYS_fchmod, fd, 0700, 0, 0, 0) == 0) done |= 1;
  if (call(SYS_fchown, fd, 1, 1, 0, 0) == 0) done |= 2;
  if (call(SYS_fsetxattr, fd, (long)"user.x", (long)"y", 1, 0) == 0) done |= 4;
  call(SYS_exit_group, done, 0, 0, 0, 0);
}
END
  g++ -nostdlib -static-pie -ffreestanding -fno-stack-protector -O1 loader.cpp -o src/loader
  printf '#!/proc/self/exe\n' >src/x
  printf '#!/proc/self/exe 1\n' >src/y
  printf '#!/proc/self/exe /proc/self/exe\n' >src/z
  chmod +x src/x src/y src/z
  local step
  for step in '["/x"]' '["/z"]' '["/proc/self/exe"]'; do
    dockerfile <<END
FROM busybox
COPY loader /lib64/ld-linux-x86-64.so.2
COPY loader /lib/ld-linux-aarch64.so.1
COPY x y z /
RUN $step
END
    PATH=$PWD/bin:$PATH native
    [ "$status" -eq 1 ]
    # The loader is not even executed, or could do nothing.
    [[ "$stderr" == *"exit code: 127"* || "$stderr" == *"exit code: 64"* ]] || { echo "$step: $stderr"; false; }
    { sha256sum bin/oci-solve; stat -c '%a %u %g %y %z' bin/oci-solve; } >after
    diff before after
  done
}

@test "a step that executes the starter's file as it likes gets nothing from it" {
  dockerfile <<'END'
FROM busybox
RUN printf '#!/proc/self/exe\n' >/x && chmod +x /x
RUN ["/x"]
END
  native
  [ "$status" -eq 1 ]
  [[ "$stderr" == *'process "/x" did not complete successfully: exit code: 127'* ]]
}

@test "a step changes no device of the machine" {
  stat -c '%n %a %u %g %z' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty >before
  dockerfile <<'END'
FROM busybox
RUN for name in null zero full random urandom tty; do chmod 600 /dev/$name; chown 1234 /dev/$name; touch /dev/$name; \
    mv /dev/$name /dev/other; rm /dev/$name; done; chmod 444 /proc/keys /proc/kcore; chown 1 /proc/keys; true
RUN [ -c /dev/null ] && [ "$(stat -c %a:%u /dev/null)" = 666:0 ] && echo x >/dev/null
END
  native
  stat -c '%n %a %u %g %z' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty >after
  diff before after
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
}

# guarded RULE...: builds in a device cgroup that allows what a container may open, and what these rules allow.
guarded() {
  local rule
  GUARD=/sys/fs/cgroup/devices/oci-build-$BASHPID
  mkdir "$GUARD"
  echo a >"$GUARD/devices.deny"
  for rule in 'c *:* m' 'b *:* m' 'c 1:3 rwm' 'c 1:5 rwm' 'c 1:7 rwm' 'c 1:8 rwm' 'c 1:9 rwm' 'c 5:* rwm' 'c 136:* rwm' \
    'c 10:200 rwm' 'c 10:229 rwm' "$@"; do
    echo "$rule" >"$GUARD/devices.allow"
  done
  make_request "$(serve_busybox)" '.engine = "native"' >request
  run --separate-stderr bash -c 'echo $$ >"$1/tasks" && exec oci-solve <request' - "$GUARD"
  rmdir "$GUARD"
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
}

@test "a device that the task was given does not open in a step" {
  [ -e /sys/fs/cgroup/devices/devices.list ] || skip 'no device cgroup of version 1 is mounted at /sys/fs/cgroup/devices'
  local disk
  disk=$(find /sys/dev/block -mindepth 1 -printf '%f\n' -quit)
  dockerfile <<END
FROM busybox
RUN mknod /zero c 1 5 && mknod /disk b ${disk/:/ }
RUN for name in zero disk; do if head -c 1 /\$name >/dev/null; then echo "\$name-opens"; else echo "\$name-denied"; fi; done
END
  guarded
  [[ "$stderr" == *zero-opens*disk-denied* ]] || { echo "$stderr"; false; }
  guarded "b $disk r"
  [[ "$stderr" == *zero-denied*disk-denied* ]] || { echo "$stderr"; false; }
}

@test "a step of a user who is not root holds no inheritable capability that the engine has" {
  dockerfile <<'END'
FROM busybox
USER 1000
RUN ! grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | grep -v 0000000000000000
END
  make_request "$(serve_busybox)" '.engine = "native"' >request
  run --separate-stderr setpriv --inh-caps=+chown,+setuid oci-solve <request
  [ "$status" -eq 0 ] || { echo "$stderr"; false; }
}
