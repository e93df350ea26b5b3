#!/usr/bin/env bats
# ADD of git repositories between builds: a commit that is known is neither asked for nor fetched again, and the image is
# the same as of a fetch.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  export_git_settings
  mkdir cache
  git init -q -b main repo.git
  mkdir -p repo.git/sub repo.git/other
  echo kept >repo.git/sub/file
  echo two >repo.git/other/file
  commit one
  start_git_server
}

teardown() { stop_git_server; }

# commit WORD: the next commit of the branch, in which /file says that; its id is $COMMIT.
commit() {
  echo "$1" >repo.git/file
  git -C repo.git add .
  git -C repo.git commit -qm "$1"
  COMMIT=$(git -C repo.git rev-parse HEAD)
}

# build [FILTER...]: builds the Dockerfile with the cache.
build() {
  rm -rf out/*
  : >requests
  make_request '.engine = "native" | .cache.directory = "cache"' "$(serve_busybox)" "$(to_output)" "$@" >request
  run --separate-stderr "${WITHIN[@]}" oci-solve <request
}
build_well() {
  build "$@"
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# asked LINE...: what the last build asked the server.
asked() { diff <(printf '%s\n' "$@") requests; }
asked_nothing() { diff /dev/null requests; }

# made LINE...: why steps were made again in the last build.
made() { diff <(printf '%s\n' "$@") <(sed -n 's/^#[0-9]* not cached: //p' <<<"$stderr"); }
made_nothing() { run ! grep -q 'not cached' <<<"$stderr"; }

# plan: the plan of that build, in $lines.
plan() {
  : >requests
  run -0 --separate-stderr oci-solve --plan <request
}

# layer: the uppermost layer of the image, but for times.
layer() { tar -tvf "$(find "$(image_layers out/image.tar)" -type f | sort | tail -n 1)" | sed 's/ 20[0-9-]* [0-9:]* / /'; }

short() { git -C repo.git rev-parse "$1" | cut -c 1-7; }

# add SOURCE [BEFORE [OPTIONS]]
add() { printf 'FROM busybox\n%bADD %s %s /x/\n' "${2-}" "${3-}" "$1" | dockerfile; }

below='RUN echo below >/below\n'

@test "a branch is asked for once, and fetched when it has moved" {
  add "$URL#main"
  build_well
  asked ls-refs ls-refs fetch
  layer >fresh
  build_well
  asked ls-refs
  made_nothing
  plan
  asked ls-refs
  [ "${lines[-1]}" = '1 cached, 0 would run, 0 unknown' ]
  # The step runs above another layer: on the files that are there.
  add "$URL#main" "$below"
  build_well
  asked ls-refs
  [ "$(image_file x/file)" = one ]
  layer | diff fresh -
  local old
  old=$(short main)
  commit next
  plan
  asked ls-refs
  [ "${lines[3]}" = "#2 unknown until $URL is fetched" ]
  build_well
  asked ls-refs ls-refs fetch
  made "the repository changed ($old -> $(short main))"
  [ "$(image_file x/file)" = next ]
}

@test "the default branch and a tag are asked for once, and known by their commit" {
  git -C repo.git tag light
  git -C repo.git tag -am words v1
  printf 'FROM busybox\nADD %s /x\nADD %s#light /y\nADD %s#v1 /z\n' "$URL" "$URL" "$URL" | dockerfile
  build_well
  # The commit is fetched once, the tag object once.
  asked_as_often ls-refs 5 fetch 2
  build_well
  asked ls-refs ls-refs ls-refs
  made_nothing
  # Another name for the same commit is not another repository.
  git -C repo.git branch same
  sed -i "s/#light/#same/" src/Dockerfile
  build_well
  asked ls-refs ls-refs ls-refs
  made_nothing
  local old
  old=$(short HEAD)
  commit next
  git -C repo.git tag -fam words v1
  build_well
  [[ "$stderr" == *"not cached: the repository changed ($old -> $(short HEAD))"* ]]
}

# asked_as_often [WORD COUNT]...
asked_as_often() {
  while [ $# -gt 0 ]; do
    [ "$(grep -cx "$1" requests)" -eq "$2" ] || { sort requests | uniq -c; return 1; }
    shift 2
  done
}

@test "a full commit id, or a checksum that is one, is asked for by nobody once it is there" {
  local source
  for source in "$URL#$COMMIT" "--checksum=$COMMIT $URL#main" "$URL?fetch-by-commit=1&checksum=$COMMIT"; do
    rm -rf cache/*
    add "$source"
    build_well
    stop_git_server
    build_well
    made_nothing
    add "$source" "$below"
    build_well
    [ "$(image_file x/file)" = one ]
    start_git_server
  done
  # A checksum that is not that of the branch is found out where there is nothing yet.
  commit next
  rm -rf cache/*
  add "--checksum=0123456789012345678901234567890123456789 $URL#main"
  build
  [ "$status" -eq 1 ]
  [[ "$stderr" == *'failed to load cache key: expected checksum to match '* ]]
}

@test "a server that is not there fails a build that needs a branch of it, and no plan" {
  add "$URL#main"
  build_well
  stop_git_server
  build
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"ERROR: failed to load cache key: failed to fetch remote $URL: git stderr:"*'fatal: unable to access'* ]]
  plan
  [ "${lines[1]}" = "#1 unknown until $URL is fetched" ]
  start_git_server
  # A name and a password in the address are nobody's to read.
  add "${URL/127/user:secret@127}#main"
  make_request '.engine = "native" | .cache.directory = "cache"' "$(serve_busybox)" "$(to_output)" >request
  rm -rf cache/*
  plan
  [ "${lines[1]}" = "#1 unknown until ${URL/127/xxxxx:xxxxx@127} is fetched" ]
}

@test "subdirectories come from one checkout, and keep their layers when others change" {
  printf 'FROM busybox\nADD %s#main:sub /x\nADD %s#main:other /y\n' "$URL" "$URL" | dockerfile
  build_well
  asked_as_often fetch 1
  [ "$(image_file y/file)" = two ]
  commit next
  build_well
  asked_as_often fetch 1
  made_nothing
  [ "$(image_file x/file)" = kept ]
  local old
  old=$(short main)
  echo three >repo.git/other/file
  commit more
  build_well
  made "the repository changed ($old -> $(short main))"
  [ "$(image_file y/file)" = three ]
}

@test "a repository that is kept is another thing than its files, by its ref, too" {
  add "$URL#main" '' --keep-git-dir
  build_well
  asked_as_often fetch 1
  layer >kept
  build_well
  asked ls-refs
  made_nothing
  add "$URL#main" "$below" --keep-git-dir
  build_well
  asked ls-refs
  layer | diff kept -
  git -C repo.git branch same
  add "$URL#same" '' --keep-git-dir
  build_well
  asked_as_often fetch 1
  [[ "$(image_file x/.git/HEAD)" != '' ]]
  add "$URL#main"
  build_well
  asked_as_often fetch 1
  run ! image_file x/.git/HEAD
}

@test "a checkout goes with what no build has used, and is fetched again" {
  add "$URL#$COMMIT"
  build_well
  printf 'FROM busybox\n' | dockerfile
  build_well '.cache.max_size = 0'
  [ -z "$(ls cache/native/trees)" ]
  add "$URL#$COMMIT" "$below"
  build_well
  asked_as_often fetch 1
  [ "$(image_file x/file)" = one ]
}

@test "a checkout that is damaged is fetched again, before anything of it gets into an image" {
  add "$URL#$COMMIT"
  build_well
  layer >fresh
  echo odd >"$(echo cache/native/trees/*/root/file)"
  add "$URL#$COMMIT" "$below"
  build_well
  [[ "$stderr" == *'warning: dropped the damaged tree '* ]]
  asked_as_often fetch 1
  [ "$(image_file x/file)" = one ]
  layer | diff fresh -
  printf '{' >"$(dirname "$(dirname "$(echo cache/native/trees/*/root/file)")")/tree.json"
  add "$URL#$COMMIT" "RUN echo more >/more\n"
  build_well
  [[ "$stderr" == *'warning: dropped the damaged tree '* ]]
  asked_as_often fetch 1
  [ "$(image_file x/file)" = one ]
}

@test "NO_CACHE fetches again" {
  add "$URL#main"
  build_well
  build_well '.no_cache = true'
  asked ls-refs ls-refs fetch
  made NO_CACHE
  build_well
  asked ls-refs
  made_nothing
}

@test "a cache that takes nothing costs no build its repositories" {
  head -c 6M /dev/urandom >repo.git/large
  commit large
  add "$URL#main"
  local place
  for place in 'mount -t tmpfs -o size=5M tmpfs cache' 'mount --bind cache cache && mount -o remount,ro,bind cache'; do
    WITHIN=(unshare -m sh -c "$place"' && exec "$@"' sh)
    build_well
    [[ "$stderr" == *'warning: '* ]]
    [ "$(image_file x/file)" = large ]
    asked ls-refs ls-refs fetch
  done
  nothing_left
}

@test "submodules are fetched with the commit that names them, and not again" {
  git init -q -b main inner.git
  echo inner >inner.git/f
  git -C inner.git add f
  git -C inner.git commit -qm inner
  git clone -q ./inner.git repo.git/vendored
  printf '[submodule "vendored"]\n\tpath = vendored\n\turl = ../inner.git\n' >repo.git/.gitmodules
  git -C repo.git add . 2>/dev/null
  git -C repo.git commit -qm with
  add "$URL#main"
  build_well
  asked_as_often fetch 2
  [ "$(image_file x/vendored/f)" = inner ]
  add "$URL#main" "$below"
  build_well
  asked ls-refs
  [ "$(image_file x/vendored/f)" = inner ]
  # Without them it is another checkout.
  add "$URL?branch=main&submodules=false"
  build_well
  asked_as_often fetch 1
  run ! image_file x/vendored/f
}

# context URL [FILTER...]: builds the Dockerfile of that context with the cache.
context() {
  # shellcheck disable=SC2016
  build "$(jq -nr --arg url "$1" '".context = \($url | tojson) | .dockerfile = \"Dockerfile\""')" "${@:2}"
}
context_well() {
  context "$@"
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

@test "a context that has not moved is asked for once, and fetched when it has" {
  printf 'FROM busybox\nCOPY sub /sub\nCOPY file /file\nRUN cat /file >/ran\n' >repo.git/Dockerfile
  commit one
  context_well "$URL"
  asked ls-refs ls-refs fetch
  [[ "$stderr" == *"#1 [internal] load git source $URL"* ]]
  [ "$(image_file ran)" = one ]
  context_well "$URL#main"
  asked ls-refs
  made_nothing
  plan
  asked ls-refs
  [ "${lines[-1]}" = '3 cached, 0 would run, 0 unknown' ]
  local old
  old=$(short main)
  commit next
  context_well "$URL"
  asked ls-refs ls-refs fetch
  [[ "$stderr" == *" not cached: the repository changed ($old -> $(short main))"* ]]
  [ "$(image_file ran)" = next ]
  context_well "$URL#$COMMIT"
  asked_nothing
  made_nothing
  nothing_left
}

@test "a context that is a file is asked for by its ETag, and unpacked whatever its compression" {
  printf 'FROM busybox\nCOPY file /file\nRUN cat /file >/ran\n' >repo.git/Dockerfile
  tar -C repo.git -cf files.tar Dockerfile file
  gzip -k files.tar
  zstd -q files.tar
  context_well "http://127.0.0.1:$PORT/files.tar.gz"
  asked 'GET /files.tar.gz 200'
  [[ "$stderr" == *'#1 [internal] load remote build context'* ]]
  [ "$(image_file ran)" = one ]
  context_well "http://127.0.0.1:$PORT/files.tar.gz"
  asked 'GET /files.tar.gz 304'
  made_nothing
  # Other bytes of the same files.
  context_well "http://127.0.0.1:$PORT/files.tar.zst"
  asked 'GET /files.tar.zst 200'
  made_nothing
  echo two >repo.git/file
  tar -C repo.git -cf files.tar Dockerfile file
  context_well "http://127.0.0.1:$PORT/files.tar"
  [[ "$stderr" == *' not cached: file changed'* ]]
  [ "$(image_file ran)" = two ]
}

@test "a Dockerfile of a context that the native engine leaves out is refused with its reason" {
  printf 'FROM busybox\nRUN --device=vendor.com/gpu=all true\n' >repo.git/Dockerfile
  commit one
  context "$URL"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"the Dockerfile of the context '$URL' asks for RUN --device (Dockerfile:2), which the native engine does not do; use ENGINE=buildkit"* ]]
}

@test "a context of git without the program git says what to install" {
  # shellcheck disable=SC2016
  make_request "$(jq -nr --arg url "$URL" '".context = \($url | tojson)"')" >request
  run --separate-stderr env PATH=/nowhere "$(command -v oci-solve)" --engine native <request
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"cannot fetch the context '$URL': a git repository needs the program 'git', which is not on PATH: install git"* ]]
}
