# A real OpenSSH server with a repository, in a network and with files of its own.

# start_sshd KEY.PUB REPOSITORY: serves a bare clone of REPOSITORY as /home/git/repository.git to the user "git" with
# this key, on the ports 22 and 2222 of 127.0.0.1. Commands reach it by near_sshd. Sets SSHD_PID; its words go to the
# file `sshd.log`.
start_sshd() {
  [ -x /usr/sbin/sshd ] || skip 'sshd is not installed'
  unshare --mount --net true 2>/dev/null || skip 'namespaces are not allowed here'
  ssh-keygen -q -t ed25519 -N '' -f host-key
  { cat /etc/passwd; echo 'git:x:61000:61000::/home/git:/bin/sh'; } >passwd
  printf '%s\n' 'ListenAddress 127.0.0.1:22' 'ListenAddress 127.0.0.1:2222' "HostKey $PWD/host-key" 'UsePAM no' \
    'PidFile none' >sshd_config
  # shellcheck disable=SC2016 # for the shell inside
  KEY=$1 REPOSITORY=$2 unshare --mount --net sh -ec '
    ip link set lo up
    mount --bind passwd /etc/passwd
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs -o mode=755 tmpfs /home
    mkdir -p /run/sshd /home/git/.ssh
    cp "$KEY" /home/git/.ssh/authorized_keys
    git clone -q --bare "$REPOSITORY" /home/git/repository.git
    chown -R 61000:61000 /home/git
    exec /usr/sbin/sshd -D -e -f sshd_config' >sshd.log 2>&1 3>&- &
  SSHD_PID=$!
  if ! wait_until 20 grep -q 'listening on .* port 22\.' sshd.log; then
    cat sshd.log >&2
    return 1
  fi
}

# near_sshd COMMAND...: runs it where the server is.
near_sshd() {
  nsenter --net="/proc/$SSHD_PID/ns/net" "$@"
}

stop_sshd() {
  [ -n "${SSHD_PID:-}" ] || return 0
  kill "$SSHD_PID"
  wait "$SSHD_PID" || true
}
