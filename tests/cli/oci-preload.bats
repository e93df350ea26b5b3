#!/usr/bin/env bats
# oci-preload: images of every form become one OCI layout, nothing damaged and nothing copied that need not be.

load ../support/load

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return
  make_busybox_layout layout one >manifest
  skopeo --insecure-policy copy --quiet oci:layout:one oci-archive:oci.tar:one
  mkdir root
  echo one >root/file
  make_image several root amd64 linux/amd64 >amd64.digest
  make_image several root riscv64 linux/riscv64 >riscv64.digest
  make_index several both amd64 riscv64 >index
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  ln -s "$BATS_FILE_TMPDIR"/* .
  mkdir work
}

teardown() {
  local mounted
  for mounted in input btrfs; do
    if mountpoint -q "$mounted"; then umount "$mounted"; fi
  done
}

# request [ROLE NAME PATH]...: a request that preloads these.
request() {
  jq -c --args '.preloads = ([$ARGS.positional | range(0; length; 3) as $at |
    {role: .[$at], name: .[$at + 1], path: .[$at + 2], layout: null}])' "$@" \
    <"$BATS_TEST_DIRNAME/../golden/documents/request-smallest.json"
}

# preload [ROLE NAME PATH]...: runs oci-preload on that request.
preload() {
  request "$@" >request.json
  run --separate-stderr oci-preload --work-dir work <request.json
}

digest_of() { jq -r ".preloads[$1].layout.digest" <<<"$output"; }

blob() { echo "work/preloads/blobs/sha256/${1#sha256:}"; }

config_of() { skopeo inspect --raw "$1" | jq -r .config.digest; }

# Whether oci-preload has come so far that it handles SIGTERM.
catches_term() {
  [ "$(cat "/proc/$1/comm")" = oci-preload ] || return
  (((0x$(awk '/^SigCgt:/ {print $2}' "/proc/$1/status") & 0x4000) != 0))
}

@test "oci-preload: gives a layout directory and a digest to every image" {
  preload build_arg base layout context alpine several
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$(jq -c '[.preloads[].layout.directory]' <<<"$output")" = '["work/preloads","work/preloads"]' ]
  [ "$(digest_of 0)" = "$(cat manifest)" ]
  [ "$(digest_of 1)" = "$(cat index)" ]
}

@test "oci-preload: changes nothing else in the request" {
  preload build_arg base layout
  [ "$(jq -c 'del(.preloads[].layout)' <<<"$output")" = "$(jq -c 'del(.preloads[].layout)' request.json)" ]
}

@test "oci-preload: passes a request without images on as it is" {
  preload
  [ "$output" = "$(cat request.json)" ]
  [ -z "$(ls -A work)" ]
}

@test "oci-preload: makes layouts that skopeo reads, by the name of the image" {
  preload build_arg base layout context alpine several
  run --separate-stderr skopeo inspect --raw oci:work/preloads:base
  [ "$output" = "$(skopeo inspect --raw oci:layout:one)" ]
  skopeo --insecure-policy copy --quiet oci:work/preloads:base oci:copied:one
  skopeo --insecure-policy copy --quiet --all oci:work/preloads:alpine oci:copied:all
}

@test "oci-preload: keeps an index with all its platforms" {
  preload build_arg base several
  [ "$(cat "$(blob "$(cat index)")")" = "$(skopeo inspect --raw oci:several:both)" ]
  [ -e "$(blob "$(cat amd64.digest)")" ]
  [ -e "$(blob "$(cat riscv64.digest)")" ]
}

@test "oci-preload: hard-links the files of a layout on the same filesystem" {
  cp -rL layout here
  preload build_arg base here
  [ "$(blob "$(cat manifest)")" -ef "here/blobs/sha256/$(sed s/sha256:// manifest)" ]
  [ ! -L "$(blob "$(cat manifest)")" ]
}

@test "oci-preload: refers to the files of a layout on another filesystem" {
  other=$(mktemp -d /dev/shm/oci-preload.XXXXXX)
  [ "$(stat -c %d "$other")" != "$(stat -c %d work)" ] || skip '/dev/shm is no filesystem of its own'
  rm -r work
  ln -s "$other" work
  preload build_arg base layout
  [ "$(skopeo inspect --raw oci:work/preloads:base | sha256sum)" = "$(sed 's/sha256://' manifest)  -" ]
  [ -L "$(blob "$(jq -r '.layers[0].digest' "$(blob "$(cat manifest)")")")" ]
  [ "$(find work/preloads/ -type f -size +64k)" = '' ]
  rm -r "$other"
}

# mount_btrfs: a filesystem that shares extents, with the work directory on it.
mount_btrfs() {
  [ "$(id -u)" -eq 0 ] || skip 'mounting a filesystem needs root'
  truncate -s 200M image
  mkfs.btrfs --quiet image
  mkdir btrfs input
  mount -o loop image btrfs || skip 'no loop device or no btrfs here'
  mkdir btrfs/input btrfs/work
  # As Concourse mounts inputs: the same filesystem, but a mount of its own, so that hard links fail.
  mount --bind btrfs/input input
  rmdir work
  ln -s btrfs/work work
}

layer_of_layout() { jq -r '.layers[0].digest' "layout/blobs/sha256/$(sed s/sha256:// manifest)"; }

@test "oci-preload: clones the files of a layout where the filesystem shares extents" {
  mount_btrfs
  cp -rL layout input/layout
  preload build_arg base input/layout
  [ "$status" -eq 0 ]
  [ -z "$(find btrfs/work -type l)" ]
  layer=$(blob "$(layer_of_layout)")
  cmp "$layer" "layout/${layer#work/preloads/}"
  filefrag -v "$layer" | grep -q shared
}

@test "oci-preload: clones what stands aligned in a tar where the filesystem shares extents" {
  mount_btrfs
  cp -rL layout whole
  layer=blobs/sha256/$(layer_of_layout | sed s/sha256://)
  # Eight blocks up to the layer's content: the headers of six files and the content of two of them.
  touch whole/1 whole/2 whole/3
  tar -C whole --format=ustar -cf input/aligned.tar 1 2 3 oci-layout index.json "$layer"
  mv "whole/$layer" .
  tar -C whole --format=ustar -rf input/aligned.tar blobs
  preload build_arg base input/aligned.tar
  [ "$status" -eq 0 ]
  cmp "work/preloads/$layer" "layout/$layer"
  filefrag -v "work/preloads/$layer" | grep -q shared
}

@test "oci-preload: writes no more than the members of a tar" {
  truncate -s 20M hole
  mkdir tree
  mv hole tree
  make_image large tree one >/dev/null
  make_docker_save large.tar large one
  request build_arg base large.tar >request.json
  strace -f -e trace=write,pwrite64 -o calls oci-preload --work-dir work <request.json >/dev/null
  run awk '$NF > 0 {bytes += $NF} END {print bytes}' calls
  [ "$output" -lt $((21 << 20)) ]
}

@test "oci-preload: lays out an image that is given twice once" {
  preload build_arg a oci.tar build_arg b oci.tar context c layout
  [ "$(jq -r '[.preloads[].layout.digest] | unique | length' <<<"$output")" -eq 1 ]
  [ "$(find work/preloads/blobs/sha256 -type f | wc -l)" -eq 3 ]
}

@test "oci-preload: gives a docker-save tar the manifest it lacks and keeps its config" {
  make_docker_save old.tar layout one
  preload build_arg base old.tar
  [ "$status" -eq 0 ]
  run --separate-stderr skopeo inspect --raw oci:work/preloads:base
  [ "$(jq -r .config.digest <<<"$output")" = "$(config_of oci:layout:one)" ]
  [ "$(jq -r '.layers[0].mediaType' <<<"$output")" = application/vnd.oci.image.layer.v1.tar ]
  [ "$(jq -r '.layers[0].digest' <<<"$output")" = "$(skopeo inspect --config oci:layout:one | jq -r '.rootfs.diff_ids[0]')" ]
}

@test "oci-preload: follows the links of a docker-save tar" {
  make_linked_docker_save linked.tar layout one
  preload build_arg base linked.tar
  [ "$status" -eq 0 ]
  [ "$(config_of oci:work/preloads:base)" = "$(config_of oci:layout:one)" ]
}

@test "oci-preload: reads what skopeo writes for docker load" {
  skopeo --insecure-policy copy --quiet oci:layout:one docker-archive:docker.tar:test/one:1
  preload build_arg base docker.tar
  [ "$status" -eq 0 ]
  [ "$(config_of oci:work/preloads:base)" = "$(config_of oci:layout:one)" ]
}

@test "oci-preload: reads tars that are compressed as a whole" {
  gzip -c oci.tar >compressed
  preload build_arg base compressed
  [ "$(digest_of 0)" = "$(cat manifest)" ]
}

@test "oci-preload: a missing image exits 1, names the parameter and leaves nothing" {
  preload build_arg other layout build_arg base absent.tar
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-preload: IMAGE_ARG_base: cannot open 'absent.tar': No such file or directory" ]
  [ -z "$(ls -A work)" ]
}

@test "oci-preload: a context's errors name BUILD_CONTEXTS and the context" {
  echo text >text
  preload context alpine text
  [ "$status" -eq 1 ]
  [[ $stderr == "oci-preload: BUILD_CONTEXTS: 'alpine': 'text' is no image: it is not a tar archive;"* ]]
}

@test "oci-preload: a damaged layer exits 1 and leaves nothing" {
  cp -rL layout damaged
  layer=$(jq -r '.layers[0].digest' "layout/blobs/sha256/$(sed s/sha256:// manifest)")
  printf x | dd of="damaged/blobs/sha256/${layer#sha256:}" bs=1 seek=1000 conv=notrunc status=none
  preload build_arg base damaged
  [ "$status" -eq 1 ]
  [[ $stderr == "oci-preload: IMAGE_ARG_base: 'damaged': blob $layer is damaged: its digest is sha256:"* ]]
  [ -z "$(ls -A work)" ]
}

@test "oci-preload: a symbolic link in a layout exits 1" {
  cp -rL layout linked
  blob=linked/blobs/sha256/$(sed s/sha256:// manifest)
  mv "$blob" elsewhere
  ln -s "$PWD/elsewhere" "$blob"
  preload build_arg base linked
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-preload: IMAGE_ARG_base: '$blob' is reached through a symbolic link, which images may not hold" ]
}

@test "oci-preload: several tagged images exit 1" {
  cp -rL layout two
  make_image two root other >/dev/null
  preload build_arg base two
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-preload: IMAGE_ARG_base: 'two' holds several images for linux/$(image_architecture); save one alone" ]
}

@test "oci-preload: what is no request exits 1" {
  run --separate-stderr bash -c 'echo "{}" | oci-preload --work-dir work'
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ $stderr == "oci-preload: request: "* ]]
}

@test "oci-preload: a stop request ends the wait for a request" {
  mkfifo silent
  oci-preload --work-dir work <silent 2>stderr 3>&- &
  pid=$!
  exec 4>silent # so that the FIFO is open, and stays silent
  wait_until 10 catches_term "$pid"
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  exec 4>&-
  [ "$status" -eq 143 ]
  [ "$(cat stderr)" = 'oci-preload: stopped by SIGTERM' ]
}

@test "oci-preload: wrong usage exits 2, --help fits 80 columns" {
  run --separate-stderr oci-preload
  [ "$status" -eq 2 ]
  run --separate-stderr oci-preload --help
  [ "$status" -eq 0 ]
  run ! grep -E '^.{81}' <<<"$output"
}
