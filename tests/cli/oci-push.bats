#!/usr/bin/env bats
# oci-push: what it refuses before it asks a registry, and what it says of one that is not there.

load ../support/load

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return
  mkdir root
  echo one >root/file
  make_image image root 1 >digest
}

setup() { cd "$BATS_FILE_TMPDIR" || return; }

@test "oci-push: needs an image and a reference" {
  run --separate-stderr oci-push image
  [ "$status" -eq 2 ]
  [ "$stderr" = "oci-push: REFERENCE is required; see 'oci-push --help'" ]
}

@test "oci-push: refuses what is no name of an image before it looks at the image" {
  run --separate-stderr oci-push absent.tar 127.0.0.1:1/app:1 UPPER
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-push: 'UPPER' is no name of an image; expected one like 'registry.example/team/app:1.0'" ]
}

@test "oci-push: names the image that it cannot open, and sends nothing" {
  run --separate-stderr oci-push absent.tar 127.0.0.1:1/app:1
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-push: cannot open 'absent.tar': No such file or directory" ]
}

@test "oci-push: names the reference and the registry that cannot be reached" {
  run --separate-stderr oci-push image 127.0.0.1:1/app:1
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ "${stderr_lines[-1]}" = "oci-push: cannot push to '127.0.0.1:1/app:1': "*"127.0.0.1:1"* ]]
}

@test "oci-push: takes one way alone to reach registries" {
  run --separate-stderr oci-push --plain-http --insecure image 127.0.0.1:1/app
  [ "$status" -eq 2 ]
}

@test "oci-push: a platform that the image does not have exits 1 and names those that are" {
  run --separate-stderr oci-push --platform linux/s390x image 127.0.0.1:1/app
  [ "$status" -eq 1 ]
  [[ "$stderr" = *"linux/$(image_architecture)"* ]]
}
