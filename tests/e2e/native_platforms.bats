#!/usr/bin/env bats
# Images for other platforms than this machine's, by the native engine.

load ../support/load

setup() {
  enter_native_build
}

# write_arm64_program FILE: a program of three instructions that exits with 42.
write_arm64_program() {
  python3 - "$1" <<'END'
import os, struct, sys
code = struct.pack("<III", 0xD2800BA8, 0xD2800540, 0xD4000001)
header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120 + len(code), 120 + len(code), 0x10000)
open(sys.argv[1], "wb").write(header + segment + code)
os.chmod(sys.argv[1], 0o755)
END
}

@test "files are copied for several platforms without an emulator, into one index" {
  printf 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /\n' >src/Dockerfile
  echo one >src/amd64
  echo two >src/arm64
  make_request '.targets[0].output = "out"' '.output.format = "oci"' \
    '.platforms = [{platform: "linux/amd64"}, {platform: "linux/arm64"}]' | oci-solve --engine native >result
  index=out/image/blobs/sha256/$(jq -r '.manifests[0].digest | ltrimstr("sha256:")' out/image/index.json)
  [ "$(jq -c '[.manifests[].platform | .os + "/" + .architecture]' "$index")" = '["linux/amd64","linux/arm64"]' ]
  for entry in 0:amd64 1:arm64; do
    manifest=out/image/blobs/sha256/$(jq -r ".manifests[${entry%:*}].digest | ltrimstr(\"sha256:\")" "$index")
    layer=out/image/blobs/sha256/$(jq -r '.layers[0].digest | ltrimstr("sha256:")' "$manifest")
    [ "$(tar -tzf "$layer")" = "${entry#*:}" ]
  done
}

# build_for_arm64 COMMANDS INSTRUCTION...: runs these commands, which may register programs at /mnt, then a build whose
# image holds /program, with these instructions. It must fail; what it said is in the file `said`. A user namespace has
# registrations of its own (Linux 6.7): those of the machine make no difference, and nobody else's programs are concerned.
build_for_arm64() {
  local pid i status=0
  write_arm64_program src/program
  printf '%s\n' 'FROM scratch' 'COPY program /' "${@:2}" >src/Dockerfile
  make_request '.platforms = [{platform: "linux/arm64"}]' >request
  {
    echo 'mount -t binfmt_misc none /mnt || exit 77'
    echo "$1"
    echo 'exec oci-solve --engine native <request >said 2>&1'
  } >inside
  mkfifo mapped
  unshare --user --mount sh -c 'read -r line <mapped && exec sh inside' 3>&- &
  pid=$!
  for ((i = 0; i < 100; i++)); do [ "$(readlink "/proc/$pid/ns/user")" = "$(readlink /proc/self/ns/user)" ] || break; sleep 0.05; done
  echo '0 0 65536' >"/proc/$pid/uid_map"
  echo '0 0 65536' >"/proc/$pid/gid_map"
  echo >mapped
  wait "$pid" || status=$?
  [ "$status" -ne 77 ] || skip 'this kernel has no binfmt_misc in user namespaces'
  [ "$status" -eq 1 ] || { cat said; return 1; }
}

@test "a foreign program that nothing runs fails with what to do" {
  build_for_arm64 '' 'RUN ["/program"]'
  grep -q "register QEMU with the kernel's binfmt_misc, or put a static QEMU on PATH as buildkit-qemu-aarch64" said
}

@test "a QEMU that is named as BuildKit names it runs foreign programs" {
  command -v qemu-aarch64-static >/dev/null || skip 'needs qemu-user-static'
  mkdir programs
  cp "$(command -v qemu-aarch64-static)" programs/buildkit-qemu-aarch64
  # shellcheck disable=SC2016  # for the shell inside
  build_for_arm64 'PATH=$PWD/programs:$PATH' 'ENV PATH=/none:/' 'RUN ["program"]'
  grep -q 'exit code: 42$' said
}

@test "a QEMU that is registered with the kernel runs foreign programs" {
  command -v qemu-aarch64-static >/dev/null || skip 'needs qemu-user-static'
  # shellcheck disable=SC2016  # for the shell inside
  build_for_arm64 '
zeros="\x00\x00\x00\x00\x00\x00\x00"
printf "%s" ":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00$zeros\x02\x00\xb7\x00:" \
  "\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:" \
  "$(command -v qemu-aarch64-static):F" >/mnt/register' 'RUN ["/program"]'
  grep -q 'process "/program" did not complete successfully: exit code: 42$' said
}
