#!/usr/bin/env bats
# Layers of steps that the native engine keeps in its cache, and what becomes of them.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  mkdir cache
}

# build_well [FILTER...]: builds the Dockerfile on the cache, and well.
build_well() {
  make_request '.engine = "native"' '.cache.directory = "cache"' "$(serve_busybox)" "$(to_output)" "$@" >request
  rm -rf out/*
  run --separate-stderr oci-solve <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# warnings: what the last build warned of, one a line.
warnings() { grep 'oci-solve: warning: ' <<<"$stderr" || true; }

# made: the titles of what the last build made again, one a line, with the reasons.
made() { sed -n 's/^#[0-9]* not cached: //p' <<<"$stderr"; }

# nothing_made: the last build took everything from its cache.
nothing_made() { [ -z "$(made)" ] || { echo "$stderr"; return 1; }; }

# ran TEXT: how often steps have printed TEXT in the last build.
ran() { grep -cE "^#[0-9]+ [0-9.]+ $1" <<<"$stderr" || true; }

# image: what the last build's image is made of, by digest.
image() { tar -tf out/image.tar | grep ^blobs/sha256/. | sort; }

@test "a build with everything in the cache gives the same image to the byte, and unpacks nothing" {
  mkdir src/d
  echo a >src/d/a
  cat >src/Dockerfile <<'END'
FROM busybox AS build
WORKDIR /w
COPY d .
RUN date >/out; rm /etc/passwd
FROM busybox
ENV A=b
COPY --from=build /out /out
COPY --link d/a /a
RUN --mount=from=build,source=/w,target=/m cat /m/a >/b
CMD ["x"]
END
  build_well
  image >first
  rm -rf cache/native/trees
  # No step could run here, and no tree be unpacked.
  rm -rf out/*
  run --separate-stderr strace -f -qq -e trace=clone -o trace oci-solve <request
  [ "$status" -eq 0 ]
  nothing_made
  image | cmp - first
  [ -z "$(ls -A cache/native/trees)" ]
  run ! grep -q CLONE_NEWUTS trace
  nothing_left
}

@test "what was made before a step failed is kept" {
  printf 'FROM busybox\nRUN echo one\nRUN echo two; false\n' | dockerfile
  make_request '.engine = "native"' '.cache.directory = "cache"' "$(serve_busybox)" "$(to_output)" >request
  run --separate-stderr oci-solve <request
  [ "$status" -eq 1 ]
  [ "$(ran one)" -eq 1 ]
  printf 'FROM busybox\nRUN echo one\nRUN echo two\n' | dockerfile
  build_well
  [ "$(ran one)" -eq 0 ]
  [ "$(ran two)" -eq 1 ]
  [ "$(made)" = 'the instruction changed' ] || [ "$(made)" = 'never built before' ]
}

@test "what was made before the build was killed is kept" {
  printf 'FROM busybox\nRUN echo one >/one\nRUN echo started; until [ -e /go ]; do sleep 0.1; done\n' | dockerfile
  make_request '.engine = "native"' '.cache.directory = "cache"' "$(serve_busybox)" "$(to_output)" >request
  setsid oci-solve <request >/dev/null 2>progress 3>&- &
  local build=$!
  wait_until 20 grep -q '^#[0-9]* [0-9.]* started' progress
  wait_until 20 sh -c 'grep -l "\"instruction\"" cache/native/steps/* >/dev/null 2>&1'
  kill -KILL "$build"
  wait "$build" || true
  printf 'FROM busybox\nRUN echo one >/one\nRUN echo two\n' | dockerfile
  build_well
  [ "$(made | wc -l)" -eq 1 ]
}

@test "a stage that is made again to the same files changes nothing for who copies them" {
  printf 'FROM busybox AS build\nARG A\nRUN echo same >/out; echo $A >/other\nFROM busybox\nCOPY --from=build /out /\nRUN echo last\n' | dockerfile
  build_well '.build_args = [{name: "A", value: "1"}]'
  build_well '.build_args = [{name: "A", value: "2"}]'
  [ "$(made)" = 'the variable A changed' ]
  [ "$(ran last)" -eq 0 ]
  # What they are the cache knows from then on, without a look.
  build_well '.build_args = [{name: "A", value: "2"}]'
  nothing_made
}

@test "a base of another name with the same layers changes nothing, one with others everything but a --link" {
  printf 'FROM busybox\nCOPY --link file /\nRUN echo last\n' | dockerfile
  echo content >src/file
  build_well
  printf 'FROM other\nCOPY --link file /\nRUN echo last\n' | dockerfile
  build_well "$(preload context other "$BATS_FILE_TMPDIR/busybox" "$(cat "$BATS_FILE_TMPDIR/busybox.digest")")"
  nothing_made
  printf 'FROM busybox\nRUN echo more >/more\n' >src/more
  make_request '.engine = "native"' '.dockerfile = "src/more"' "$(serve_busybox)" '.output.format = "oci" | .targets[0].output = "out"' |
    oci-solve >/dev/null
  mv out/image more
  build_well "$(preload context other more "$(jq -r '.manifests[0].digest' more/index.json)")"
  [[ "$(made)" == 'the base image changed (sha256:'????????????' -> sha256:'????????????')' ]] || { made; return 1; }
  [ "$(ran last)" -eq 1 ]
}

@test "layers in another compression or with other times are made of those that are there" {
  printf 'FROM busybox\nRUN echo one >/one; mkdir /d; ln -s x /d/l; ln /one /d/hard\nRUN rm /one; chmod 4755 /bin/sh\n' | dockerfile
  local wish
  for wish in '.output.compression = "zstd"' '.output.compression = "none"' \
    '.output.rewrite_timestamp = true | .source_date_epoch = "1000000000"'; do
    rm -rf cache/*
    build_well
    build_well "$wish"
    nothing_made
    image >of_cache
    build_well "$wish"
    nothing_made
    image | cmp - of_cache
    # Where times are set it is the one that is made without a cache.
    build_well "$wish" '.cache.directory = null'
    [[ "$wish" != *epoch* ]] || image | cmp - of_cache
    [ "$(image_layers out/image.tar | xargs ls | wc -l)" -eq 3 ]
  done
}

@test "a layer that is damaged in the cache is made again, and never gets into an image" {
  printf 'FROM busybox\nRUN echo some bytes >/file\n' | dockerfile
  build_well
  local step blob
  step=$(grep -l '"instruction"' cache/native/steps/*)
  blob=cache/native/blobs/sha256/$(jq -r .digest "$step" | cut -d : -f 2)
  printf X | dd of="$blob" bs=1 seek=40 conv=notrunc status=none
  build_well
  [ "$(image_file file)" = 'some bytes' ]
  [ "$(warnings | wc -l)" -eq 1 ]
  [[ "$(warnings)" == *'dropped the damaged blob '* ]]
  # So it is with a large one, which is copied into the image while it is checked.
  printf 'FROM busybox\nRUN echo some bytes >/file; head -c 3000000 /dev/urandom >/large\n' | dockerfile
  build_well
  blob=$(find cache/native/blobs/sha256 -size +2M)
  # Also where a build has read it, and later ones need not (common/store/blob_seal.hpp).
  build_well
  grep -q seal "$blob.used"
  printf X | dd of="$blob" bs=1 seek=2000000 conv=notrunc status=none
  build_well
  [ "$(image_file file)" = 'some bytes' ]
  [ "$(warnings | wc -l)" -eq 1 ]
  [[ "$(warnings)" == *'dropped the damaged blob '* ]]
  [[ "$stderr" == *'building again, as a layer in the cache was damaged'* ]]
  for blob in $(tar -tf out/image.tar | grep '^blobs/sha256/.'); do
    [ "$(tar -xOf out/image.tar "$blob" | sha256sum | cut -d ' ' -f 1)" = "${blob##*/}" ]
  done
  # So it is with the record.
  step=$(grep -l '"instruction"' cache/native/steps/* | xargs ls -t | head -n 1)
  printf X | dd of="$step" bs=1 seek=40 conv=notrunc status=none
  build_well
  [ "$(image_file file)" = 'some bytes' ]
  [ "$(warnings | wc -l)" -eq 1 ]
  build_well
  nothing_made
  [ -z "$(warnings)" ]
}

@test "steps above kept layers see what the layers below left, removals and owners too" {
  cat >src/Dockerfile <<'END'
FROM busybox
RUN mkdir -p /d/e && echo 1 >/d/e/f && echo 2 >/d/g && chown -R 5:6 /d && chmod 2750 /d/e
RUN rm /d/g; rm -r /etc; mkdir /etc; echo x >/etc/only; ln -s /d/e /link; mkfifo /pipe
COPY --chown=7:8 file /link/
RUN ls -lanR /d /etc /link /pipe | grep -v '^total' | sed 's/ [A-Z][a-z][a-z] .*:[0-9][0-9] / /' >/seen
RUN cat /seen
END
  echo file >src/file
  build_well '.cache.directory = null'
  image_file seen >expected
  build_well
  sed -i 's/^RUN ls/RUN  :; ls/' src/Dockerfile
  build_well
  [ "$(made | head -n 1)" = 'the instruction changed' ]
  [ "$(grep -c CACHED <<<"$stderr")" -ge 3 ]
  image_file seen >seen
  diff expected seen
}

@test "a layer that comes twice is found twice" {
  printf 'FROM busybox\nRUN touch -d @1000000000 /f\nRUN rm /f; echo g >/g\nRUN touch -d @1000000000 /f\nRUN ls /f /g\n' | dockerfile
  build_well
  sed -i 's/^RUN ls/RUN  ls -d/' src/Dockerfile
  build_well
  [ "$(made)" = 'the instruction changed' ] || { echo "$stderr"; return 1; }
}

@test "a step whose files have attributes that no layer holds is not kept" {
  run -0 setfattr -n user.test -v 1 src
  printf 'FROM busybox\nCOPY --from=files /f /f\nRUN echo above\n' | dockerfile
  printf 'FROM scratch\nCOPY f /f\n' >src/base
  echo f >src/f
  # A base with such a file: by a step of its own it takes a program for that.
  cp "$(command -v setfattr)" src/ && ldd src/setfattr | grep -o '/[^ ]*' | xargs -I{} cp --parents -L {} src/
  printf 'FROM busybox\nCOPY lib* /\nCOPY lib64 /lib64\nCOPY lib /lib\nCOPY setfattr /bin/setfattr\nRUN touch /f; setfattr -n user.test -v 1 /f\nRUN echo above\n' | dockerfile
  build_well
  build_well
  [ "$(made | wc -l)" -eq 2 ] || { echo "$stderr"; return 1; }
}

@test "values of build args stand nowhere in the cache but in images" {
  printf 'FROM busybox\nARG TOKEN\nRUN true\n' | dockerfile
  build_well '.build_args = [{name: "TOKEN", value: "a-value-to-find"}]'
  build_well '.build_args = [{name: "TOKEN", value: "another-value-to-find"}]'
  [ "$(made)" = 'the variable TOKEN changed' ]
  run ! grep -rq value-to-find cache
}

@test "a task takes its steps from a cache that is an overlay" {
  printf 'FROM busybox\nRUN head -c 3000000 /dev/urandom >/large; date >/one\nRUN echo two\n' | dockerfile
  build_well
  image >first
  local again='oci-solve <request; tar -tf out/image.tar | grep ^blobs/sha256/. | sort'
  in_later_tasks "$again >second; find volumes/1/upper -type f -size +64k >copied" "sed -i s/two/three/ src/Dockerfile; $again" "$again >third"
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  cmp first second
  [ ! -s copied ] || { cat copied; return 1; }
  run ! cmp first third
  [ "$(made)" = 'the instruction changed' ]
  [ -z "$(warnings)" ]
}

@test "concurrent builds and several targets share one cache" {
  printf 'FROM busybox AS a\nRUN echo a >/a\nFROM a AS b\nRUN echo b >/b\nFROM a AS c\nRUN echo c >/c\n' | dockerfile
  make_request '.engine = "native"' '.cache.directory = "cache"' "$(serve_busybox)" >request
  local n builds=()
  for n in 1 2 3; do
    mkdir -p "outs/$n"
    jq -c --arg out "outs/$n" '.targets[0].output = $out' request >"request-$n"
    oci-solve <"request-$n" >/dev/null 2>"progress-$n" 3>&- &
    builds+=($!)
  done
  for n in "${builds[@]}"; do wait "$n"; done
  build_well '.targets = [{name: "b", output: null}] + .targets'
  [ "$(ran '[ac]')" -eq 0 ]
  [ "$(made | wc -l)" -eq 1 ]
}

@test "a build outside of a task keeps its steps in STATE_DIR" {
  local out
  printf 'FROM scratch\nWORKDIR /w\nCOPY file /w/\n' | dockerfile
  echo content >src/file
  mkdir state image
  for out in first second; do
    run --separate-stderr env -i PATH="$PATH" HOME="$HOME" ENGINE=native CONTEXT=src STATE_DIR=state build
    [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
    cp image/digest "$out"
  done
  nothing_made
  cmp first second
  [ -d state/native/steps ]
}
