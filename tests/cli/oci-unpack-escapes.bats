#!/usr/bin/env bats
# shellcheck disable=SC2154  # make_surroundings sets outside, run status and stderr
# Images whose names and links want out of the root. Each test checks besides that nothing outside the root was
# changed (see attack).
bats_require_minimum_version 1.5.0

setup() {
  load ../support/load
  cd "$BATS_TEST_TMPDIR" || return
  make_surroundings
}

@test "names with .. stay inside the root" {
  attack <<'END'
layer
file ../../../outside/secret stolen
file a/../../../../secret stolen
file ./a/./../../b x
END
  [ "$status" -eq 0 ]
  [ "$(cat dest/rootfs/outside/secret)" = stolen ]
  [ "$(cat dest/rootfs/secret)" = stolen ]
  [ "$(cat dest/rootfs/b)" = x ]
}

@test "absolute names begin at the root" {
  attack <<END
layer
file $outside/secret stolen
file //etc/passwd stolen
END
  [ "$status" -eq 0 ]
  [ "$(cat "dest/rootfs$outside/secret")" = stolen ]
  [ "$(cat dest/rootfs/etc/passwd)" = stolen ]
}

@test "a file behind an absolute symlink stays inside the root" {
  attack <<END
layer
symlink out $outside
file out/secret stolen
END
  [ "$status" -eq 0 ]
  [ "$(cat "dest/rootfs$outside/secret")" = stolen ]
}

@test "a file behind a relative symlink stays inside the root" {
  attack <<'END'
layer
dir d
symlink d/up ../../../../../outside
file d/up/secret stolen
END
  [ "$status" -eq 0 ]
  [ "$(cat dest/rootfs/outside/secret)" = stolen ]
}

@test "a file behind a symlink of a lower layer stays inside the root" {
  attack <<END
layer
symlink out $outside
layer
file out/secret stolen
file out/dir/file stolen
END
  [ "$status" -eq 0 ]
  [ "$(cat "dest/rootfs$outside/dir/file")" = stolen ]
}

@test "a chain of symlinks stays inside the root" {
  attack <<'END'
layer
symlink a b/../..
symlink b c
symlink c ../../../..
file a/secret stolen
file b/a/c/outside/secret stolen
END
  [ "$status" -eq 0 ]
  [ "$(cat dest/rootfs/outside/secret)" = stolen ]
}

@test "a directory that a symlink replaced is not what it was" {
  attack <<END
layer
dir d
file d/x 1
symlink d $outside
file d/secret stolen
END
  [ "$status" -eq 0 ]
  [ -L dest/rootfs/d ]
  [ "$(cat "dest/rootfs$outside/secret")" = stolen ]
}

@test "a file does not follow the symlink whose place it takes" {
  attack <<END
layer
symlink secret $outside/secret
file secret stolen
layer
symlink secret ../../../outside/secret
layer
file secret again
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "secret f" ]
  [ "$(cat dest/rootfs/secret)" = again ]
}

@test "a directory does not follow the symlink whose place it takes" {
  attack <<END
layer
symlink d $outside
dir d mode=700 uid=12 mtime=1
file d/new x
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "$(printf 'd d\nd/new f')" ]
}

@test "a loop of symlinks is an error" {
  attack <<'END'
layer
symlink a b
symlink b a
file a/x x
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: cannot find '/a': Too many levels of symbolic links" ]
}

@test "a hard link to a name above the root is not made" {
  attack <<'END'
layer
link stolen ../../../outside/secret
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the hard link '/stolen' points at '../../../outside/secret', which is not there" ]
}

@test "a hard link to an absolute name is looked for inside the root" {
  attack <<END
layer
link stolen $outside/secret
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == *"which is not there" ]]
}

@test "a hard link through a symlink of a lower layer stays inside the root" {
  attack <<END
layer
symlink out $outside
layer
link stolen out/secret
file stolen changed
END
  [ "$status" -eq 1 ]
  [[ "$(message)" == "layer 2 of 2: the hard link '/stolen' points at 'out/secret', which is not there" ]]
}

@test "a hard link to a symlink links the symlink, and writing over it changes nothing else" {
  attack <<END
layer
symlink out $outside/secret
link second out
layer
file second stolen
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "$(printf 'out l\nsecond f')" ]
}

@test "a file that replaces a hard link leaves the other name as it was" {
  attack <<'END'
layer
file a first
link b a
layer
file b second
END
  [ "$status" -eq 0 ]
  [ "$(cat dest/rootfs/a)" = first ]
  [ "$(cat dest/rootfs/b)" = second ]
}

@test "a hard link to a directory or to the root is an error" {
  attack <<'END'
layer
link again ..
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the hard link '/again' points at '..', which is a directory" ]
}

@test "a hard link to itself keeps the file" {
  attack <<'END'
layer
file a x
layer
link a a
END
  [ "$status" -eq 0 ]
  [ "$(cat dest/rootfs/a)" = x ]
}

@test "a file replaces a whole directory, and a directory a file" {
  attack <<'END'
layer
file d/sub/x 1
file f 1
layer
file d now-a-file
dir f
file f/x 2
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "$(printf 'd f\nf d\nf/x f')" ]
}

@test "a member below a file is an error" {
  attack <<'END'
layer
file f x
file f/y x
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: cannot enter '/f': Not a directory" ]
}

@test "nothing replaces the root directory" {
  attack <<END
layer
symlink ./ $outside
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the member './' would replace the root directory" ]
}

@test "a name that leads back to the root does not replace it either" {
  attack <<'END'
layer
dir a
file a/.. x
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the member 'a/..' would replace the root directory" ]
}

@test "of members with one name the last counts" {
  attack <<'END'
layer
file a first
file ./a second
symlink a elsewhere
fifo a
file a last
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "a f" ]
  [ "$(cat dest/rootfs/a)" = last ]
}

@test "device nodes and fifos are never opened for what comes later" {
  attack <<'END'
layer
char null 1 3 mode=666
fifo p
layer
file null x
file p x
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "$(printf 'null f\np f')" ]
}

@test "a device number too large for Linux is an error, not another device" {
  attack <<'END'
layer
block sda 4104 0
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 1 of 1: the device '/sda' has the number 4104:0, which Linux cannot have" ]
}

@test "a whiteout of .. is an error" {
  attack <<'END'
layer
file d/x x
layer
file d/.wh... x
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 2 of 2: 'd/.wh...' is a whiteout of '..', which cannot be removed" ]
}

@test "a whiteout of . is an error" {
  attack <<'END'
layer
file d/x x
layer
file d/.wh.. x
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 2 of 2: 'd/.wh..' is a whiteout of '.', which cannot be removed" ]
}

@test "a whiteout of nothing is an error" {
  attack <<'END'
layer
file x x
layer
file .wh. x
END
  [ "$status" -eq 1 ]
  [ "$(message)" = "layer 2 of 2: '.wh.' is a whiteout of '', which cannot be removed" ]
}

@test "a whiteout that begins like the markers is passed over" {
  attack <<'END'
layer
file x x
layer
file .wh..wh.x x
file .wh..wh.plnk/y x
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "x f" ]
}

@test "a whiteout behind a symlink removes nothing outside" {
  attack <<END
layer
symlink out $outside
symlink up ../../..
layer
file out/.wh.secret x
file up/outside/.wh.dir x
file ../../../.wh.secret x
END
  [ "$status" -eq 0 ]
}

@test "an opaque marker behind a symlink removes nothing outside" {
  attack <<END
layer
symlink out $outside
layer
file out/.wh..wh..opq x
file ../.wh..wh..opq x
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "" ]
}

@test "a whiteout removes a symlink, not what it points at" {
  attack <<END
layer
symlink out $outside
layer
file .wh.out x
END
  [ "$status" -eq 0 ]
  [ "$(unpacked)" = "" ]
}
