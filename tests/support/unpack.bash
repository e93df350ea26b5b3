# Tests of oci-unpack: images from descriptions (see tar_image.py), and what they must not touch.
# shellcheck disable=SC2154  # run sets status and output

# tar_image LAYOUT: makes an OCI layout out of the description on stdin.
tar_image() {
  /usr/bin/python3 "$BATS_TEST_DIRNAME/../support/tar_image.py" "$1"
}

# Everything that can be known of the files below a directory, one a line, but the place of the directory itself.
# Files that are one file have the name of the first of them.
facts() {
  (
    cd "$1" || exit
    # The sizes of directories are the filesystem's affair.
    find . -printf '%p type=%y mode=%m owner=%U:%G mtime=%T@ links=%n target=%l\n' | sort
    find . -type f -printf '%p size=%s\n' | sort
    find . -type f -exec sha256sum {} + | sort -k 2
    find . \( -type c -o -type b \) -exec stat -c '%n device=%t:%T' {} + | sort
    find . ! -type d -links +1 -printf '%i %p\n' | sort -k 2 |
      awk '!($1 in first) {first[$1] = $2} {print $2, "is", first[$1]}'
    find . -print0 | sort -z | xargs -0 getfattr --no-dereference --dump --match=- --encoding=hex 2>/dev/null || true
  )
}

# A tree around the place that hostile images are unpacked to, and what it looks like, directory times included.
make_surroundings() {
  mkdir -p around/site/inner around/outside/dir
  cd around/site/inner || return
  outside=$(realpath ../../outside)
  echo untouched >"$outside/secret"
  echo untouched >"$outside/dir/file"
  echo untouched >../../secret
  ln -s secret "$outside/link"
  ln "$outside/secret" "$outside/second-name"
  mkfifo "$outside/fifo"
}

surroundings() {
  (
    cd ../.. || exit
    find . -path ./site/inner -prune -o -printf '%p %i %y %m %U:%G %s %T@ %C@ %n %l\n' | sort
    find . -path ./site/inner -prune -o -type f -exec sha256sum {} + | sort
    find site/inner -maxdepth 1 | sort
    stat -c '%n %i %s %Y %Z' /etc/passwd /etc /tmp/.. /dev/null
  )
}

# attack [option...]: unpacks the image described on stdin into dest, as `run --separate-stderr` does. Fails if that
# changes anything outside, takes for ever, crashes, writes on stdout or leaves something behind when it fails.
attack() {
  local before
  tar_image image
  before=$(surroundings)
  # Of all that could be changed, dest alone may be.
  mkdir dest
  run --separate-stderr timeout 60 oci-unpack "$@" image dest
  diff <(echo "$before") <(surroundings | grep -vx site/inner/dest)
  [ -z "$output" ]
  [ "$status" -lt 2 ]
  [ "$status" -eq 0 ] || [ -z "$(ls -A dest)" ]
}

# What the attack left, without times: "PATH type" sorted.
unpacked() {
  (cd dest/rootfs && find . -mindepth 1 -printf '%P %y\n' | LC_ALL=C sort)
}

# The one error line, without the tool's name and the image's.
message() {
  echo "${stderr#*: \'image\': }"
}
