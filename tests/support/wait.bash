# Waiting for an event instead of sleeping.

# wait_until SECONDS COMMAND...: runs COMMAND until it succeeds; fails when it still does not after SECONDS.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.02
  done
}

# gone PID: no such process is left.
gone() {
  ! kill -0 "$1" 2>/dev/null
}
