#!/usr/bin/env bats
# What a second build takes from the cache and what it makes again, after one change each: the same on both
# engines.

load ../support/load
load ../support/rebuilds

# The engine starts anew each time, so that it remembers what is in cache/ and nothing else.
rebuild() {
  succeed_task BUILDKIT_HOST= CONTEXT=src BUILD_CONTEXTS="busybox=$BASES/busybox" "${PARAMETERS[@]}"
}

# rebuild_as_planned: the same after a plan, which changes nothing and says what the build does.
rebuild_as_planned() {
  [ "$E2E_ENGINE" = native ] || { rebuild; return; }
  state_of cache image src >before
  plan_task CONTEXT=src BUILD_CONTEXTS="busybox=$BASES/busybox" "${PARAMETERS[@]}" >plan.json 2>said || { cat said; return 1; }
  state_of cache image src | diff before - || return
  rebuild || return
  built_as_planned plan.json || return
  [ "$(jq '[.steps[] | select(.outcome == "unknown")] | length' plan.json)" -eq 0 ]
}

# outcome PATTERN: whether the step was made again, by its title.
outcome() {
  local tag
  tag=$(grep -m 1 -oE "^#[0-9]+ \[[^]]*\] $1" <<<"$stderr" | cut -d ' ' -f 1)
  [ -n "$tag" ] || { echo "no $1"; return; }
  if grep -qx "$tag CACHED" <<<"$stderr"; then echo hit; else echo miss; fi
}

# check NAME: builds, changes that, and builds again.
check() {
  local copy run reason found
  PARAMETERS=()
  read -r copy run reason <<<"${REBUILDS[$1]}"
  mkdir -p "$BATS_TEST_TMPDIR/$1"
  cd "$BATS_TEST_TMPDIR/$1" || return
  mkdir -p image cache
  rebuild_context
  [ "$(type -t "before_$1")" != function ] || "before_$1"
  rebuild || return
  "change_$1"
  rebuild_as_planned || return
  found="$(outcome COPY) $(outcome RUN)"
  [ "$found" = "$copy $run" ] || { echo "$1: $found, not $copy $run"; echo "$stderr"; return 1; }
  [ "$E2E_ENGINE" = native ] || return 0
  found=$(sed -n 's/^#[0-9]* not cached: //p' <<<"$stderr" | head -n 1)
  [ "$found" = "$reason" ] || { echo "$1: $found, not $reason"; return 1; }
}

# check_all NAME...: each of them; the environment of one is not that of the next.
check_all() {
  local name
  require_engine
  enter_task
  for name in "$@"; do
    (check "$name") || return
  done
}

@test "rebuild: after changes of files that are copied" {
  check_all nothing touched mode owner content new_file gone hard_links
  # A buildkitd that runs all the time does not look at those of files that it has; one that starts anew does.
  [ "$E2E_ENGINE" != native ] || check_all attribute
}

@test "rebuild: after changes of the instruction" {
  check_all elsewhere destination blanks command renamed slash network
}

@test "rebuild: after changes of what stands before" {
  check_all labels user variable argument workdir
  # BuildKit finds the layer, too, but calls the step made because it puts it on another base.
  [ "$E2E_ENGINE" != native ] || check_all linked
}

@test "rebuild: after changes of parameters" {
  check_all proxy added_host host_address host_name no_cache
}
