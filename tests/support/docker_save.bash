# Tars as docker save wrote them before it wrote OCI layouts, made from OCI layouts.

# make_docker_save TAR LAYOUT TAG: the image TAG of a layout, every layer uncompressed as ID/layer.tar.
make_docker_save() { _make_docker_save '' "$@"; }

# make_linked_docker_save: the same, but each layer.tar is a symbolic link to the layer in another directory, as
# where images share layers.
make_linked_docker_save() { _make_docker_save linked "$@"; }

_make_docker_save() {
  local style=$1 tar=$2 layout=$3 tag=$4 work manifest config digest number=0 id blob
  local layers=()
  work=$(mktemp -d "$tar.XXXXXX")
  manifest=$(jq -r --arg tag "$tag" \
    '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag).digest' "$layout/index.json")
  manifest=$layout/blobs/sha256/${manifest#sha256:}
  config=$(jq -r .config.digest "$manifest")
  config=${config#sha256:}
  cp "$layout/blobs/sha256/$config" "$work/$config.json"
  for digest in $(jq -r '.layers[].digest' "$manifest"); do
    blob=$layout/blobs/sha256/${digest#sha256:}
    id=$(printf '%064x' "$number")
    number=$((number + 1))
    mkdir "$work/$id"
    if [ "$style" = linked ]; then
      mkdir "$work/shared-$id"
      gzip -dcf "$blob" >"$work/shared-$id/layer.tar"
      ln -s "../shared-$id/layer.tar" "$work/$id/layer.tar"
    else
      gzip -dcf "$blob" >"$work/$id/layer.tar"
    fi
    echo 1.0 >"$work/$id/VERSION"
    layers+=("$id/layer.tar")
  done
  jq -cn --arg config "$config.json" --arg tag "$tag" --args \
    '[{Config: $config, RepoTags: ["test:" + $tag], Layers: $ARGS.positional}]' "${layers[@]}" >"$work/manifest.json"
  tar -C "$work" --owner=0 --group=0 -cf "$tar" .
  rm -rf "$work"
}
