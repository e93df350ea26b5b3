# Base images made on the spot from Debian's static busybox: nothing is pulled from outside.

# make_busybox_rootfs DIR: a root filesystem with busybox and all its applets.
make_busybox_rootfs() {
  local root=$1 busybox applet
  busybox=$(command -v busybox)
  mkdir -p "$root"/bin "$root"/etc "$root"/proc "$root"/sys "$root"/dev "$root"/root "$root"/usr
  install -d -m 1777 "$root/tmp"
  cp "$busybox" "$root/bin/busybox"
  for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
}

# add_program ROOT PROGRAM: copies a program of this machine, and the libraries it needs, into a root filesystem.
add_program() {
  local file
  for file in "$(command -v "$2")" $(ldd "$(command -v "$2")" | grep -o '/[^ ]*'); do
    mkdir -p "$1${file%/*}"
    cp -L "$file" "$1$file"
  done
}

# store_blob LAYOUT FILE: moves FILE into the layout's blobs; prints its digest.
store_blob() {
  local digest
  digest=$(sha256sum "$2" | cut -d ' ' -f 1)
  mkdir -p "$1/blobs/sha256"
  mv "$2" "$1/blobs/sha256/$digest"
  echo "sha256:$digest"
}

# make_image LAYOUT ROOTFS [TAG [PLATFORM [CONFIG]]]: adds an image of one gzip layer to an OCI layout
# directory, which is made when absent. TAG defaults to "latest", PLATFORM to this machine's; CONFIG is the JSON
# of the image config's "config". Prints the manifest's digest. A second PLATFORM under the same TAG makes that
# tag an index (see make_index).
make_image() {
  local layout=$1 rootfs=$2 tag=${3:-latest} platform=${4:-linux/$(image_architecture)} config=${5:-'{"Env":["PATH=/bin"],"Cmd":["sh"]}'}
  local os architecture variant diff_id layer layer_size config_digest config_size manifest work
  IFS=/ read -r os architecture variant <<<"$platform"
  mkdir -p "$layout/blobs/sha256"
  work=$(mktemp -d "$layout/.new.XXXXXX")
  tar -C "$rootfs" --sort=name --numeric-owner --owner=0 --group=0 --mtime=@0 -cf "$work/layer.tar" .
  diff_id=sha256:$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
  gzip -n -1 "$work/layer.tar"
  layer_size=$(stat -c %s "$work/layer.tar.gz")
  layer=$(store_blob "$layout" "$work/layer.tar.gz")

  jq -cn --arg os "$os" --arg architecture "$architecture" --arg variant "$variant" --arg diff_id "$diff_id" \
    --argjson config "$config" \
    '{created: "1970-01-01T00:00:00Z", $architecture, $os} + (if $variant == "" then {} else {$variant} end) +
     {$config, rootfs: {type: "layers", diff_ids: [$diff_id]}, history: [{created: "1970-01-01T00:00:00Z"}]}' \
    >"$work/config"
  config_size=$(stat -c %s "$work/config")
  config_digest=$(store_blob "$layout" "$work/config")

  jq -cn --arg config "$config_digest" --argjson config_size "$config_size" --arg layer "$layer" \
    --argjson layer_size "$layer_size" \
    '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $config_size},
      layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: $layer, size: $layer_size}]}' \
    >"$work/manifest"
  add_to_index "$layout" "$work/manifest" application/vnd.oci.image.manifest.v1+json "$tag" \
    "$(jq -cn --arg os "$os" --arg architecture "$architecture" --arg variant "$variant" \
      '{$architecture, $os} + (if $variant == "" then {} else {$variant} end)')"
  rmdir "$work"
}

# add_to_index LAYOUT DOCUMENT MEDIA-TYPE TAG PLATFORM-JSON: stores a manifest or index under TAG, instead of
# what had that tag; prints its digest.
add_to_index() {
  local layout=$1 document=$2 type=$3 tag=$4 platform=$5 size digest
  size=$(stat -c %s "$document")
  digest=$(store_blob "$layout" "$document")
  echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  [ -e "$layout/index.json" ] || echo '{"schemaVersion":2,"manifests":[]}' >"$layout/index.json"
  jq -c --arg type "$type" --arg digest "$digest" --argjson size "$size" --arg tag "$tag" \
    --argjson platform "$platform" \
    '.manifests |= map(select(.annotations["org.opencontainers.image.ref.name"] != $tag)) +
       [{mediaType: $type, $digest, $size, annotations: {"org.opencontainers.image.ref.name": $tag}} +
        (if $platform == null then {} else {$platform} end)]' \
    "$layout/index.json" >"$layout/index.json.new"
  mv "$layout/index.json.new" "$layout/index.json"
  echo "$digest"
}

# make_index LAYOUT TAG MEMBER-TAG...: replaces the members by one index of them under TAG; prints its digest.
make_index() {
  local layout=$1 tag=$2 index
  shift 2
  index=$(mktemp "$layout/.index.XXXXXX")
  jq -c --args '[.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] as $tag |
      $ARGS.positional | index($tag)) | del(.annotations)] |
    {schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: .}' "$@" \
    <"$layout/index.json" >"$index"
  jq -c --args '.manifests |= map(select(.annotations["org.opencontainers.image.ref.name"] as $tag |
      $ARGS.positional | index($tag) | not))' "$@" <"$layout/index.json" >"$layout/index.json.new"
  mv "$layout/index.json.new" "$layout/index.json"
  add_to_index "$layout" "$index" application/vnd.oci.image.index.v1+json "$tag" null
}

# The architecture of this machine in the words of OCI images.
image_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
  esac
}

# make_busybox_layout LAYOUT [TAG]: an OCI layout directory with a busybox image of this machine's platform;
# prints the manifest's digest.
make_busybox_layout() {
  local root
  mkdir -p "$1"
  root=$(mktemp -d "$1/.rootfs.XXXXXX")
  make_busybox_rootfs "$root"
  make_image "$1" "$root" "${2:-latest}"
  rm -rf "$root"
}

# push_image LAYOUT:TAG HOST/NAME:TAG [skopeo option...]: pushes an image, or an index with all its images, to
# a registry, over plain HTTP where it has no TLS.
push_image() {
  skopeo copy --quiet --all --dest-tls-verify=false "${@:3}" "oci:$1" "docker://$2"
}
