#!/usr/bin/env bats
# Secrets and SSH: they reach the step that asks for them, and nothing else.

load ../support/load

setup() {
  require_engine
  enter_task
}

# stays_secret TEXT: it is neither in the image nor in anything the build said.
stays_secret() {
  did_not_say "$1"
  run ! grep -r -F "$1" .
  mkdir "$BATS_TEST_TMPDIR/layout"
  skopeo copy --quiet --dest-decompress "$(image_reference)" "dir:$BATS_TEST_TMPDIR/layout"
  run ! grep -r -F "$1" "$BATS_TEST_TMPDIR/layout"
}

@test "buildkit secrets: BUILDKIT_SECRET_* are files" {
  succeed_task CONTEXT="$FIXTURES/secret" BUILDKIT_SECRET_password="$FIXTURES/secret/password"
}

@test "buildkit textual secrets: BUILDKIT_SECRETTEXT_* are the text itself" {
  succeed_task CONTEXT="$FIXTURES/secret" BUILDKIT_SECRETTEXT_password='open sesame' DEBUG=true NO_CACHE=true
  stays_secret 'open sesame'
}

@test "buildkit textual secrets: several lines and shell characters survive" {
  cat >Dockerfile <<'END'
FROM busybox
COPY expected /
RUN --mount=type=secret,id=odd cmp /expected /run/secrets/odd
END
  printf 'a "b" $c, d=e\n\\f' >expected
  succeed_task BUILDKIT_SECRETTEXT_odd="$(cat expected)"
}

@test "buildkit textual secrets: one that nobody gave fails the step that needs it" {
  printf 'FROM busybox\nRUN --mount=type=secret,id=absent,required=true true\n' >Dockerfile
  run_task
  [ "$status" -eq 1 ]
  said absent
  [ -z "$(files_in image)" ]
}

@test "ssh: BUILDKIT_SSH takes a key file" {
  fingerprint=$(make_ssh_key key)
  succeed_task CONTEXT="$FIXTURES/ssh" BUILDKIT_SSH=deploy=key NO_CACHE=true
  said "$fingerprint"
}

@test "ssh: BUILDKIT_SSH takes the socket of an agent" {
  fingerprint=$(make_ssh_key "$BATS_TEST_TMPDIR/key")
  eval "$(ssh-agent -a "$BATS_TEST_TMPDIR/agent" 3>&-)"
  ssh-add -q "$BATS_TEST_TMPDIR/key"
  succeed_task CONTEXT="$FIXTURES/ssh" BUILDKIT_SSH="deploy=$BATS_TEST_TMPDIR/agent" NO_CACHE=true
  kill "$SSH_AGENT_PID"
  said "$fingerprint"
}

@test "ssh: BUILDKIT_SSH takes several, each with its id" {
  first=$(make_ssh_key first)
  second=$(make_ssh_key second)
  cat >Dockerfile <<'END'
FROM ssh
RUN --mount=type=ssh,id=one ssh-add -l
RUN --mount=type=ssh,id=two ssh-add -l
END
  succeed_task BUILDKIT_SSH=one=first$'\n'two=second NO_CACHE=true
  said "$first"
  said "$second"
}

@test "ssh: an id alone means the agent of SSH_AUTH_SOCK" {
  fingerprint=$(make_ssh_key "$BATS_TEST_TMPDIR/key")
  eval "$(ssh-agent -a "$BATS_TEST_TMPDIR/agent" 3>&-)"
  ssh-add -q "$BATS_TEST_TMPDIR/key"
  succeed_task CONTEXT="$FIXTURES/ssh" BUILDKIT_SSH=deploy SSH_AUTH_SOCK="$SSH_AUTH_SOCK" NO_CACHE=true
  kill "$SSH_AGENT_PID"
  said "$fingerprint"
}

@test "ssh: BUILDKIT_SSHTEXT_* is a key as text, which no file outlives" {
  fingerprint=$(make_ssh_key "$BATS_TEST_TMPDIR/key")
  succeed_task CONTEXT="$FIXTURES/ssh" BUILDKIT_SSHTEXT_deploy="$(cat "$BATS_TEST_TMPDIR/key")" DEBUG=true NO_CACHE=true
  said "$fingerprint"
  did_not_say "$(sed -n 3p "$BATS_TEST_TMPDIR/key")"
  nothing_left_behind
}

@test "ssh: a step uses the agent's keys and cannot take them away; its socket has the mode and owner asked for" {
  fingerprint=$(make_ssh_key "$BATS_TEST_TMPDIR/key")
  eval "$(ssh-agent -a "$BATS_TEST_TMPDIR/agent" 3>&-)"
  ssh-add -q "$BATS_TEST_TMPDIR/key"
  cat >Dockerfile <<'END'
FROM ssh
RUN --mount=type=ssh,target=/tmp/a,mode=0640,uid=12,gid=34 --mount=type=ssh,required=true \
    [ "$SSH_AUTH_SOCK" = /tmp/a ] && [ "$(stat -c '%a %u %g' /tmp/a)" = '640 12 34' ] && \
    [ "$(stat -c '%a %u %g' /run/buildkit/ssh_agent.1)" = '600 0 0' ]
RUN --mount=type=ssh ! ssh-add -D
RUN --mount=type=ssh ssh-add -l
END
  succeed_task BUILDKIT_SSH="default=$BATS_TEST_TMPDIR/agent" NO_CACHE=true
  SSH_AUTH_SOCK=$BATS_TEST_TMPDIR/agent ssh-add -l >left
  kill "$SSH_AGENT_PID"
  said "$fingerprint"
  grep -q -F "$fingerprint" left
}

@test "ssh: a key with a passphrase is refused by its name" {
  ssh-keygen -q -t ed25519 -N 'a passphrase' -f locked
  printf 'FROM ssh\nRUN --mount=type=ssh ssh-add -l\n' >Dockerfile
  run_task BUILDKIT_SSH=default=locked
  [ "$status" -eq 1 ]
  said locked
}
