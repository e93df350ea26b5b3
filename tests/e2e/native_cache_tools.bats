#!/usr/bin/env bats
# What package managers and compilers keep in cache mounts is there in the next build: each tool as it is, with its own
# layout and locks.

# bats file_tags=once

load ../support/load

# One image with the tools of this machine, and one cache, so that it is unpacked once.
setup_file() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  cd "$BATS_FILE_TMPDIR" || return
  export BATS_REGISTRIES_PID
  "$BATS_TEST_DIRNAME/../support/package-registries" "$PWD/registries" >registries.log 2>&1 3>&- &
  BATS_REGISTRIES_PID=$!
  make_busybox_rootfs tools
  add_python tools
  if command -v npm >/dev/null; then add_node tools; fi
  if command -v go >/dev/null; then add_go tools; fi
  if command -v cargo >/dev/null; then add_cargo tools; fi
  add_gcc tools
  mkdir -p cache layout src
  make_plain_image
  wait_until 20 test -e registries/port || { cat registries.log; return 1; }
}

teardown_file() {
  [ -z "${BATS_REGISTRIES_PID:-}" ] || kill "$BATS_REGISTRIES_PID"
}

setup() {
  enter_native_build
  REGISTRIES=$BATS_FILE_TMPDIR/registries
  ADDRESS=http://127.0.0.1:$(cat "$REGISTRIES/port")
}

# make_plain_image: `layout/image` of the files in `tools`, uncompressed, as nobody else will read it.
make_plain_image() {
  printf 'FROM scratch\nCOPY . /\nENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/root\n' >Dockerfile
  CONTEXT=tools make_request '.engine = "native" | .dockerfile = "Dockerfile" | .output.format = "oci" | .output.compression = "none"' \
    '.targets[0].output = "layout"' | oci-solve >/dev/null 2>log || { cat log; return 1; }
  rm -rf tools
}

add_python() {
  local version library file
  add_program "$1" /usr/bin/python3
  version=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
  mkdir -p "$1/usr/lib/python3/dist-packages"
  cp -a "/usr/lib/$version" "$1/usr/lib/"
  rm -rf "$1/usr/lib/$version"/config-*
  cp -a /usr/lib/python3/dist-packages/pip "$1/usr/lib/python3/dist-packages/"
  for library in "/usr/lib/$version"/lib-dynload/{_ssl,_hashlib,zlib,_bz2,_lzma,_ctypes,_uuid}.*.so; do
    [ -e "$library" ] || continue # others are part of the program
    for file in $(ldd "$library" | grep -o '/[^ ]*'); do cp -L --parents "$file" "$1"; done
  done
}

add_node() {
  local npm
  npm=$(readlink -f "$(command -v npm)")
  add_program "$1" node
  mkdir -p "$1/usr/lib/node_modules"
  cp -a "${npm%/bin/*}" "$1/usr/lib/node_modules/npm"
}

# As much of it as compiles a package that imports nothing else of Go's own.
add_go() {
  local from to=$1/usr/local/go
  from=$(go env GOROOT)
  mkdir -p "$to/bin" "$to/src"
  cp "$from/bin/go" "$to/bin/"
  cp "$from/VERSION" "$from/go.env" "$to/"
  cp -r "$from/src/unsafe" "$to/src/"
  install -D -t "$to/${from:+pkg/tool/$(go env GOOS)_$(go env GOARCH)}" "$(go tool -n compile)"
}

# With a compiler that says what this machine's does: to fetch, cargo asks it for no more.
add_cargo() {
  local cargo rustc asked
  cargo=$(rustup which cargo 2>/dev/null || command -v cargo)
  rustc=$(rustup which rustc 2>/dev/null || command -v rustc)
  asked='--crate-name ___ --print=file-names --crate-type bin --crate-type rlib --crate-type dylib --crate-type cdylib
    --crate-type staticlib --crate-type proc-macro --print=sysroot --print=split-debuginfo --print=crate-name --print=cfg'
  add_program "$1" "$cargo"
  mkdir -p "$1/usr/local/bin"
  ln -s "$cargo" "$1/usr/local/bin/cargo"
  # shellcheck disable=SC2086  # several words
  printf '#!/bin/sh\nif [ "$*" = -vV ]; then cat <<END\n%s\nEND\nelse cat <<END\n%s\nEND\nfi\n' \
    "$("$rustc" -vV)" "$("$rustc" - $asked </dev/null)" >"$1/usr/local/bin/rustc"
  chmod 755 "$1/usr/local/bin/rustc"
}

add_gcc() {
  local program
  for program in ccache gcc as "$(gcc -print-prog-name=cc1)"; do
    add_program "$1" "$program"
  done
  mkdir -p "$1/usr/include"
  touch "$1/usr/include/stdc-predef.h"
}

# build_with_tools <<END: builds these instructions on the tools, well.
build_with_tools() {
  local layout=$BATS_FILE_TMPDIR/layout/image
  { printf 'FROM tools\n'; cat; } | dockerfile
  make_request '.engine = "native"' ".cache.directory = \"$BATS_FILE_TMPDIR/cache\"" \
    "$(preload context tools "$layout" "$(jq -r '.manifests[0].digest' "$layout/index.json")")" >request
  run --separate-stderr oci-solve <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
  [[ "$stderr" != *'oci-solve: warning'* ]] || { echo "$stderr"; return 1; }
}

# asked_for PATH: how often a file was fetched.
asked_for() { grep -c "$1" "$REGISTRIES/log"; }

@test "pip takes from its cache what it downloaded in an earlier build" {
  local number
  for number in 1 2; do
    build_with_tools <<END
RUN --mount=type=cache,target=/root/.cache/pip \\
    python3 -m pip install --no-color --disable-pip-version-check --root-user-action=ignore --break-system-packages \\
      --trusted-host 127.0.0.1 --index-url $ADDRESS/simple dep && python3 -c 'import dep; assert dep.ANSWER == 42' # $number
END
    [ "$(asked_for dep-1.0.0-py3-none-any.whl)" -eq 1 ] || { cat "$REGISTRIES/log"; echo "$stderr"; return 1; }
  done
  [[ "$stderr" == *'Using cached '* ]]
}

@test "npm installs without a network what it downloaded in an earlier build" {
  command -v npm >/dev/null || skip 'npm is not installed'
  local option
  for option in --prefer-online --offline; do
    build_with_tools <<END
RUN --mount=type=cache,target=/root/.npm \\
    cd /tmp && echo '{}' >package.json && \\
    node /usr/lib/node_modules/npm/bin/npm-cli.js install --no-audit --no-fund $option --registry $ADDRESS/npm/ dep && \\
    node -e 'if (require("dep") !== 42) process.exit(1)'
END
    [ "$(asked_for dep-1.0.0.tgz)" -eq 1 ]
  done
}

@test "go builds without a proxy what it downloaded, and compiles nothing again" {
  command -v go >/dev/null || skip 'go is not installed'
  local proxy
  mkdir -p src/app
  cp -r "$REGISTRIES/go" src/proxy
  printf 'module example.com/app\n\ngo 1.20\n\nrequire example.com/dep v1.0.0\n' >src/app/go.mod
  printf 'package app\n\nimport "example.com/dep"\n\nvar Answer = dep.Answer()\n' >src/app/app.go
  for proxy in file:///proxy off; do
    build_with_tools <<END
COPY . /
ENV GOPROXY=$proxy GONOSUMDB=* GOFLAGS=-mod=mod GOTOOLCHAIN=local CGO_ENABLED=0
WORKDIR /app
RUN --mount=type=cache,target=/root/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\
    /usr/local/go/bin/go build -v ./... 2>&1 | sed 's/^/built /'
END
    if [ "$proxy" != off ]; then [[ "$stderr" == *' built example.com/dep'* ]]; fi
  done
  [[ "$stderr" != *' built '* ]]
}

@test "cargo fetches without a network what it downloaded in an earlier build" {
  command -v cargo >/dev/null || skip 'cargo is not installed'
  local option
  mkdir -p src/app/src src/app/.cargo
  touch src/app/src/lib.rs
  printf '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\ndep = { version = "1", registry = "local" }\n' >src/app/Cargo.toml
  printf '[registries.local]\nindex = "sparse+%s/index/"\n' "$ADDRESS" >src/app/.cargo/config.toml
  for option in '' --offline; do
    build_with_tools <<END
COPY app /app
WORKDIR /app
RUN --mount=type=cache,target=/root/.cargo/registry,sharing=locked cargo fetch $option && ls /root/.cargo/registry/src/*/dep-1.0.0/src/lib.rs
END
    [ "$(asked_for dep-1.0.0.crate)" -eq 1 ]
  done
}

@test "ccache compiles nothing again" {
  local number
  printf 'int answer(void) { return 42; }\n' >src/answer.c
  for number in 1 2; do
    build_with_tools <<END
COPY answer.c /
RUN --mount=type=cache,target=/root/.ccache CCACHE_DIR=/root/.ccache ccache gcc -c -O2 -o /$number.o /answer.c && \\
    CCACHE_DIR=/root/.ccache ccache --print-stats | grep -E '^(direct_cache_hit|cache_miss)' | tr '\n\t' '; '
END
  done
  [[ "$stderr" == *'cache_miss 1;direct_cache_hit 1;'* ]] || { echo "$stderr"; return 1; }
}

# apt as another user downloads into partial/, and locks what it works on.
@test "apt installs without a network what it downloaded in an earlier build" {
  local layout options network
  command -v mmdebstrap >/dev/null || skip 'mmdebstrap is not installed: run scripts/setup --tests'
  layout=$(debian_image)
  mkdir cache
  options='type=cache,sharing=locked,target'
  for network in default none; do
    cat <<END | dockerfile
FROM debian
RUN rm -f /etc/apt/apt.conf.d/docker-clean && echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' >/etc/apt/apt.conf.d/keep
RUN --network=$network --mount=$options=/var/cache/apt --mount=$options=/var/lib/apt \\
    if [ $network = default ]; then apt-get -qq update; fi && \\
    apt-get -qq install --no-install-recommends -y hello >/dev/null && hello && \\
    stat -c '%U of %n' /var/lib/apt/lists/partial /var/cache/apt/archives/partial && ls /var/cache/apt/archives/lock
END
    make_request '.engine = "native"' '.cache.directory = "cache"' \
      "$(preload context debian "$layout" "$(jq -r '.manifests[0].digest' "$layout/index.json")")" >request
    run --separate-stderr oci-solve <request
    [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
    [[ "$stderr" == *'_apt of /var/lib/apt/lists/partial'* ]] || { echo "$stderr"; return 1; }
    [[ "$stderr" == *'Hello, world!'* ]]
  done
}
