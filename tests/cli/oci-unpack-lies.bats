#!/usr/bin/env bats
# shellcheck disable=SC2154  # make_surroundings sets outside, run status and stderr
# Images that lie about sizes, lengths and digests, and images without end. Each test checks besides that nothing
# outside the root was changed (see attack).
bats_require_minimum_version 1.5.0

setup() {
  load ../support/load
  cd "$BATS_TEST_TMPDIR" || return
  make_surroundings
}

@test "a name of 100,000 directories is an error" {
  attack <<'END'
layer
file {d/*100000}x x
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == *" has 200001 bytes, more than Linux can use (4095)" ]]
}

@test "a tree that symlinks make deeper than any name is unpacked and removed" {
  attack <<'END'
layer
file {d/*1800}x x
symlink a {d/*1800}
file a/{d/*1800}y x
symlink b a/{d/*1800}
file b/{d/*1800}z x
link nowhere absent
END
  [ "$status" -eq 1 ]
}

@test "a component longer than 255 bytes is an error" {
  attack <<'END'
layer
file {n*256} x
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == *": File name too long" ]]
}

@test "a symlink target longer than Linux allows is an error" {
  attack <<'END'
layer
symlink l {t*5000}
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: cannot create '/l': File name too long" ]
}

@test "an empty symlink target is an error" {
  attack <<'END'
layer
symlink l ''
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: cannot create '/l': No such file or directory" ]
}

@test "a size larger than the archive is an error" {
  attack <<'END'
layer
file big x size=8589934592
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == "layer 1 of 1: the tar archive is damaged: it ends in the middle of a tar member"* ]]
}

@test "the largest size there is, and a negative one, are errors" {
  attack <<'END'
layer
file big x size=9223372036854775807
END
  [ "$status" -eq 1 ]
  rm -rf image dest
  attack <<'END'
layer
file big x size=-1
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the tar archive is damaged: tar header at byte 0: its size cannot be -1" ]
}

@test "a size that hides the next member inside content hides it for good" {
  attack <<'END'
layer
file a x size=1536
file hidden x
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "a f" ]
}

@test "uids and gids that Linux does not have are errors" {
  attack <<'END'
layer
file x x uid=4294967295
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: '/x' has the uid 4294967295, which Linux cannot have" ]
}

@test "a decompression bomb ends at --max-size" {
  attack --max-size 50M <<'END'
layer
file bomb size=1073741824
zeros 1048576
repeat 1024
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the image unpacks to more than 50.0 MiB, the limit that was set" ]
}

@test "a bomb of zstd ends at --max-size" {
  attack --max-size 50M <<'END'
layer zstd
file ok x
layer zstd
file bomb size=1024
zeros 104857600
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 2 of 2: the image unpacks to more than 50.0 MiB, the limit that was set" ]
}

@test "a bomb of headers alone ends at --max-size" {
  attack --max-size 2M <<'END'
layer
file x
repeat 100000
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the image unpacks to more than 2.0 MiB, the limit that was set" ]
}

@test "a sparse file of nothing but holes counts for --max-size" {
  attack --max-size 1G <<'END'
layer
file x pax:GNU.sparse.size=8000000000000 pax:GNU.sparse.numblocks=0 pax:GNU.sparse.map=
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the image unpacks to more than 1.0 GiB, the limit that was set" ]
}

@test "a PAX header that is too large is an error" {
  attack <<'END'
layer
file x x pax:comment={c*2000000}
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == *"its PAX header or long name is larger than 1 MiB" ]]
}

@test "PAX headers without end cost no memory" {
  attack --max-size 200M <<'END'
layer
file g kind=g size=600000
zeros 512
repeat 3
END
  [ "$status" -eq 1 ]
}

@test "a PAX name with a NUL byte is an error" {
  attack <<'END'
layer
file x "30 path=a" kind=x size=9
file y x
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == *"its PAX header is not well-formed" ]]
}

@test "a sparse map that reaches beyond its file is an error" {
  attack <<'END'
layer
file x abc pax:GNU.sparse.size=10 pax:GNU.sparse.numblocks=1 pax:GNU.sparse.map=9,3
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == *"its sparse map is out of order or larger than the file" ]]
}

@test "a cut-off layer is an error" {
  attack <<'END'
layer
file x {x*10000}
cut 20
END
  [ "$status" -eq 1 ]
}

@test "a layer that is no tar archive is an error" {
  attack <<'END'
layer
bytes {rubbish*200}
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the tar archive is damaged: tar header at byte 0: its checksum is wrong" ]
}

@test "a member of a kind without meaning is an error" {
  attack <<'END'
layer
file x x kind=M
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == *"'x' is of the kind 'M', which has no meaning in images" ]]
}

@test "a layer whose digest is wrong leaves nothing" {
  attack <<'END'
layer none
file x x
lie digest
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == "layer 1 of 1: the layer as it is stored is damaged: its digest is sha256:"* ]]
}

@test "a layer whose diff ID is wrong leaves nothing" {
  attack <<'END'
layer
file x x
layer
file y y
lie diff-id
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == "layer 2 of 2: the layer unpacked is damaged: its digest is sha256:"* ]]
}

@test "bytes behind the end mark belong to the digest" {
  attack <<'END'
layer
file x x
zeros 1024
bytes {rubbish*100}
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "x f" ]
}

@test "setuid does not survive on what another layer's member replaces" {
  attack <<'END'
layer
file su x mode=4755 uid=0
layer
file su y mode=755 uid=1000
END
  [ "$status" -eq 0 ]
  [ "$(stat -c %a dest/rootfs/su)" = 755 ]
}

@test "names with line breaks and escape sequences reach the disk and not the terminal" {
  attack <<'END'
layer
file $'a' x pax:path=one\two
link bad "\033[31mred"
END
  [ "$status" -eq 1 ]
  [[ "$stderr" != *$'\033'* ]]
}

@test "a layer whose size is wrong leaves nothing" {
  attack <<'END'
layer
file x x
lie size
END
  [ "$status" -eq 1 ]
}
