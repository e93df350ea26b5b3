#!/usr/bin/env bats
# The native engine's pulls: what is fetched, what is kept, and how it lives with registries that fail.

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_build
  start_registry "$PWD/r"
  FORGOTTEN=0
  SERVER_PIDS=()
}

teardown() {
  stop_servers
  stop_registry "${OTHER_REGISTRY_PID:-}"
  stop_registry
}

# push_busybox NAME [skopeo option...]: to the registry that runs.
push_busybox() {
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/$1" "${@:2}"
  forget_requests
}

# The requests that the registry has answered since forget_requests, one a line.
requests() {
  requests_to_registry r | tail -n "+$((FORGOTTEN + 1))"
}

forget_requests() {
  FORGOTTEN=$(requests_to_registry r | wc -l)
}

# build [FILTER...]: with the native engine, and the state directory `state`.
build() {
  make_request '.engine = "native"' "$@" >request
  run --separate-stderr oci-solve --state-dir state <request
}

# build_well [FILTER...]: the same; fails the test, with what was said, when the build fails.
build_well() {
  build "$@"
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

@test "a base is pulled and unpacked once per state directory" {
  push_busybox base:1
  printf 'FROM %s/base:1\nRUN echo first >/file\n' "$REGISTRY" | dockerfile
  build_well "$(to_output)"
  [ "$(requests | grep -c '^GET .*/blobs/')" -eq 2 ] # config and layer
  [[ "$stderr" == *"extracting sha256:"* ]]
  local digest
  digest=$(sed -n 's/^#[0-9]* extracting //p' <<<"$stderr")
  forget_requests
  rm -r out/*
  printf 'FROM %s/base:1\nRUN echo second >/file\n' "$REGISTRY" | dockerfile
  build_well "$(to_output)"
  run requests
  [[ "$output" == "HEAD /v2/base/manifests/1 "* ]]
  [ "${#lines[@]}" -eq 1 ]
  [[ "$stderr" != *extracting* ]]
  [[ "$stderr" == *"FROM $REGISTRY/base:1"*CACHED* ]]
  [ "$(image_file file)" = second ]
  # By digest there is nothing to ask for at all.
  local manifest
  manifest=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/base:1" | jq -r .Digest)
  printf 'FROM %s/base@%s\nRUN echo third >/file\n' "$REGISTRY" "$manifest" | dockerfile
  build_well "$(to_output)"
  forget_requests
  build_well "$(to_output)"
  [ -z "$(requests)" ]
  # A layer of which bytes were lost is fetched again, and so is the tree made of it.
  : >"state/blobs/sha256/${digest#sha256:}"
  rm state/trees/*/tree.json
  build_well "$(to_output)"
  [[ "$stderr" == *"dropped the damaged blob $digest"* ]]
  [ "$(image_file file)" = third ]
}

@test "of a base only what the build needs is pulled" {
  push_busybox base:1
  # Without an output and without a step nothing but the metadata is.
  printf 'FROM %s/base:1\nENV a=b\n' "$REGISTRY" | dockerfile
  build_well
  [ "$(requests | grep -c '^GET .*/blobs/')" -eq 1 ]
  # An image needs the layers, but nobody needs the files.
  build_well "$(to_output)"
  [ "$(requests | grep -c '^GET .*/blobs/')" -eq 2 ]
  [ -z "$(ls state/trees)" ]
  image_file ./bin/busybox >busybox
  cmp busybox "$(command -v busybox)"
  # A stage that no target needs is nobody's business.
  printf 'FROM %s/absent:1 AS unused\nRUN true\nFROM scratch\nCOPY Dockerfile /\n' "$REGISTRY" | dockerfile
  build_well
}

@test "a preloaded image never touches the network, and is unpacked once" {
  local preloaded
  preloaded=$(preload context "$REGISTRY/base:1" "$BATS_FILE_TMPDIR/busybox" "$(cat "$BATS_FILE_TMPDIR/busybox.digest")")
  printf 'FROM %s/base:1\nRUN echo first >/file\n' "$REGISTRY" | dockerfile
  build_well "$(to_output)" "$preloaded"
  [ -z "$(requests)" ]
  [ "$(image_file file)" = first ]
  local made
  made=$(stat -c %W state/trees/*/root)
  build_well "$(to_output)" "$preloaded"
  [ "$(stat -c %W state/trees/*/root)" = "$made" ]
}

# extra_config TOML: the jq filter for it.
extra_config() {
  jq -nr --arg toml "$1" '".buildkit_config = \($toml | tojson)"'
}

@test "logins by password and by token open a registry of a private authority" {
  OTHER_REGISTRY_PID=$REGISTRY_PID
  start_registry "$PWD/private" --auth robot:pass-word --tls
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/base:1" --dest-creds robot:pass-word
  printf 'FROM %s/base:1\nRUN true\n' "$REGISTRY" | dockerfile
  docker_login login "$REGISTRY" robot pass-word
  local table="[registry.\"$REGISTRY\"]"$'\nhttp = false\n'
  build '.docker_config = "login"' "$(extra_config "$table")"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"give the certificate of its authority as 'ca' in BUILDKIT_EXTRA_CONFIG"* ]]
  build "$(extra_config "${table}ca = ['$PWD/private/ca.pem']")"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"asks for a user and password; give them by DOCKER_CONFIG"* ]]
  build_well '.docker_config = "login"' "$(extra_config "${table}ca = ['$PWD/private/ca.pem']")"
  [[ "$stderr" != *pass-word* ]]
  stop_registry

  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens -keyout token.key -out token.pem 2>/dev/null
  start_server tokens token-server token.key token.pem robot:pass-word identity
  start_registry "$PWD/tokens" --token-server "$SERVER" "$PWD/token.pem"
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/base:1" --dest-creds robot:pass-word
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/base:2" --dest-creds robot:pass-word
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/other:1" --dest-creds robot:pass-word
  printf 'FROM %s AS a\nFROM %s AS b\nFROM %s\nRUN true\nCOPY --from=a / /a\nCOPY --from=b / /b\n' \
    "$REGISTRY/base:1" "$REGISTRY/base:2" "$REGISTRY/other:1" | dockerfile
  docker_login login "$REGISTRY" robot pass-word
  rm -r state
  curl -sf -o /dev/null --noproxy '*' "http://$SERVER/-/log"
  build_well '.docker_config = "login"'
  # One token for each repository, though all are asked for at the same time.
  [ "$(curl -sf --noproxy '*' "http://$SERVER/-/log" | jq -c sort)" = '["repository:base:pull","repository:other:pull"]' ]
}

proxy_is_asked() {
  curl -sf --noproxy '*' "http://$SERVER/-/log" | jq -e 'length > 0' >/dev/null
}

@test "what bases are is asked for all at the same time, and the first that is missing is named" {
  push_busybox first:1
  push_busybox second:1
  start_server proxy fault-proxy "http://$REGISTRY"
  printf 'FROM %s/first:1 AS a\nFROM %s/second:1\nCOPY --from=a / /a\n' "$SERVER" "$SERVER" | dockerfile
  set_faults "$SERVER" '[{"match": "HEAD .*/manifests/", "gather": 2}]'
  build_well
  [ "$(grep '^#[0-9]* \[internal\] load metadata' <<<"$stderr" | sort -u | wc -l)" -eq 2 ]
  printf 'FROM %s/none:1 AS a\nFROM %s/neither:1\nCOPY --from=a / /a\n' "$SERVER" "$SERVER" | dockerfile
  build
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"oci-solve: Dockerfile:1: $SERVER/none:1: $SERVER answered 404: not found"* ]]
  # A signal ends what nobody answers.
  set_faults "$SERVER" '[{"match": "HEAD .*/manifests/", "gather": 3}]'
  curl -sf -o /dev/null --noproxy '*' "http://$SERVER/-/log"
  make_request '.engine = "native"' >request
  oci-solve <request >result 2>progress 3>&- &
  local waiting=$!
  SERVER_PIDS+=("$waiting")
  wait_until 20 proxy_is_asked
  kill -TERM "$waiting"
  local code=0
  wait "$waiting" || code=$?
  [ "$code" -eq 143 ]
  nothing_left
}

# line_of TEXT: the number of the first line of $stderr that ends with it.
line_of() {
  grep -n -m 1 " $1\$" <<<"$stderr" | cut -d : -f 1
}

@test "what an image is is found out before its own step begins" {
  push_busybox base:1
  printf 'FROM scratch\nCOPY --from=%s/base:1 /bin/busybox /\n' "$REGISTRY" | dockerfile
  build_well
  [ "$(line_of "load metadata for $REGISTRY/base:1")" -lt "$(line_of "FROM $REGISTRY/base:1")" ]
  printf 'FROM scratch\nCOPY --from=%s/none:1 /bin/busybox /\n' "$REGISTRY" | dockerfile
  build
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"oci-solve: Dockerfile:2: $REGISTRY/none:1: $REGISTRY answered 404: not found"* ]]
  [ -z "$(line_of "FROM $REGISTRY/none:1")" ]
}

@test "mirrors are asked in order, and what they lack comes from the next" {
  push_busybox library/mirrored:1
  local full=$REGISTRY
  OTHER_REGISTRY_PID=$REGISTRY_PID
  start_registry "$PWD/empty"
  printf 'FROM mirrored:1\nRUN true\n' | dockerfile
  build_well ".registry_mirrors = [{host: \"$REGISTRY\"}, {host: \"$full\"}]"
  [[ "$stderr" == *"cannot pull 'mirrored:1' from http://$REGISTRY/"*"; trying the next"* ]]
  requests_to_registry empty | grep -q '^HEAD /v2/library/mirrored/manifests/1?ns=docker.io '
  requests | grep -q '^GET /v2/library/mirrored/blobs/'
}

@test "pulls live with registries that fail, and say so" {
  push_busybox base:1
  start_server proxy fault-proxy "http://$REGISTRY"
  printf 'FROM %s/base:1\nRUN echo done >/file\n' "$SERVER" | dockerfile
  # Busy, broken, cut in the middle of the layer and wrong in the second half; each is asked again.
  set_faults "$SERVER" '[
    {"match": "HEAD .*/manifests/", "times": 1, "answer": 429, "headers": {"Retry-After": "0"}},
    {"match": "GET .*/manifests/", "times": 1, "answer": 503},
    {"match": "GET .*/blobs/", "times": 2, "cut": 100},
    {"match": "GET .*/blobs/", "times": 1, "corrupt": 5000}]'
  build_well "$(to_output)"
  [ "$(image_file file)" = done ]
  [[ "$stderr" == *"answered 429; trying again in "* ]]
  [[ "$stderr" == *"answered 503; trying again in "* ]]
  # What stays wrong is an error that says what is, and nothing of it is kept.
  rm -r state
  set_faults "$SERVER" '[{"match": "GET .*/blobs/", "corrupt": 50}]'
  build
  [ "$status" -eq 1 ]
  [[ "$stderr" == *": $SERVER/base:1: $SERVER sent bytes that do not have the digest sha256:"* ]]
  [ "$(find state/blobs/sha256 -type f | wc -l)" -eq 1 ] # the manifest
  # A failing step does not wait for a pull that is slow.
  set_faults "$SERVER" '[{"match": "GET .*/blobs/", "rate": 10000}]'
  rm -r state
  printf 'FROM busybox AS other\nRUN false\nFROM %s/base:1\nCOPY --from=other / /\n' "$SERVER" | dockerfile
  SECONDS=0
  build "$(serve_busybox)"
  [ "$status" -eq 1 ]
  [ "$SECONDS" -lt 10 ]
  [[ "$stderr" == *'process "/bin/sh -c false" did not complete successfully: exit code: 1'* ]]
}

# Part of the layer has arrived in the state directory.
pull_is_under_way() {
  [ -n "$(find state/partial -type f -size +20k 2>/dev/null)" ]
}

@test "a base that is on disk does not wait for a slow pull of the same files" {
  push_busybox base:1
  start_server proxy fault-proxy "http://$REGISTRY"
  set_faults "$SERVER" '[{"match": "GET .*/blobs/", "rate": 10000}]'
  printf 'FROM %s/base:1\nRUN true\n' "$SERVER" | dockerfile
  make_request '.engine = "native"' >request
  oci-solve --state-dir state <request >result 2>progress 3>&- &
  local slow=$!
  SERVER_PIDS+=("$slow")
  wait_until 20 pull_is_under_way
  printf 'FROM busybox\nRUN echo done >/file\n' | dockerfile
  build_well "$(serve_busybox)" "$(to_output)"
  [ "$(image_file file)" = done ]
  kill -0 "$slow"
  # A signal ends the pull at once.
  kill -TERM "$slow"
  local code=0
  wait "$slow" || code=$?
  [ "$code" -eq 143 ]
  pull_is_under_way
}

@test "a build after a killed one goes on with its pull and removes what else it left" {
  push_busybox base:1
  start_server proxy fault-proxy "http://$REGISTRY"
  printf 'FROM %s/base:1\nRUN true\n' "$SERVER" | dockerfile
  set_faults "$SERVER" '[{"match": "GET .*/blobs/", "rate": 200000}]'
  make_request '.engine = "native"' >request
  oci-solve --state-dir state <request >result 2>progress 3>&- &
  local killed=$!
  wait_until 20 pull_is_under_way
  kill -KILL "$killed"
  wait "$killed" || true
  mkdir -p state/partial/new-abc/root/usr
  set_faults "$SERVER" '[]'
  curl -sf -o /dev/null --noproxy '*' "http://$SERVER/-/log"
  build_well
  curl -sf --noproxy '*' "http://$SERVER/-/log" | jq -e 'any(.headers.Range // "" | test("^bytes=[1-9]"))'
  [ -z "$(ls state/partial)" ]
}
