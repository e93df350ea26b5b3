# What the benchmarks share: times, medians, images of a gigabyte that are made once.

# Benches measure release programs where they are built. Tests load this file too, and run what scripts/test built.
_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ -n "${BATS_VERSION-}" ] || PATH=$_root/build-release/bin:$_root/build-dev/bin:$PATH
BENCH_CACHE=${BENCH_CACHE:-$_root/build-dev/bench}

# milliseconds COMMAND...: runs it and prints how long it took; its output is shown when it fails.
milliseconds() {
  local begin end log
  log=$(mktemp)
  begin=$(date +%s%N)
  "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
  end=$(date +%s%N)
  rm -f "$log"
  echo $(((end - begin) / 1000000))
}

# median_of RUNS COMMAND...: the median time of so many runs, in milliseconds. Where `before` names a function, it is
# called before each run and not measured.
median_of() {
  local runs=$1 run times=()
  shift
  for ((run = 0; run < runs; ++run)); do
    [ -z "${before:-}" ] || "$before"
    times+=("$(milliseconds "$@")") || return
  done
  printf '%s\n' "${times[@]}" | sort -n | sed -n "$(((runs + 1) / 2))p"
}

# ratio A B: A / B with three digits.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.3g", a / (b > 0 ? b : 1)}'; }

# make_large_layout: an OCI layout of a gigabyte in five layers that cannot be compressed; prints its path.
make_large_layout() {
  local layout=$BENCH_CACHE/large number size digest work
  if [ ! -e "$layout/index.json" ]; then
    rm -rf "$layout" "$layout.new"
    work=$layout.new
    mkdir -p "$work/blobs/sha256"
    for number in 1 2 3 4 5; do
      printf 'making layer %d of 5 of an image of a gigabyte\n' "$number" >&2
      head -c 200M /dev/urandom >"$work/file$number"
      tar -C "$work" --mtime=@0 -cf "$work/layer" "file$number"
      rm "$work/file$number"
      size=$(stat -c %s "$work/layer")
      digest=$(store_blob "$work" "$work/layer")
      printf '%s %s\n' "$digest" "$size"
    done >"$work/layers"
    jq -Rcn '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: [inputs | split(" ")[0]]}}' \
      "$work/layers" >"$work/config"
    size=$(stat -c %s "$work/config")
    digest=$(store_blob "$work" "$work/config")
    jq -Rcn --arg digest "$digest" --argjson size "$size" '{schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {mediaType: "application/vnd.oci.image.config.v1+json", $digest, $size},
      layers: [inputs | split(" ") | {mediaType: "application/vnd.oci.image.layer.v1.tar", digest: .[0], size: (.[1] | tonumber)}]}' \
      "$work/layers" >"$work/manifest"
    rm "$work/layers"
    add_to_index "$work" "$work/manifest" application/vnd.oci.image.manifest.v1+json large null >/dev/null
    mv "$work" "$layout"
  fi
  printf '%s\n' "$layout"
}

# make_large_tar: the same image as an OCI archive; prints its path.
make_large_tar() {
  local layout tar=$BENCH_CACHE/large.tar
  layout=$(make_large_layout)
  if [ ! -e "$tar" ]; then
    tar -C "$layout" -cf "$tar.new" blobs index.json oci-layout
    mv "$tar.new" "$tar"
  fi
  printf '%s\n' "$tar"
}

# make_debian_layout: an OCI layout of a Debian in two gzip layers, 180 MB unpacked; prints its path. Needs root.
make_debian_layout() {
  local layout=$BENCH_CACHE/debian work=$BENCH_CACHE/debian.new sources
  if [ ! -e "$layout/index.json" ]; then
    echo 'making a Debian image' >&2
    rm -rf "$layout" "$work"
    mkdir -p "$work/root"
    # shellcheck disable=SC2016  # the dollars are apt's
    sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u)
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,curl,perl,python3-minimal \
      "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work/root.tar" - <<<"$sources" >&2
    tar -C "$work/root" -xpf "$work/root.tar"
    tar -C "$work/root" --sort=name --exclude=./usr/share -cf "$work/1.tar" .
    tar -C "$work/root" --sort=name -cf "$work/2.tar" ./usr/share
    printf 'layer gzip\ntar %s\n' "$work/1.tar" "$work/2.tar" | /usr/bin/python3 "$_root/tests/support/tar_image.py" "$work/layout"
    mv "$work/layout" "$layout"
    rm -rf "$work"
  fi
  echo "$layout"
}
