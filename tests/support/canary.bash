# Files that no build may reach, in $CANARY.

# make_canary: one file, whose content must be shown nowhere. Whoever adds to it calls `canary >before` afterwards.
make_canary() {
  CANARY=$BATS_TEST_TMPDIR/canary
  mkdir -m 751 "$CANARY"
  echo secret-of-the-machine >"$CANARY/file"
}

# canary: all that is known of them, times of changes included.
canary() {
  find "$CANARY" -printf '%P %y %m %U:%G %n %s %T@ %C@\n' | sort
  cat "$CANARY/file"
}

# canary_is_well: nothing of them has changed since `canary >before`, or was shown by the last command that was run.
canary_is_well() {
  canary >after
  diff before after
  [[ "$stderr" != *secret-of-the-machine* ]] || { echo "$stderr"; return 1; }
}
