#!/usr/bin/env bats
# TARGET, TARGET_FILE and ADDITIONAL_TARGETS.

load ../support/load

setup() {
  require_engine
  enter_task image additional
}

@test "target: TARGET builds that stage and not the last" {
  succeed_task CONTEXT="$FIXTURES/target" TARGET=wanted
  [ "$(label_of stage)" = wanted ]
}

@test "target file: the target's name is read from TARGET_FILE" {
  succeed_task CONTEXT="$FIXTURES/target" TARGET_FILE="$FIXTURES/target/target_file"
  [ "$(label_of stage)" = wanted ]
}

@test "multi target: each target goes to the directory of its name, with its own digests" {
  succeed_task CONTEXT="$FIXTURES/multi-target" ADDITIONAL_TARGETS=additional
  [ "$(label_of target)" = final ]
  [ "$(label_of target additional)" = additional ]
  [ "$(files_in additional)" = 'digest image.tar manifest-digest' ]
  [ "$(cat additional/digest)" = "sha256:$(tar -xOf additional/image.tar manifest.json | jq -r '.[0].Config' | xargs basename)" ]
  [ "$(cat image/digest)" = "sha256:$(tar -xOf image/image.tar manifest.json | jq -r '.[0].Config' | xargs basename)" ]
  [ "$(cat image/digest)" != "$(cat additional/digest)" ]
}

@test "multi target explicit target: TARGET still names the main one" {
  succeed_task CONTEXT="$FIXTURES/multi-target" ADDITIONAL_TARGETS=additional TARGET=final
  [ "$(label_of target)" = final ]
  [ "$(label_of target additional)" = additional ]
}

@test "multi target unpack: every target is unpacked" {
  succeed_task CONTEXT="$FIXTURES/multi-target" ADDITIONAL_TARGETS=additional UNPACK_ROOTFS=true
  cmp additional/rootfs/of-additional "$FIXTURES/multi-target/Dockerfile"
  cmp image/rootfs/of-final "$FIXTURES/multi-target/Dockerfile"
  [ "$(jq -r .user additional/metadata.json)" = additional ]
  [ "$(jq -r .user image/metadata.json)" = final ]
}

@test "multi target: a target without a directory is built only, and the summary says so" {
  rmdir additional
  succeed_task CONTEXT="$FIXTURES/multi-target" ADDITIONAL_TARGETS=additional
  said "build: no directory 'additional': target 'additional' was built only, nothing exported"
  [ "$(files_in .)" = image ]
}

@test "multi target: one target's image does not find its way into the next one" {
  cp "$FIXTURES/whole-context/Dockerfile" .
  echo 'FROM scratch AS additional' >>Dockerfile
  echo 'COPY . /' >>Dockerfile
  succeed_task ADDITIONAL_TARGETS=additional UNPACK_ROOTFS=true
  [ "$(files_in image/rootfs)" = 'Dockerfile additional image' ]
  [ -z "$(files_in image/rootfs/additional)" ]
}

@test "multi target: every option holds for every target" {
  make_ssh_key "$BATS_TEST_TMPDIR/key"
  cat >Dockerfile <<'END'
FROM ssh AS additional
ARG fruit
RUN --mount=type=secret,id=password --mount=type=ssh,id=deploy \
    test "$(cat /run/secrets/password)" = sesame && ssh-add -l && grep printer.example /etc/hosts
LABEL fruit=$fruit
FROM additional
RUN true
END
  succeed_task CONTEXT=. ADDITIONAL_TARGETS=additional BUILD_ARG_fruit=pear LABEL_colour=green \
    BUILDKIT_SECRETTEXT_password=sesame BUILDKIT_SSH=deploy="$BATS_TEST_TMPDIR/key" \
    BUILDKIT_ADD_HOSTS=printer.example=10.1.2.3 SOURCE_DATE_EPOCH=0
  for dir in additional image; do
    [ "$(label_of fruit $dir)" = pear ]
    [ "$(label_of colour $dir)" = green ]
    [ "$(config_of $dir | jq -r .created)" = 1970-01-01T00:00:00Z ]
  done
}

@test "multi target: IMAGE_PLATFORM and OUTPUT_OCI hold for every target" {
  {
    sed 's/scratch/scratch AS additional/' "$FIXTURES/platforms/Dockerfile"
    echo FROM additional
  } >Dockerfile
  succeed_task ADDITIONAL_TARGETS=additional IMAGE_PLATFORM=linux/s390x OUTPUT_OCI=true
  for dir in additional image; do
    [ "$(config_of $dir | jq -r .architecture)" = s390x ]
    [ "$(files_in $dir)" = 'digest image manifest-digest' ]
  done
}

@test "multi target: nothing of any target appears when the last one fails" {
  cat >Dockerfile <<'END'
FROM busybox AS additional
RUN true
FROM busybox
RUN false
END
  run_task ADDITIONAL_TARGETS=additional
  [ "$status" -eq 1 ]
  [ -z "$(files_in additional)" ]
  [ -z "$(files_in image)" ]
  nothing_left_behind
}

@test "multi target: a target that does not exist fails before anything is exported" {
  run_task CONTEXT="$FIXTURES/multi-target" ADDITIONAL_TARGETS=absent
  [ "$status" -ne 0 ]
  said absent
  [ -z "$(files_in image)" ]
}

@test "multi target: a target directory that is a file is refused" {
  rmdir additional
  touch additional
  run_task CONTEXT="$FIXTURES/multi-target" ADDITIONAL_TARGETS=additional
  [ "$status" -eq 2 ] || [ "$status" -eq 1 ]
  said "'additional'"
}

@test "multi target: a directory of sources that has a target's name keeps what is in it" {
  mkdir -p additional/image/sources
  run_task CONTEXT="$FIXTURES/multi-target" ADDITIONAL_TARGETS=additional
  [ "$status" -eq 1 ]
  said "'additional/image' was not made by a build and would be replaced; move it away"
  [ -d additional/image/sources ]
}
