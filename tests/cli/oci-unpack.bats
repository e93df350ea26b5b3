#!/usr/bin/env bats
# shellcheck disable=SC2154  # run sets status, output and stderr_lines
# oci-unpack on ordinary images, also against umoci, fact by fact.
bats_require_minimum_version 1.5.0

setup() {
  load ../support/load
  cd "$BATS_TEST_TMPDIR" || return
}

# A tree with one of everything that a layer can hold, as far as this user may make it.
make_everything() {
  mkdir -p "$1" && cd "$1" || return
  mkdir -p dir/sub empty gone/deep opaque/sub/deep replaced-dir/x
  chmod 1777 empty
  echo hello >file
  echo setuid >setuid && chmod 4755 setuid
  echo setgid >dir/setgid && chmod 2711 dir/setgid
  echo unreadable >dir/unreadable && chmod 000 dir/unreadable
  ln file dir/hard-link
  ln -s ../file dir/symlink
  ln dir/symlink hard-link-of-symlink
  ln -s /absolute/target absolute
  ln -s dir to-dir
  ln -s absent dangling
  mkfifo fifo && chmod 0640 fifo
  : >empty-file
  echo before-1970 >old && touch -d '1901-01-02 03:04:05.123456789Z' old
  echo nanoseconds >new && touch -d '2037-01-02 03:04:05.987654321Z' new
  truncate -s 20M sparse && echo middle | dd of=sparse bs=1M seek=7 conv=notrunc status=none
  head -c 3000000 /dev/zero | tr '\0' x >large
  mkdir -p "$(printf 'long-%.0s' {1..40})/$(printf 'name-%.0s' {1..40})"
  echo long >"$(printf 'long-%.0s' {1..40})/$(printf 'name-%.0s' {1..40})/file"
  printf 'x' >$'\xff\xfe not UTF-8 \xe4'
  printf 'x' >$'line\nbreak and blank '
  for name in gone/deep/x opaque/old opaque/sub/deep/x replaced-dir/x/y replaced-file; do echo lower >"$name"; done
  if [ "$(id -u)" -eq 0 ]; then
    mknod null c 1 3 && chmod 666 null
    mknod disk b 259 12345
    chown 12:34 dir/setgid && chmod 2711 dir/setgid
    chown 3000000000:4000000000 new
    chown -h 56:78 dangling
    setfattr -n user.text -v value file
    setfattr -n user.binary -v 0x00ff0a3d00 dir
    # cap_net_raw+ep, as ping has it
    setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 setuid
  fi
  touch -d '1969-07-20 20:17:40.5Z' dir/sub
  touch -d '2001-02-03 04:05:06.7Z' dir empty gone opaque
  cd - >/dev/null || return
}

# What the layer above changes.
make_changes() {
  mkdir -p "$1" && cd "$1" || return
  mkdir -p opaque/new dir replaced-file another gone
  touch .wh.large gone/.wh.deep dir/.wh.unreadable opaque/.wh..wh..opq
  echo new >opaque/new/file
  echo now-a-file >replaced-dir
  echo in-a-directory >replaced-file/file
  chmod 750 dir
  echo changed >old
  ln old another/hard-link
  ln -s ../to-dir/setgid another/through-a-link
  touch -d '1999-01-01 00:00:00.25Z' another dir opaque opaque/new replaced-file gone
  cd - >/dev/null || return
}

# pack TREE TAR [tar option...]: opaque markers last, where they are hardest.
pack() {
  (
    cd "$1" || exit
    find . ! -name .wh..wh..opq -print0 | sort -z
    find . -name .wh..wh..opq -print0
  ) >names
  tar -C "$1" --no-recursion --null -T names --numeric-owner -cf "$2" "${@:3}"
}

# A directory out/ for user 65534, who may not come near the tests' directories otherwise.
let_nobody_in() {
  local dir=$PWD
  mkdir -m 777 out
  while [ "$dir" != "$(dirname "$BATS_RUN_TMPDIR")" ]; do
    chmod o+x "$dir"
    dir=$(dirname "$dir")
  done
}

# make_everything_image LAYOUT [COMPRESSION]
make_everything_image() {
  make_everything lower
  make_changes upper
  pack lower lower.tar --format=posix --xattrs --xattrs-include='*' --sparse
  pack upper upper.tar --format=posix
  tar_image "$1" <<END
layer gzip
tar lower.tar
layer ${2:-zstd}
tar upper.tar
layer none
file third x
layer gzip
config '{"Env": ["PATH=/bin", "A=b c"], "User": "1000:100", "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["date"], "WorkingDir": "/w", "Labels": {"b": "two words", "a": "1"}}'
END
}

@test "an image of everything is unpacked as umoci does, fact by fact" {
  [ "$(id -u)" -eq 0 ] || skip "umoci needs root for it"
  command -v umoci >/dev/null || skip "umoci is not installed: run scripts/setup"
  make_everything_image image gzip
  umoci raw unpack --image image:latest theirs
  oci-unpack image ours
  diff <(facts theirs) <(facts ours/rootfs)
}

@test "a layer is unpacked as GNU tar does, fact by fact" {
  [ "$(id -u)" -eq 0 ] || skip "needs root for owners and devices"
  make_everything lower
  # Of the attributes umoci drops the empty ones.
  setfattr -n user.empty lower/empty-file
  pack lower lower.tar --format=posix --xattrs --xattrs-include='*' --sparse
  tar_image image <<<$'layer\ntar lower.tar'
  oci-unpack image ours
  mkdir theirs
  tar -C theirs -xpf lower.tar --xattrs --xattrs-include='*'
  diff <(facts theirs) <(facts ours/rootfs)
}

@test "every tar format gives the same files" {
  make_everything lower
  # What ustar cannot say stays out.
  rm -r lower/long-* lower/new lower/old
  for format in gnu oldgnu ustar posix; do
    pack lower "$format.tar" --format="$format" --mtime=@5
    tar_image "$format" <<<"$(printf 'layer none\ntar %s.tar' "$format")"
    oci-unpack "$format" "out-$format"
    facts "out-$format/rootfs" >"$format.facts"
    diff gnu.facts "$format.facts"
  done
}

@test "sparse files stay sparse in every form they are stored in" {
  truncate -s 1G sparse
  echo middle | dd of=sparse bs=1M seek=700 conv=notrunc status=none
  for format in gnu 'posix --sparse-version=0.0' 'posix --sparse-version=0.1' 'posix --sparse-version=1.0'; do
    # shellcheck disable=SC2086  # two words
    tar --sparse --format=$format -cf sparse.tar sparse
    tar_image image <<<$'layer\ntar sparse.tar'
    oci-unpack image out
    cmp sparse out/rootfs/sparse
    [ "$(stat -c %b out/rootfs/sparse)" -lt 1000 ]
    rm -r image out
  done
}

@test "metadata.json says what Concourse reads, on one line" {
  make_everything_image image
  oci-unpack image out
  [ "$(cat out/metadata.json)" = '{"env":["PATH=/bin","A=b c"],"user":"1000:100","entrypoint":["/bin/sh","-c"],"cmd":["date"],"workdir":"/w"}' ]
  [ "$(wc -l <out/metadata.json)" -eq 1 ]
  [ "$(stat -c %a out/metadata.json)" = 644 ]
  [ "$(stat -c %a out)" = 755 ]
}

@test "labels.json says the labels, on one line" {
  make_everything_image image
  oci-unpack image out
  [ "$(cat out/labels.json)" = '{"a":"1","b":"two words"}' ]
  [ "$(stat -c %a out/labels.json)" = 644 ]
  tar_image plain <<<$'layer\nfile x y'
  oci-unpack plain other
  [ "$(cat other/labels.json)" = '{}' ]
}

@test "nothing is printed on stdout and one line of summary on stderr" {
  tar_image image <<<$'layer\nfile x {y*3000}'
  run --separate-stderr oci-unpack image out
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-unpack: unpacked 1 layer, 1 member, 2.9 KiB" ]
}

@test "tars and stdin give what the layout gives" {
  make_busybox_layout layout
  skopeo copy --quiet oci:layout:latest docker-archive:docker.tar:example.org/x:1
  tar -C layout -cf oci.tar .
  oci-unpack layout 1
  oci-unpack docker.tar 2
  oci-unpack oci.tar 3
  oci-unpack - 4 <oci.tar
  # shellcheck disable=SC2002  # a pipe is meant
  cat docker.tar | oci-unpack - 5
  for i in 2 3 4 5; do
    diff <(facts 1/rootfs) <(facts "$i/rootfs")
    cmp 1/metadata.json "$i/metadata.json"
  done
}

@test "--platform picks an image of an index" {
  mkdir amd64 arm64
  echo amd64 >amd64/name
  echo arm64 >arm64/name
  make_image layout amd64 amd64 linux/amd64
  make_image layout arm64 arm64 linux/arm64
  make_index layout latest amd64 arm64
  oci-unpack --platform linux/arm64 layout arm
  oci-unpack --platform linux/amd64 layout amd
  [ "$(cat arm/rootfs/name amd/rootfs/name)" = $'arm64\namd64' ]
  run --separate-stderr oci-unpack --platform linux/s390x layout z
  [ "$status" -eq 1 ]
  [[ "$stderr" == *linux/s390x*linux/amd64*linux/arm64* ]]
  [ ! -e z ]
}

@test "an existing rootfs is an error that says the fix, unless it is empty" {
  tar_image image <<<$'layer\nfile x y'
  mkdir -p out/rootfs
  echo old >out/metadata.json
  oci-unpack image out
  [ "$(cat out/rootfs/x)" = y ]
  [ "$(stat -c %a out/rootfs)" = 755 ]
  run ! grep -q old out/metadata.json
  run --separate-stderr oci-unpack image out
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-unpack: 'out/rootfs' exists already: remove it, or choose a directory without a rootfs" ]
  [ "$(cat out/rootfs/x)" = y ]
}

@test "a rootfs that is a symlink is not followed" {
  tar_image image <<<$'layer\nfile x y'
  mkdir out elsewhere
  ln -s ../elsewhere out/rootfs
  run ! oci-unpack image out
  [ -z "$(ls -A elsewhere)" ]
}

@test "killed at any rename, link or removal, it leaves no rootfs or all, and the next one clears away the rest" {
  tar_image image <<<$'layer\nfile x y'
  local call n status
  for call in rename link unlinkat; do
    for ((n = 1; ; ++n)); do
      rm -rf out
      mkdir out
      status=0
      (exec strace -qqq -o /dev/null -e inject="$call:signal=KILL:when=$n" oci-unpack image out) || status=$?
      [ "$status" -ne 0 ] || break
      [ "$status" -eq 137 ]
      if [ -e out/rootfs ]; then
        [ "$(cat out/rootfs/x)" = y ]
        [ -s out/metadata.json ]
        [ -s out/labels.json ]
        run ! oci-unpack image out
        [ "$(ls -A out | paste -sd ' ')" = 'labels.json metadata.json rootfs' ]
        rm -r out/rootfs
      fi
      oci-unpack image out
      [ "$(ls -A out | paste -sd ' ')" = 'labels.json metadata.json rootfs' ]
    done
    [ "$n" -gt 1 ]
  done
}

@test "a failure leaves the destination as it was" {
  tar_image image <<<$'layer\nfile x y\nlie diff-id'
  run ! oci-unpack image out
  [ ! -e out ]
  mkdir -p out/rootfs
  echo mine >out/metadata.json
  run ! oci-unpack image out
  [ "$(cd out && find . | sort | tr '\n' ' ')" = '. ./metadata.json ./rootfs ' ]
  [ "$(cat out/metadata.json)" = mine ]
}

@test "a destination whose parent is missing, or that is a file, is an error" {
  tar_image image <<<$'layer\nfile x y'
  run --separate-stderr oci-unpack image absent/out
  [ "$status" -eq 1 ]
  [ "$stderr" = "oci-unpack: cannot make the directory 'absent/out': No such file or directory" ]
  echo >file
  run --separate-stderr oci-unpack image file
  [ "$status" -eq 1 ]
}

@test "a stop signal leaves nothing behind" {
  # Millions of members with one name: it runs for long and fills no disk.
  tar_image image <<<$'layer\nfile first\nlayer zstd\nfile x\nfile y\nrepeat 10000000'
  oci-unpack image out 2>stderr 3>&- &
  wait_until 20 compgen -G 'out/.oci-unpack-*/rootfs/y'
  kill -TERM $!
  wait $! && status=0 || status=$?
  [ "$status" -eq 143 ]
  [ ! -e out ]
  grep -q 'stopped by SIGTERM' stderr
}

@test "without root all is kept that may be, and the rest is counted" {
  [ "$(id -u)" -eq 0 ] || skip "needs root to make the image"
  make_everything_image image
  oci-unpack image by-root
  let_nobody_in
  run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups oci-unpack image out/by-nobody
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ "${stderr_lines[0]}" == "oci-unpack: warning: 2 device nodes were left out (Operation not permitted), the first is '/disk'" ]]
  [[ "${stderr_lines[1]}" == "oci-unpack: warning: the owner of "*" files could not be kept (Operation not permitted), the first is '/"* ]]
  [[ "${stderr_lines[2]}" == "oci-unpack: warning: extended attributes of "* ]]
  [[ "${stderr_lines[3]}" == "oci-unpack: unpacked 4 layers, "* ]]
  [ "${#stderr_lines[@]}" -eq 4 ]
  without_privileges() {
    facts "$1" | grep -av -e 'type=[cb] ' -e ' device=' -e '^security.capability=' -e '^# file: setuid$' -e '^$' | sed 's/ owner=[^ ]*//'
  }
  diff <(without_privileges by-root/rootfs) <(without_privileges out/by-nobody/rootfs)
}

@test "directories without permissions are filled, and removed again on failure, without root" {
  tar_image image <<'END'
layer
dir closed mode=000
dir closed/inner mode=500
file closed/inner/file x
layer
file closed/inner/second x
END
  tar_image broken <<'END'
layer
dir closed mode=000
file closed/file x
lie diff-id
END
  let_nobody_in
  if [ "$(id -u)" -eq 0 ]; then
    as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  fi
  "${as_nobody[@]}" oci-unpack image out/closed
  [ "$(stat -c %a out/closed/rootfs/closed)" = 0 ]
  run ! "${as_nobody[@]}" oci-unpack broken out/broken
  [ ! -e out/broken ]
  chmod -R u+rwx out/closed
}

@test "--max-size takes units and refuses what is no size" {
  tar_image image <<<$'layer\nfile x {y*3000}'
  oci-unpack --max-size 1M image out
  for size in 0 x 1.5G -1 10GB; do
    run --separate-stderr oci-unpack --max-size "$size" image other
    [ "$status" -eq 2 ]
    [ ! -e other ]
  done
}

@test "help, version and wrong usage" {
  run --separate-stderr oci-unpack --help
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$(awk 'length > 80' <<<"$output")" = "" ]
  run --separate-stderr oci-unpack --version
  [ "$status" -eq 0 ]
  run --separate-stderr oci-unpack image
  [ "$status" -eq 2 ]
  [ -z "$output" ]
}

@test "- writes the root filesystem as a tar with every fact, holes among them" {
  make_everything_image image
  oci-unpack image ours
  oci-unpack image - >rootfs.tar
  mkdir theirs
  tar -C theirs -xpf rootfs.tar --xattrs --xattrs-include='*'
  diff <(facts ours/rootfs) <(facts theirs)
  [ "$(stat -c %s rootfs.tar)" -lt 5000000 ] # of a file of 20 MiB
  [ "$(stat -c %b theirs/sparse)" -lt 1000 ]
  # Another reader of all that is in there.
  /usr/bin/python3 - rootfs.tar ours/rootfs/sparse <<'END'
import sys, tarfile
with tarfile.open(sys.argv[1]) as tar:
    member = tar.getmember('sparse')
    assert member.issparse() and tar.extractfile(member).read() == open(sys.argv[2], 'rb').read()
END
}

@test "- writes nothing where the image is damaged, and no tar to a terminal" {
  tar_image image <<<$'layer
file x y'
  run --separate-stderr script -qec 'oci-unpack image -' /dev/null
  [ "$status" -eq 2 ]
  [[ "$output" == *'stdout is a terminal: give the tar a file or a pipe'* ]]
  find image/blobs/sha256 -type f -exec sh -c 'printf x >>"$1"' sh {} \;
  run --separate-stderr oci-unpack image -
  [ "$status" -eq 1 ]
  [ -z "$output" ]
}
