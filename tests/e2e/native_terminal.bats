#!/usr/bin/env bats
# A build on a terminal: what stands on the screen of a real terminal emulator while it goes on and after it.
bats_require_minimum_version 1.5.0

# bats file_tags=once

load ../support/load

setup_file() {
  prepare_base
}

setup() {
  enter_native_build
  command -v tmux >/dev/null || skip 'tmux is not installed: run scripts/setup --tests'
  export TMUX_TMPDIR=$BATS_TEST_TMPDIR
}

teardown() {
  while [ "${NUMBER:-0}" -gt 0 ]; do
    terminal kill-server 2>/dev/null || true
    NUMBER=$((NUMBER - 1))
  done
}

terminal() { tmux -u -L "terminal-$NUMBER" -f /dev/null "$@" 3>&-; }

# on_terminal COLUMNS ROWS COMMAND: in a terminal of that size, which stays when it has ended; its exit code goes to the
# file `ended`.
on_terminal() {
  rm -f ended
  NUMBER=$((${NUMBER:-0} + 1))
  terminal new-session -d -x "$1" -y "$2" "$3; echo \$? >ended; exec tail -f /dev/null"
}

# on_screen TEXT: the screen shows that, in the end.
on_screen() { wait_until 20 shows "$1" || { screen; return 1; }; }
shows() { screen | grep -qF -- "$1"; }
screen() { terminal capture-pane -p; }
# all_of_it: with what has left the screen at its top.
all_of_it() { terminal capture-pane -p -S - | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }

# without_times: what was shown with T in place of times.
without_times() { sed -E -e 's/ +[0-9]+\.[0-9]s( |$)/ T\1/g' -e 's/sha256:[0-9a-f]+/DIGEST/'; }

has_ended() { wait_until 20 test -s ended; }

@test "the live view shows running steps with their output, follows the size of the terminal, and stays whole at the end" {
  dockerfile <<'END'
FROM busybox AS one
RUN echo first; printf '\033]0;taken over\a\033[2J\033[31mharmless\033[0m\n'; touch /one; i=0; while [ $i -lt 40 ]; do i=$((i + 1)); sleep 0.05; done
FROM busybox
COPY --from=one /one /two
RUN printf 'a\0b \377 漢字\n' >/dev/stderr
END
  make_request '.engine = "native"' "$(serve_busybox)" "$(to_output)" >request
  on_terminal 80 24 'oci-solve <request >result'
  on_screen '=> => # harmless'
  screen | without_times >shown
  grep -xF '[+] Building T (3/6)' shown
  grep -xF " => [one 1/2] RUN echo first; printf '\\033]0;taken over\\a\\033[2J\\033[31... T" shown
  grep -xF ' => => # first' shown
  terminal resize-window -x 50 -y 16
  on_screen " => [one 1/2] RUN echo first; printf '\\03... "
  has_ended
  [ "$(cat ended)" = 0 ]
  on_screen 'oci-solve: slowest:'
  all_of_it | without_times | sed '1,/FINISHED/d' | sed '/^oci-solve: /,$d; /exporting/d' >shown
  diff - shown <<'END'
 => [internal] load build definition from... T
 => => transferring dockerfile: 254B T
 => [internal] load metadata for docker.i... T
 => => resolve docker.io/library/busybox@... T
 => [context busybox] OCI load from client T
 => [one 1/2] RUN echo first; printf '\03... T
 => [stage-1 1/3] COPY --from=one /one /two T
 => [stage-1 2/3] RUN printf 'a\0b \377 ... T
END
  [ "$(terminal display-message -p '#{cursor_flag}#{wrap_flag}')" = 11 ]
  [ "$(terminal display-message -p '#{pane_title}')" != 'taken over' ]
  nothing_left
}

@test "a step that fails has the last word, and a stopped build leaves the terminal as it was" {
  dockerfile <<'END'
FROM busybox
RUN echo fine
RUN echo 'it breaks' && exit 3
END
  make_request '.engine = "native"' "$(serve_busybox)" >request
  on_terminal 80 24 'oci-solve <request >result'
  has_ended
  [ "$(cat ended)" = 1 ]
  on_screen 'oci-solve: --------------------'
  screen >shown
  grep -qF ' ERROR' shown
  grep -A 3 -x -- '------' shown | head -n 4 | sed -E 's/^[0-9.]+ /T /' >last
  diff - last <<'END'
------
 > [2/3] RUN echo 'it breaks' && exit 3:
T it breaks
------
END
  run ! grep -F 'oci-solve: steps' shown

  dockerfile <<'END'
FROM busybox
RUN echo waiting; sleep 600
END
  on_terminal 80 10 'oci-solve <request >result'
  on_screen '=> => # waiting'
  terminal send-keys C-c
  has_ended
  [ "$(cat ended)" = 130 ]
  on_screen 'CANCELED [1/2] RUN echo waiting'
  [ "$(terminal display-message -p '#{cursor_flag}#{wrap_flag}')" = 11 ]
  nothing_left
}

@test "lines come where nobody looks: TERM=dumb, Concourse's terminal, pipes; and colours where they are wanted" {
  dockerfile <<'END'
FROM scratch
COPY Dockerfile /
END
  make_request '.engine = "native"' >request
  on_terminal 80 24 'TERM=dumb oci-solve <request; oci-solve <request 2>&1 | cat'
  has_ended
  [ "$(all_of_it | grep -cE '^#[0-9] DONE')" -eq 8 ]
  run ! shows '[+] Building'
  on_terminal 500 500 'oci-solve <request'
  has_ended
  shows '#1 DONE'
  run ! shows '[+] Building'
  on_terminal 80 24 'oci-solve <request; NO_COLOR=1 oci-solve <request'
  has_ended
  terminal capture-pane -p -e -S - >shown
  [ "$(grep -c $'\e\\[34m => \\[internal\\] load' shown)" -eq 1 ]
  [ "$(grep -c '^ => \[internal\] load' shown)" -eq 5 ]
}
