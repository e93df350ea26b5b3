#!/usr/bin/env bats
# What oci-solve leaves in output directories.

load ../support/load

setup_file() { prepare_base; }
setup() { enter_build; }

two_stages() {
  dockerfile <<'END'
FROM busybox AS first
RUN echo first >/stage
FROM busybox AS second
RUN echo second >/stage
END
}

@test "the image appears as image.tar, alone, readable by all, and the result names it" {
  printf 'FROM busybox\nCOPY Dockerfile /d\n' | dockerfile
  solve_well "$(to_output)"
  [ "$(jq -r '.targets[0].image' <<<"$output")" = out/image.tar ]
  [ "$(jq -r '.engine' <<<"$output")" = "${E2E_ENGINE:-buildkit}" ]
  [ "$(ls -A out)" = image.tar ]
  [ "$(stat -c %a out/image.tar)" = 644 ]
  skopeo inspect docker-archive:out/image.tar
  nothing_left
}

@test "image.tar holds an OCI index as well as manifest.json" {
  printf 'FROM busybox\n' | dockerfile
  solve_well "$(to_output)"
  run tar -tf out/image.tar
  [[ "$output" == *index.json* ]]
  [[ "$output" == *manifest.json* ]]
  [[ "$output" == *oci-layout* ]]
}

@test "the OCI format appears as a layout directory without image.tar" {
  printf 'FROM busybox\nRUN echo x >/x\n' | dockerfile
  echo old >out/image.tar
  solve_well "$(to_output)" '.output.format = "oci"'
  [ "$(jq -r '.targets[0].image' <<<"$output")" = out/image ]
  [ "$(ls -A out)" = image ]
  [ "$(cd out/image && echo *)" = 'blobs index.json oci-layout' ]
  skopeo inspect oci:out/image
}

# named LAYOUT-OR-ARCHIVE: the names in its index.json, in full and as tags.
named() {
  { cat "$1/index.json" 2>/dev/null || tar -xOf "$1" index.json; } | jq -r '.manifests[].annotations |
    "\(.["io.containerd.image.name"]) \(.["org.opencontainers.image.ref.name"])"' | paste -sd ,
}

@test "the names of an image stand where docker load and readers of layouts look for them" {
  printf 'FROM busybox\nCOPY Dockerfile /d\n' | dockerfile
  local tags='.output.repo_tags = [{name: "docker.io/library/hello:1.0"}, {name: "registry.example.com/app:latest"}]'
  local names='docker.io/library/hello:1.0 1.0,registry.example.com/app:latest latest'
  solve_well "$(to_output)" "$tags"
  [ "$(tar -xOf out/image.tar manifest.json | jq -c '[.[].RepoTags]')" = '[["hello:1.0","registry.example.com/app:latest"]]' ]
  [ "$(named out/image.tar)" = "$names" ]
  skopeo inspect docker-archive:out/image.tar:hello:1.0
  oci-digest --index out/image.tar
  solve_well "$(to_output)" "$tags" '.output.format = "oci"'
  [ "$(named out/image)" = "$names" ]
  skopeo inspect oci:out/image:1.0
  oci-digest --index out/image:latest
}

@test "of several targets the main one alone gets the names" {
  two_stages
  mkdir out-first
  solve_well '.targets = [{name: "first", output: "out-first"}, {name: "second", output: "out"}]' \
    '.output.repo_tags = [{name: "docker.io/library/hello:1.0"}]'
  [ "$(tar -xOf out/image.tar manifest.json | jq -c '.[0].RepoTags')" = '["hello:1.0"]' ]
  [ "$(tar -xOf out-first/image.tar manifest.json | jq -c '.[0].RepoTags')" = null ]
}

@test "a target without an output is built and not exported" {
  printf 'FROM busybox\nRUN echo it-ran\n' | dockerfile
  solve_well
  [ "$(jq -c '.targets' <<<"$output")" = '[{"name":null,"image":null}]' ]
  [[ "$stderr" == *"it-ran"* ]]
  [ -z "$(ls -A out)" ]
}

@test "every target goes to its own output directory, in the order of the request" {
  two_stages
  mkdir out-first
  solve_well '.targets = [{name: "first", output: "out-first"}, {name: "second", output: "out"}]'
  [ "$(jq -r '[.targets[].name] | join(" ")' <<<"$output")" = 'first second' ]
  [ "$(image_file stage out-first)" = first ]
  [ "$(image_file stage out)" = second ]
}

@test "every target gets every option" {
  dockerfile <<'END'
FROM busybox AS first
ARG ARGUMENT
RUN --mount=type=secret,id=s grep -q hidden /run/secrets/s && grep -q 10.1.2.3 /etc/hosts && test "$ARGUMENT" = given
FROM first AS second
ARG ARGUMENT
RUN --mount=type=secret,id=s : again; grep -q hidden /run/secrets/s && grep -q 10.1.2.3 /etc/hosts && test "$ARGUMENT" = given
END
  mkdir out-first
  export SECRET_TEXT=hidden
  solve_well '.targets = [{name: "first", output: "out-first"}, {name: "second", output: "out"}]' \
    '.secrets = [{id: "s", env: "SECRET_TEXT", file: null}]' '.add_hosts = [{host: "server", ip: "10.1.2.3"}]' \
    '.build_args = [{name: "ARGUMENT", value: "given"}]' '.labels = [{name: "l", value: "v"}]'
  [ "$(image_config out-first | jq -r .config.Labels.l)" = v ]
  [ "$(image_config out | jq -r .config.Labels.l)" = v ]
}

@test "when a later target fails no output appears and earlier images stay" {
  dockerfile <<'END'
FROM busybox AS good
FROM busybox AS bad
RUN exit 5
END
  mkdir out-good
  echo earlier >out/image.tar
  solve '.targets = [{name: "good", output: "out-good"}, {name: "bad", output: "out"}]'
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ -z "$(ls -A out-good)" ]
  [ "$(cat out/image.tar)" = earlier ]
  [ "$(ls -A out)" = image.tar ]
  [[ "$stderr" == *'exit code: 5'* ]]
}

@test "two platforms become one index in the OCI format, with annotations on both levels" {
  make_busybox_rootfs root
  make_image base root a linux/amd64 >/dev/null
  make_image base root b linux/arm64 >/dev/null
  local index
  index=$(make_index base both a b)
  printf 'FROM both\nCOPY Dockerfile /d\n' | dockerfile
  solve_well "$(to_output)" "$(preload context both "$PWD/base" "$index")" '.output.format = "oci"' \
    '.platforms = [{platform: "linux/amd64"}, {platform: "linux/arm64"}]' \
    '.annotations = [{name: "org.example.note", value: "a, \"b\""}]'
  local digest
  digest=$(jq -r '.manifests[0].digest' out/image/index.json)
  jq . "out/image/blobs/sha256/${digest#sha256:}" >index
  [ "$(jq -r '[.manifests[].platform.architecture] | join(" ")' index)" = 'amd64 arm64' ]
  [ "$(jq -r '.annotations["org.example.note"]' index)" = 'a, "b"' ]
  digest=$(jq -r '.manifests[1].digest' index)
  [ "$(jq -r '.annotations["org.example.note"]' "out/image/blobs/sha256/${digest#sha256:}")" = 'a, "b"' ]
}

@test "one platform that is not the machine's is built where no step has to run" {
  make_busybox_rootfs root
  printf 'FROM other\nCOPY Dockerfile /d\nENV X=1\n' | dockerfile
  local digest
  digest=$(make_image base root other linux/s390x)
  solve_well "$(to_output)" "$(preload context other "$PWD/base" "$digest")" '.platforms = [{platform: "linux/s390x"}]'
  [ "$(image_config | jq -r .architecture)" = s390x ]
}

@test "layers are compressed as asked" {
  printf 'FROM busybox\nRUN head -c 100000 /dev/zero >/zeros\n' | dockerfile
  local word magic
  for word in gzip:1f8b zstd:28b52ffd none:; do
    magic=${word#*:}
    solve_well "$(to_output)" '.output.format = "oci"' ".output.compression = \"${word%:*}\""
    jq -r '.manifests[0].digest | sub("sha256:"; "out/image/blobs/sha256/")' out/image/index.json >manifest
    jq -r '.layers[-1].digest | sub("sha256:"; "out/image/blobs/sha256/")' "$(cat manifest)" >layer
    if [ -n "$magic" ]; then
      [ "$(head -c $((${#magic} / 2)) "$(cat layer)" | od -An -tx1 | tr -d ' \n')" = "$magic" ]
    else
      tar -tf "$(cat layer)" | grep -qx zeros
    fi
  done
}

@test "with SOURCE_DATE_EPOCH and rewritten timestamps two builds are the same byte for byte" {
  printf 'FROM busybox\nRUN echo x >/x\nCOPY Dockerfile /d\n' | dockerfile
  local epoch=('.source_date_epoch = "1000000000"' '.output.rewrite_timestamp = true' '.no_cache = true')
  solve_well "$(to_output)" "${epoch[@]}"
  mv out/image.tar first.tar
  touch -d @1700000000 src/Dockerfile
  solve_well "$(to_output)" "${epoch[@]}"
  cmp first.tar out/image.tar
  [ "$(image_config | jq -r .created)" = 2001-09-09T01:46:40Z ]
}

@test "SOURCE_DATE_EPOCH of the environment does not count" {
  printf 'FROM busybox\nENV X=1\n' | dockerfile
  SOURCE_DATE_EPOCH=1000000000 solve_well "$(to_output)"
  [ "$(image_config | jq -r .created)" != 2001-09-09T01:46:40Z ]
}

# bats test_tags=buildkit
@test "provenance is attached to an OCI layout" {
  printf 'FROM busybox\nCOPY Dockerfile /d\n' | dockerfile
  solve_well "$(to_output)" '.output.format = "oci"' '.provenance = "mode=max"'
  grep -rlq 'https://slsa.dev/provenance' out/image/blobs
}

@test "an image without provenance says nothing of how it was built" {
  printf 'FROM busybox\nCOPY Dockerfile /d\n' | dockerfile
  solve_well "$(to_output)" '.output.format = "oci"'
  run ! grep -rlq 'https://slsa.dev/provenance' out/image/blobs
}

@test "an output directory may have a comma, blanks and quotes in its name" {
  printf 'FROM busybox\n' | dockerfile
  mkdir 'o, "u" t'
  solve_well '.targets[0].output = "o, \"u\" t"'
  [ -s 'o, "u" t/image.tar' ]
}

@test "an output directory that is missing exits 1 and is named" {
  printf 'FROM busybox\n' | dockerfile
  solve '.targets[0].output = "absent"'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"'absent': No such file or directory"* ]]
  nothing_left
}
