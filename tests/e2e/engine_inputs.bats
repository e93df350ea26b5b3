#!/usr/bin/env bats
# What goes into a build: files, arguments, secrets, keys, hosts, proxies, images.

load ../support/load

setup_file() { prepare_base; }
setup() { enter_build; }

teardown() {
  if [ -n "${SSH_AGENT_PID:-}" ]; then kill "$SSH_AGENT_PID" 2>/dev/null || true; fi
  stop_sshd
}

# nowhere TEXT: no output, whether compressed or not, and no progress holds it.
nowhere() {
  [[ "$stderr" != *"$1"* ]] || { echo 'in the progress'; return 1; }
  mkdir -p searched
  tar -xf out/image.tar -C searched
  local blob
  for blob in searched/blobs/sha256/*; do
    if { gzip -dcf "$blob" 2>/dev/null || cat "$blob"; } | grep -qF -- "$1"; then
      echo "in $blob"
      return 1
    fi
  done
}

@test "a Dockerfile may lie outside the context and have any name" {
  mkdir elsewhere
  printf 'FROM busybox\nCOPY file /copied\n' >'elsewhere/My Dockerfile'
  echo content >src/file
  solve_well "$(to_output)" '.dockerfile = "elsewhere/My Dockerfile"'
  [ "$(image_file copied)" = content ]
}

@test "a Dockerfile that is a link is read from the context alone" {
  printf 'the-secret-outside\n' >outside
  mkdir -p src/docker elsewhere
  ln -s ../outside src/Dockerfile
  solve "$(to_output)"
  [ "$status" -eq 1 ]
  [[ "$stderr" != *the-secret-outside* ]]
  [[ "$stderr" == *"the Dockerfile 'src/Dockerfile'"*'leads out of the context'* ]]
  ln -sfn "$PWD/outside" src/Dockerfile
  solve "$(to_output)"
  [ "$status" -eq 1 ]
  [[ "$stderr" != *the-secret-outside* ]]
  cp outside elsewhere/Dockerfile
  ln -s ../elsewhere src/directory
  solve "$(to_output)" '.dockerfile = "src/directory/Dockerfile"'
  [ "$status" -eq 1 ]
  [[ "$stderr" != *the-secret-outside* ]]
}

@test "a Dockerfile and its ignore file may be links in the context" {
  printf 'FROM busybox\nCOPY . /all/\n' >src/real
  printf 'ignored\n' >src/rules
  touch src/ignored src/taken
  mkdir src/docker
  ln -s ../real src/docker/Dockerfile
  ln -s /rules src/docker/Dockerfile.dockerignore
  solve_well "$(to_output)" '.dockerfile = "src/docker/Dockerfile"'
  run image_file all/taken
  [ "$status" -eq 0 ]
  run image_file all/ignored
  [ "$status" -ne 0 ]
}

@test "build args arrive as they are, blanks, quotes, commas and line breaks included" {
  printf 'FROM busybox\nARG A\nARG EMPTY=default\nRUN printf "%%s|%%s" "$A" "$EMPTY" >/a\n' | dockerfile
  solve_well "$(to_output)" '.build_args = [{name: "A", value: "x=1, \"y\"\n$HOME"}, {name: "EMPTY", value: ""}]'
  [ "$(image_file a)" = $'x=1, "y"\n$HOME|' ]
}

@test "labels arrive as they are" {
  printf 'FROM busybox\n' | dockerfile
  solve_well "$(to_output)" '.labels = [{name: "org.example/k", value: "a=b, \"c\"\nd"}]'
  [ "$(image_config | jq -r '.config.Labels["org.example/k"]')" = $'a=b, "c"\nd' ]
}

@test "a secret from a variable and one from a file reach the step and nothing else" {
  dockerfile <<'END'
FROM busybox
RUN --mount=type=secret,id=text --mount=type=secret,id=file sha256sum </run/secrets/text >/sums; sha256sum </run/secrets/file >>/sums
END
  export VARIABLE_OF_TEST=correct-horse-battery
  echo staple-in-a-file >'se,cret "file"'
  solve_well "$(to_output)" '.secrets = [{id: "text", env: "VARIABLE_OF_TEST", file: null},
    {id: "file", env: null, file: "se,cret \"file\""}]' '.debug = true'
  [ "$(image_file sums | head -n 1)" = "$(printf %s correct-horse-battery | sha256sum)" ]
  [ "$(image_file sums | tail -n 1)" = "$(echo staple-in-a-file | sha256sum)" ]
  nowhere correct-horse-battery
  nowhere staple-in-a-file
  nothing_left
}

@test "while a secret is in use it is in no file and no argument, nor in the daemon's environment" {
  dockerfile <<'END'
FROM busybox
RUN --mount=type=secret,id=s test -s /run/secrets/s; echo step-is-run""ning; while ! grep -q 0.0 /etc/stop 2>/dev/null; do sleep 1000; done
END
  export SECRET_OF_TEST=only-in-memory-$RANDOM$RANDOM
  start_build '.secrets = [{id: "s", env: "SECRET_OF_TEST", file: null}]'
  wait_until 60 grep -q step-is-running progress
  # The step's own /run/secrets is a tmpfs in a mount namespace of its own.
  run ! grep -rqsF "$SECRET_OF_TEST" tmp
  run ! grep -qsF "$SECRET_OF_TEST" /proc/[0-9]*/cmdline
  run ! grep -qsF "$SECRET_OF_TEST" "/proc/$(daemon_pid)/environ"
  kill -TERM "$BUILD_PID"
  ended_with 143
}

@test "hosts are added, of both address families" {
  printf 'FROM busybox\nRUN cp /etc/hosts /hosts\n' | dockerfile
  solve_well "$(to_output)" '.add_hosts = [{host: "four.example", ip: "10.9.8.7"}, {host: "six.example", ip: "fd00::7"}]'
  image_file hosts | grep -q '^10.9.8.7[[:space:]]*four.example'
  image_file hosts | grep -q '^fd00::7[[:space:]]*six.example'
}

# bats test_tags=buildkit
@test "proxies reach a step and leave no trace in image, history or cache key" {
  printf 'FROM busybox\nRUN echo "$http_proxy|$NO_PROXY" | sha256sum >/proxies; cat /proc/sys/kernel/random/uuid >/when\n' | dockerfile
  mkdir cache
  export http_proxy=http://user:pass-word@proxy.example:3128 NO_PROXY=internal.example
  local with_proxies='.proxies = [{env: "http_proxy"}, {env: "NO_PROXY"}]'
  solve_well "$(to_output)" "$with_proxies" '.cache.directory = "cache"'
  [ "$(image_file proxies)" = "$(echo "$http_proxy|$NO_PROXY" | sha256sum)" ]
  nowhere pass-word
  nowhere internal.example
  local first
  first=$(image_digest)
  export http_proxy=http://another.example:3128
  solve_well "$(to_output)" "$with_proxies" '.cache.directory = "cache"'
  [ "$(image_digest)" = "$first" ]
  unset http_proxy NO_PROXY
  solve_well "$(to_output)" '.cache.directory = "cache"'
  [ "$(image_digest)" = "$first" ]
}

@test "a proxy's password is in no argument while it is in use" {
  printf 'FROM busybox\nRUN echo step-is-run""ning; sleep 1000\n' | dockerfile
  export https_proxy=http://user:pass-$RANDOM$RANDOM@proxy.example:3128
  start_build '.proxies = [{env: "https_proxy"}]'
  wait_until 60 grep -q step-is-running progress
  run ! grep -qsF "$https_proxy" /proc/[0-9]*/cmdline
  kill -TERM "$BUILD_PID"
  ended_with 143
}

@test "a build arg of a proxy's name replaces it" {
  printf 'FROM busybox\nRUN echo "$http_proxy" >/p\n' | dockerfile
  http_proxy=http://task.example solve_well "$(to_output)" '.proxies = [{env: "http_proxy"}]' \
    '.build_args = [{name: "http_proxy", value: "http://mine.example"}]'
  [ "$(image_file p)" = http://mine.example ]
}

@test "images given as build args are used, also two whose names differ only by case" {
  make_busybox_rootfs root
  local lower upper
  echo lower >root/which
  lower=$(make_image base root lower)
  echo upper >root/which
  upper=$(make_image base root upper)
  dockerfile <<'END'
ARG base
ARG BASE
FROM $base AS one
FROM ${BASE} AS two
COPY --from=one /which /one
RUN cp /which /two
END
  solve_well "$(to_output)" "$(preload build_arg base "$PWD/base" "$lower")" \
    "$(preload build_arg BASE "$PWD/base" "$upper")"
  [ "$(image_file one)" = lower ]
  [ "$(image_file two)" = upper ]
}

@test "a preloaded image serves FROM and --from under every form of its name" {
  dockerfile <<'END'
FROM debian:12 AS one
FROM docker.io/library/debian:12
COPY --from=debian:12 /bin/busybox /copied
RUN test -x /copied
END
  local digest
  digest=$(cat "$BATS_FILE_TMPDIR/busybox.digest")
  solve_well "$(preload context docker.io/debian:12 "$BATS_FILE_TMPDIR/busybox" "$digest")"
}

@test "a plain directory is a named context" {
  mkdir 'as, sets'
  echo asset >'as, sets/file'
  printf 'FROM busybox\nCOPY --from=assets file /asset\n' | dockerfile
  solve_well "$(to_output)" '.contexts = [{name: "assets", directory: "as, sets"}]'
  [ "$(image_file asset)" = asset ]
}

@test "NO_CACHE runs every step again" {
  printf 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid >/when\n' | dockerfile
  mkdir cache
  solve_well "$(to_output)" '.cache.directory = "cache"'
  local first
  first=$(image_file when)
  solve_well "$(to_output)" '.cache.directory = "cache"' '.no_cache = true'
  [ "$(image_file when)" != "$first" ]
}

# A step that writes down which keys its agent offers.
ask_agent() {
  printf 'FROM with-ssh\nRUN --mount=type=ssh,id=git %s -L >/answer\n' "$(command -v ssh-add)" | dockerfile
  make_busybox_rootfs root
  add_program root ssh-add
  with_ssh=$(preload context with-ssh "$PWD/base" "$(make_image base root)")
}

# make_key NAME: a key in the file NAME, without a passphrase.
make_key() {
  ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$1"
}

# offered: the public keys that the step's agent had, without their comments.
offered() {
  image_file answer | cut -d ' ' -f 1,2
}

# public_key NAME
public_key() {
  cut -d ' ' -f 1,2 "$1.pub"
}

# start_agent NAME: an agent with this key, at SSH_AUTH_SOCK.
start_agent() {
  make_key "$1"
  eval "$(ssh-agent -s 3>&-)" >/dev/null
  ssh-add -q "$1"
}

@test "a key file serves a step's ssh" {
  ask_agent
  make_key key
  solve_well "$(to_output)" "$with_ssh" '.ssh = [{id: "git", env: null, paths: [{path: "key"}], raw: false}]'
  [ "$(offered)" = "$(public_key key)" ]
}

@test "a key given as text serves a step's ssh and is never on disk" {
  ask_agent
  make_key key
  local part
  part=$(sed -n 3p key)
  KEY_TEXT=$(cat key) solve_well "$(to_output)" "$with_ssh" '.debug = true' \
    '.ssh = [{id: "git", env: "KEY_TEXT", paths: [], raw: false}]'
  [ "$(offered)" = "$(public_key key)" ]
  nowhere "$part"
  nothing_left
}

@test "several key files serve one id, and an agent's socket another" {
  ask_agent
  make_key one
  make_key two
  start_agent three
  local agent=$SSH_AUTH_SOCK
  unset SSH_AUTH_SOCK
  local keys='paths: [{path: "one"}, {path: "two"}]' socket="paths: [{path: \"$agent\"}]"
  solve_well "$(to_output)" "$with_ssh" \
    ".ssh = [{id: \"git\", env: null, $keys, raw: false}, {id: \"agent\", env: null, $socket, raw: false}]"
  [ "$(offered | sort)" = "$({ public_key one; public_key two; } | sort)" ]
  solve_well "$(to_output)" "$with_ssh" ".ssh = [{id: \"git\", env: null, $socket, raw: false}]"
  [ "$(offered)" = "$(public_key three)" ]
}

@test "without a path ssh is the agent of SSH_AUTH_SOCK" {
  ask_agent
  start_agent key
  solve_well "$(to_output)" "$with_ssh" '.ssh = [{id: "git", env: null, paths: [], raw: false}]'
  [ "$(offered)" = "$(public_key key)" ]
}

# A repository that only the holder of `key` reads, and builds that can reach it.
serve_repository() {
  make_key key
  git init -q -b main repository
  echo content >repository/file
  git -C repository add file
  git -C repository -c user.name=tests -c user.email=tests@example.com commit -q -m first
  git -C repository tag v1
  start_sshd key.pub repository
  oci-solve() { near_sshd "$(type -P oci-solve)" "$@"; }
}

@test "ADD of git over ssh shows the keys of the default agent, to hosts that nobody knows yet" {
  serve_repository
  dockerfile <<'END'
FROM scratch
ADD git@127.0.0.1:repository.git#v1 /short/
ADD --keep-git-dir ssh://git@127.0.0.1:2222/home/git/repository.git /url/
END
  KEY_TEXT=$(cat key) solve_well "$(to_output)" '.ssh = [{id: "default", env: "KEY_TEXT", paths: [], raw: false}]'
  [ "$(image_file short/file)" = content ]
  [ "$(image_file url/file)" = content ]
  image_file url/.git/config | grep -q 'url = ssh://xxxxx@127.0.0.1:2222/home/git/repository.git'
  eval "$(ssh-agent -s 3>&-)" >/dev/null
  ssh-add -q key
  solve_well '.ssh = [{id: "default", env: null, paths: [], raw: false}]' '.no_cache = true'
  nothing_left
}

@test "ADD of git over ssh fails without the right key" {
  serve_repository
  make_key other
  printf 'FROM scratch\nADD git@127.0.0.1:repository.git /\n' | dockerfile
  solve '.ssh = [{id: "git", env: null, paths: [{path: "key"}], raw: false}]'
  [ "$status" -eq 1 ]
  [[ $stderr == *'unset ssh forward key default'* ]]
  solve
  [ "$status" -eq 1 ]
  [[ $stderr == *'no SSH key "default" forwarded from the client'* ]]
  solve '.ssh = [{id: "default", env: null, paths: [{path: "other"}], raw: false}]'
  [ "$status" -eq 1 ]
  [[ $stderr == *'git@127.0.0.1: Permission denied (publickey'* ]]
  run ! grep -q 'Accepted' sshd.log
}
