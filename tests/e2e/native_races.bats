#!/usr/bin/env bats
# Directories and symlinks are exchanged as fast as can be while the native engine walks over them: nothing outside of
# the roots is read or changed.

load ../support/load

setup_file() {
  prepare_base
}

setup() {
  enter_native_build
  CANARY=$BATS_TEST_TMPDIR/canary
  mkdir -m 751 "$CANARY" "$CANARY/x" "$CANARY/deep" "$CANARY/deep/x"
  echo secret-of-the-machine | tee "$CANARY/file" "$CANARY/x/file" "$CANARY/deep/x/file" >/dev/null
  canary >before
  # exchange END: exchanges a0 and l0, a1 and l1 below the working directory until a file END is there.
  cat >exchange.cpp <<'END'
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>
int main(int, char** arguments) {
  for (unsigned round = 0; round % 256 != 0 || access(arguments[1], F_OK) != 0; ++round) {
    renameat2(AT_FDCWD, "a0", AT_FDCWD, "l0", RENAME_EXCHANGE);
    renameat2(AT_FDCWD, "a1", AT_FDCWD, "l1", RENAME_EXCHANGE);
    sched_yield();
  }
}
END
  g++ -static -O1 exchange.cpp -o exchange
}

# canary: all that is known of the files that no build may reach, times of changes included.
canary() {
  find "$CANARY" -printf '%P %y %m %U:%G %n %s %T@ %C@\n' | sort
  cat "$CANARY/file"
}

# raced: the build did not crash, and nothing outside is changed, shown, mounted or left.
raced() {
  [ "$status" -le 1 ] || { echo "exit code $status: $stderr"; false; }
  [[ "$stderr" != *secret-of-the-machine* ]] || { echo "$stderr"; false; }
  [[ "$stderr" != *'unexpected error'* ]] || { echo "$stderr"; false; }
  canary >after
  diff before after
}

@test "mount targets in a cache whose directories another stage exchanges for links lead to nothing outside" {
  local build step mounts=0 target
  cp exchange src/
  for build in {1..20}; do
    {
      cat <<END
FROM busybox AS file
RUN echo f >/f
FROM busybox AS exchanging
COPY exchange /bin/
RUN --mount=type=cache,id=shared,target=/s --mount=type=cache,id=end$build,target=/end cd /s && rm -rf a0 l0 a1 l1 && \
    mkdir -p a0/x a1/x && ln -s $CANARY l0 && ln -s ../../../../../../../../..$CANARY/deep l1 && touch /end/ready && exec exchange /end/now
FROM busybox AS racing
RUN --mount=type=cache,id=end$build,target=/end until [ -e /end/ready ]; do usleep 1000; done
END
      for step in 1 2 3; do
        printf 'RUN --mount=type=cache,id=shared,target=/s'
        for target in a0/x a1/x a0/new$step a1/new$step/y l0/x l1/x; do
          printf ' --mount=type=tmpfs,target=/s/%s' "$target"
          printf ' --mount=type=cache,id=other%s,uid=1,gid=1,mode=0700,target=/s/%s/c' "$step" "$target"
          printf ' --mount=type=bind,from=file,source=/f,target=/s/%s/f' "$target"
        done
        printf ' touch /s/a0/x/breakout /s/a1/x/breakout /s/a0/file; cat /s/a0/file /s/a1/x/file; echo %s; true\n' "$build"
      done
      printf 'WORKDIR /s/a0/x\nRUN --mount=type=cache,id=shared,target=/s cat file; touch breakout; true\n'
      printf 'RUN --mount=type=cache,id=end%s,target=/end touch /end/now\n' "$build"
      printf 'FROM scratch\nCOPY --from=racing /bin/sh /1\nCOPY --from=exchanging /bin/sh /2\n'
    } | dockerfile
    solve '.engine = "native"'
    raced
    mounts=$((mounts + 18 * $(grep -cE 'RUN --mount=type=cache,id=shared,target=/s --mount=type=tmpfs' <<<"$stderr")))
    [ "$mounts" -lt 1000 ] || break
  done
  echo "$mounts mounts in $build builds"
  nothing_left
  [ "$mounts" -ge 500 ]
}

@test "a context whose directories are exchanged for links while it is copied gives nothing from outside" {
  local build
  mkdir -p src/a0/x src/a1/x
  for build in {1..50}; do echo of-the-context >"src/a0/x/$build"; done
  cp -a src/a0/x/. src/a1/x
  ln -s "$CANARY" src/l0
  ln -s "../../../../../../../../..$CANARY/deep" src/l1
  dockerfile <<'END'
FROM busybox
COPY --chown=1:1 --chmod=777 a0 /1
COPY --chown=1:1 a1/x /2/
COPY . /3
RUN --mount=target=/c ! grep -rl secret-of-the-machine /1 /2 /3 /c
END
  (cd src && exec ../exchange ../end) 3>&- &
  local exchanging=$!
  for build in {1..8}; do
    solve '.engine = "native"'
    raced || break
    [[ "$stderr" != *'did not complete'* ]] || break
  done
  touch end
  wait "$exchanging"
  raced
  [[ "$stderr" != *'did not complete'* ]] || { echo "$stderr"; false; }
}

@test "a cache whose folders are exchanged for links while it is used leads to nothing outside" {
  local build built=0 trees
  mkdir cache evil
  printf 'FROM busybox\nRUN cat %s/file; echo done >/file\n' "$CANARY" | dockerfile
  solve_well '.engine = "native"' '.cache.directory = "cache"'
  trees=(cache/native/trees/*)
  mkdir "evil/${trees[0]##*/}"
  cp "${trees[0]}/tree.json" "evil/${trees[0]##*/}"
  ln -s / "evil/${trees[0]##*/}/root"
  cat >folders.cpp <<'END'
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
bool is_directory(const char* path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}
// A build replaces the link where it finds one, so that there may be two directories.
void exchange(const char* folder, const char* other, const char* target, unsigned round) {
  renameat2(AT_FDCWD, folder, AT_FDCWD, other, RENAME_EXCHANGE);
  if (round % 16 != 0) return;
  char aside[64];
  snprintf(aside, sizeof aside, "aside-%s-%u", folder, round);
  if (is_directory(folder) && is_directory(other)) rename(other, aside);
  symlink(target, other);
}
int main(int, char** arguments) {
  for (unsigned round = 0; round % 256 != 0 || access(arguments[1], F_OK) != 0; ++round) {
    exchange("partial", "partial-link", arguments[2], round);
    exchange("trees", "trees-link", arguments[3], round);
    sched_yield();
  }
}
END
  g++ -static -O1 -w folders.cpp -o folders
  (cd cache/native && exec ../../folders ../../end "$CANARY" "$OLDPWD/evil") 3>&- &
  local exchanging=$!
  for build in {1..15}; do
    solve '.engine = "native"' '.cache.directory = "cache"'
    raced || break
    [ "$status" -ne 0 ] || built=$((built + 1))
  done
  touch end
  wait "$exchanging"
  raced
  [ "$(find evil | wc -l)" -eq 4 ]
  echo "$built of $build builds"
  [ "$built" -ge 5 ]
  nothing_left
}
