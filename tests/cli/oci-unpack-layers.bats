#!/usr/bin/env bats
# oci-unpack --list and --layer: what is in an image, and one layer of it.

load ../support/load

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return
  umoci init --layout layout
  umoci new --image layout:made
  mkdir -p one/etc two/etc
  # umoci ends a layer without the padding of its last member.
  printf "%512s" first >one/etc/first
  printf "%512s" second >two/etc/second
  umoci insert --image layout:made --history.created_by 'COPY one' one/etc /etc >/dev/null 2>&1
  umoci config --image layout:made --config.user 7 --history.created_by 'USER 7' >/dev/null 2>&1
  umoci insert --image layout:made --history.created_by 'COPY two' two/etc /etc >/dev/null 2>&1
  skopeo inspect --raw --config oci:layout:made >config
  skopeo inspect --raw oci:layout:made >manifest
}

setup() { cd "$BATS_FILE_TMPDIR" || return; }

@test "oci-unpack: --list prints each layer with what made it" {
  run --separate-stderr oci-unpack --list layout
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$(awk '{print $1}' <<<"$output" | xargs)" = 'LAYER 1 - 2' ]
  [[ "${lines[1]}" = *" $(jq -r '.layers[0].digest' manifest)  $(jq -r '.rootfs.diff_ids[0]' config)  COPY one" ]]
  [[ "${lines[2]}" = *'  USER 7' ]]
  [[ "${lines[3]}" = *" $(jq -r '.layers[1].digest' manifest)  $(jq -r '.rootfs.diff_ids[1]' config)  COPY two" ]]
}

@test "oci-unpack: --list --json says the same" {
  run --separate-stderr oci-unpack --list --json layout
  [ "$status" -eq 0 ]
  [ "$(jq -c '[.layers[] | {mediaType: .media_type, digest, size}]' <<<"$output")" = \
    "$(jq -c '[.layers[] | {mediaType, digest, size}]' manifest)" ]
  [ "$(jq -c '[.layers[].diff_id]' <<<"$output")" = "$(jq -c .rootfs.diff_ids config)" ]
  [ "$(jq -c '[.history[] | [.layer, .created_by]]' <<<"$output")" = '[[1,"COPY one"],[null,"USER 7"],[2,"COPY two"]]' ]
  [ "$(jq -r .schema <<<"$output")" = oci-build/layers/1 ]
}

@test "oci-unpack: --layer writes the layer's own tar" {
  [ "sha256:$(oci-unpack --layer 2 layout - | sha256sum | cut -d ' ' -f 1)" = "$(jq -r '.rootfs.diff_ids[1]' config)" ]
  [ "sha256:$(oci-unpack --layer "$(jq -r '.layers[0].digest' manifest)" layout - | sha256sum | cut -d ' ' -f 1)" = \
    "$(jq -r '.rootfs.diff_ids[0]' config)" ]
}

@test "oci-unpack: --layer unpacks what the layer brings and nothing else" {
  oci-unpack --layer "$(jq -r '.rootfs.diff_ids[1]' config)" layout tree
  [ "$(cd tree/rootfs && find . -type f)" = ./etc/second ]
}

@test "oci-unpack: a layer that is not there is an error that says which are" {
  run --separate-stderr oci-unpack --layer 3 layout -
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "$stderr" = "oci-unpack: 'layout' has no layer '3': give a number from 1 to 2, or a digest that --list shows" ]
}

@test "oci-unpack: of a damaged layer nothing is written" {
  cp -r layout damaged
  layer=damaged/blobs/sha256/$(jq -r '.layers[1].digest' manifest | sed s/sha256://)
  chmod u+w "$layer"
  printf x | dd of="$layer" conv=notrunc bs=1 seek=40 status=none
  oci-unpack --layer 2 damaged - >written 2>said || status=$?
  [ "$status" -eq 1 ]
  [ ! -s written ]
}

@test "oci-unpack: --list and DEST exclude each other, and one of them is needed" {
  run --separate-stderr oci-unpack --list layout dest
  [ "$status" -eq 2 ]
  run --separate-stderr oci-unpack layout
  [ "$status" -eq 2 ]
  [ "$stderr" = "oci-unpack: DEST is required; see 'oci-unpack --help'" ]
  run --separate-stderr oci-unpack --json layout
  [ "$status" -eq 2 ]
}
