#!/usr/bin/env bats
# CONTEXT out of a git repository, or behind a URL.

load ../support/load

setup() {
  require_engine
  export_git_settings
  mkdir "$BATS_TEST_TMPDIR/www"
  cd "$BATS_TEST_TMPDIR/www" || return
  git init -q -b main repo.git
  mkdir repo.git/sub repo.git/other
  printf 'FROM scratch\nCOPY file /file\n' | tee repo.git/Dockerfile repo.git/sub/dockerfile >/dev/null
  printf 'FROM scratch\nCOPY sub/file /file\n' >repo.git/other/x.Dockerfile
  echo below >repo.git/sub/file
  commit first
  git -C repo.git tag -am words v1
  FIRST=$COMMIT
  commit second
  start_git_server
  enter_task
}

teardown() { stop_git_server; }

# commit WORD: the next commit of the branch, in which /file says that; its id is $COMMIT.
commit() {
  echo "$1" >repo.git/file
  git -C repo.git add .
  git -C repo.git commit -qm "$1"
  COMMIT=$(git -C repo.git rev-parse HEAD)
}

# refused CONTEXT TEXT...: the build fails, and says each of these.
refused() {
  local text
  run_task CONTEXT="$1"
  [ "$status" -eq 1 ]
  for text in "${@:2}"; do said "$text"; done
  [ -z "$(files_in image)" ]
  nothing_left_behind
}

@test "remote context: a repository by its default branch, a branch, a tag and a commit" {
  local reference
  for reference in '' '#main' '#refs/heads/main' '?branch=main' "#$COMMIT" "?ref=main&checksum=$COMMIT"; do
    succeed_task CONTEXT="$URL$reference"
    [ "$(file_of file)" = second ]
  done
  for reference in '#v1' '?tag=v1' "?ref=$FIRST"; do
    succeed_task CONTEXT="$URL$reference"
    [ "$(file_of file)" = first ]
  done
  nothing_left_behind
}

@test "remote context: a directory of a repository, and a Dockerfile by its path in there" {
  local reference
  for reference in '#main:sub' '#:sub' '?subdir=sub'; do
    succeed_task CONTEXT="$URL$reference"
    [ "$(file_of file)" = below ]
  done
  succeed_task CONTEXT="$URL" DOCKERFILE=other/x.Dockerfile
  [ "$(file_of file)" = below ]
  nothing_left_behind
}

@test "remote context: the files of a repository are root's, and no ignore file counts" {
  echo '*' >../www/repo.git/.dockerignore
  (cd ../www && commit third)
  succeed_task CONTEXT="$URL" OUTPUT_OCI=true
  [ "$(file_of file)" = third ]
  succeed_task CONTEXT="$URL"
  [ "$(tar -tvf <(tar -xOf image/image.tar "$(tar -xOf image/image.tar manifest.json | jq -r '.[0].Layers[0]')" |
    gzip -dc) | cut -d ' ' -f 1,2)" = '-rw-r--r-- 0/0' ]
}

@test "remote context: the directory .git stays where a build arg or the URL asks for it" {
  printf 'FROM scratch\nCOPY . /\n' >../www/repo.git/Dockerfile
  (cd ../www && commit third)
  succeed_task CONTEXT="$URL"
  run ! file_of .git/HEAD
  succeed_task CONTEXT="$URL" BUILD_ARG_BUILDKIT_CONTEXT_KEEP_GIT_DIR=1
  file_of .git/HEAD
  succeed_task CONTEXT="$URL?keep-git-dir=true"
  file_of .git/HEAD
}

@test "remote context: what is not in the repository is an error that names it" {
  refused "$URL#nowhere" "repository does not contain ref nowhere"
  refused "$URL#main:nowhere" 'invalid subdir' nowhere
  refused "$URL#main:other" Dockerfile
  refused "$URL?ref=main&checksum=$FIRST" 'expected checksum to match'
  refused "http://127.0.0.1:$PORT/absent.git" absent.git
  refused "http://127.0.0.1:$PORT/absent.tar" 404
}

@test "remote context: an archive is unpacked, and any other file is the Dockerfile" {
  local option
  for option in '' z J j; do
    tar -C ../www/repo.git -"$option"cf ../www/files .
    succeed_task CONTEXT="http://127.0.0.1:$PORT/files"
    [ "$(file_of file)" = second ]
  done
  printf 'FROM scratch\nCOPY context /itself\n' >../www/Containerfile
  succeed_task CONTEXT="http://127.0.0.1:$PORT/Containerfile"
  file_of itself | cmp - ../www/Containerfile
  nothing_left_behind
}
