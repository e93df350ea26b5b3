#!/usr/bin/env bats
# Directories and symlinks are exchanged as fast as can be while the native engine walks over them: nothing outside of
# the roots is read or changed.

load ../support/load

setup_file() {
  prepare_base
}

setup() {
  enter_native_build
  make_canary
  mkdir -m 751 "$CANARY/x" "$CANARY/deep" "$CANARY/deep/x"
  tee "$CANARY/x/file" "$CANARY/deep/x/file" <"$CANARY/file" >/dev/null
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

# raced: the build did not crash, and nothing outside is changed, shown, mounted or left.
raced() {
  [ "$status" -le 1 ] || { echo "exit code $status: $stderr"; false; }
  [[ "$stderr" != *'unexpected error'* ]] || { echo "$stderr"; false; }
  canary_is_well
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
RUN --mount=target=/c ! grep -rl secret-of-the-[m]achine /1 /2 /3 /c
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
}

# pass_on: makes the program `pass`, with which the root of a stage gets into the hands of another.
# pass give SOCKET DIRECTORY: makes DIRECTORY/file here and below /s/d, beside a symlink /s/l to the root, and sends a
#   descriptor of the root.
# pass take SOCKET END PAUSE: takes it, and exchanges s/d and s/l in there every PAUSE microseconds until a file END is
#   there; then it cannot any more.
pass_on() {
  cat >pass.cpp <<'END'
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

static void make(const std::string& path) {
  for (size_t slash = 0; slash != std::string::npos;) {
    slash = path.find('/', slash + 1);
    mkdir(path.substr(0, slash).c_str(), 0755);
  }
  const int file = open((path + "/file").c_str(), O_CREAT | O_WRONLY, 0644);
  if (write(file, "of-the-stage\n", 13) != 13) abort();
  for (int i = 0; i < 50; ++i) mkdir((path + "/" + std::to_string(i)).c_str(), 0755);
}

int main(int, char** arguments) {
  const bool gives = strcmp(arguments[1], "give") == 0;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, arguments[2]);
  const auto* where = reinterpret_cast<sockaddr*>(&address);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (gives) {
    make(std::string("/s/d") + arguments[3]);
    make(arguments[3]);
    if (symlink("/", "/s/l") != 0) return 1;
    while (connect(fd, where, sizeof address) != 0) usleep(1000);
    const int root = open("/", O_PATH | O_DIRECTORY);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof root);
    memcpy(CMSG_DATA(header), &root, sizeof root);
    return sendmsg(fd, &message, 0) == 1 && read(fd, &byte, 1) == 1 ? 0 : 1;
  }
  if (bind(fd, where, sizeof address) != 0 || listen(fd, 1) != 0) return 1;
  const int giver = accept(fd, nullptr, nullptr);
  if (recvmsg(giver, &message, 0) != 1) return 1;
  int root;
  memcpy(&root, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof root);
  if (write(giver, "x", 1) != 1) return 1;
  while (access(arguments[3], F_OK) != 0) {
    if (renameat2(root, "s/d", root, "s/l", RENAME_EXCHANGE) != 0 && errno != EROFS) return 1;
    usleep(atoi(arguments[4]));
  }
  return renameat2(root, "s/d", root, "s/l", RENAME_EXCHANGE) != 0 && errno == EROFS ? 0 : 1;
}
END
  g++ -static -O1 pass.cpp -o src/pass
}

# passed_on NUMBER PAUSE: a Dockerfile whose stage `racing` does what stdin says while another changes the root of stage
# `a` every PAUSE microseconds.
passed_on() {
  {
    cat <<END
FROM busybox AS tools
COPY pass /bin/
RUN --mount=type=cache,id=meet$1,target=/meet --mount=type=cache,id=end$1,target=/end true
FROM scratch AS a
RUN --mount=type=bind,from=tools,source=/bin,target=/bin --mount=type=cache,id=meet$1,target=/meet \\
    ["/bin/pass", "give", "/meet/socket", "$CANARY"]
FROM tools AS exchanging
RUN --mount=type=cache,id=meet$1,target=/meet --mount=type=cache,id=end$1,target=/end pass take /meet/socket /end/now $2
FROM tools AS racing
END
    cat
    printf 'RUN --mount=type=cache,id=end%s,target=/end touch /end/now\n' "$1"
    printf 'FROM scratch\nCOPY --from=racing /bin/pass /1\nCOPY --from=exchanging /bin/pass /2\n'
  } | dockerfile
}

@test "bind mounts and copies of a stage whose root another stage holds show what its steps left" {
  local build number
  pass_on
  for build in {1..2}; do
    {
      printf 'RUN'
      for number in {1..40}; do printf ' --mount=type=bind,from=a,source=/s/d%s,target=/m%s' "$CANARY" "$number"; done
      printf ' cat /m*/file; [ $(cat /m*/file | grep -c of-the-stage) -eq 40 ]\n'
      for number in {1..8}; do echo "COPY --from=a /s /o$number"; done
      printf 'RUN for at in 1 2 3 4 5 6 7 8; do cd /o$at && find . | sort | md5sum; done | uniq | [ $(wc -l) -eq 1 ]\n'
    } | passed_on "$build" 500
    solve '.engine = "native"'
    raced
    [ "$status" -eq 0 ] || { echo "$stderr"; false; }
  done
  nothing_left
}
