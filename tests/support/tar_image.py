#!/usr/bin/python3
"""Makes an OCI layout out of a description, with layers as wrong as a test needs.

usage: tar_image.py LAYOUT <DESCRIPTION

One statement a line, words quoted as in a shell; {TEXT*N} in a word is TEXT N times.

  layer [gzip|zstd|none]        begins the next layer (default gzip)
  file PATH [CONTENT] [FIELD]   members; FIELDs are mode= uid= gid= mtime= size= (the size that
  dir PATH [FIELD]                the header tells), kind= (the typeflag) and pax:KEY=VALUE
  symlink PATH TARGET [FIELD]
  link PATH TARGET [FIELD]
  char|block PATH MAJOR MINOR [FIELD]
  fifo PATH [FIELD]
  bytes TEXT                    as they stand, into the tar
  zeros COUNT                   so many zero bytes
  repeat COUNT                  what the layer holds so far, so many times, compressed once and written
                                again and again; must come last in its layer
  cut COUNT                     takes the last bytes of the compressed layer away
  tar FILE                      a ready tar as this layer
  lie diff-id|digest|size       about this layer
  config JSON                   of the image: its "config"
"""
import gzip
import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
import sys

KINDS = {"file": "0", "link": "1", "symlink": "2", "char": "3", "block": "4", "dir": "5", "fifo": "6"}


def octal(value, size):
    if 0 <= value < 8 ** (size - 1):
        return b"%0*o\0" % (size - 1, value)
    number = value.to_bytes(size, "big", signed=True)
    return bytes([number[0] | 0x80]) + number[1:]


def padded(content):
    return content + bytes(-len(content) % 512)


def header(path, kind, size, target=b"", mode=0o644, uid=0, gid=0, mtime=0, major=0, minor=0):
    block = bytearray(512)
    block[0 : min(100, len(path))] = path[:100]
    block[100:108] = octal(mode, 8)
    block[108:116] = octal(uid, 8)
    block[116:124] = octal(gid, 8)
    block[124:136] = octal(size, 12)
    block[136:148] = octal(mtime, 12)
    block[148:156] = b" " * 8
    block[156] = ord(kind)
    block[157 : 157 + min(100, len(target))] = target[:100]
    block[257:265] = b"ustar\00000"
    block[329:337] = octal(major, 8)
    block[337:345] = octal(minor, 8)
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax_record(key, value):
    length = len(key) + len(value) + 3
    while length != len(b"%d %s=%s\n" % (length, key, value)):
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def member(kind, words):
    fields = {}
    records = []
    plain = []
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("pax:") and equals:
            records.append((name[4:].encode(), os.fsencode(value)))
        elif equals and name in ("mode", "uid", "gid", "mtime", "size", "kind"):
            fields[name] = value
        else:
            plain.append(os.fsencode(word))
    path, rest = plain[0], plain[1:]
    content = rest[0] if kind == "file" and rest else b""
    target = rest[0] if kind in ("symlink", "link") else b""
    major, minor = (int(rest[0]), int(rest[1])) if kind in ("char", "block") else (0, 0)
    if len(path) > 100:
        records.append((b"path", path))
    if len(target) > 100:
        records.append((b"linkpath", target))
    extended = b""
    if records:
        body = b"".join(pax_record(key, value) for key, value in records)
        extended = header(b"pax", "x", len(body)) + padded(body)
    mode = int(fields.get("mode", "755" if kind == "dir" else "644"), 8)
    numbers = {name: int(fields[name]) for name in ("uid", "gid", "mtime") if name in fields}
    size = int(fields.get("size", len(content)))
    block = header(path, fields.get("kind", KINDS[kind]), size, target, mode, major=major, minor=minor, **numbers)
    return extended + block + padded(content)


def compress(data, compression):
    if compression == "gzip":
        return gzip.compress(data, mtime=0)
    if compression == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


class Layer:
    def __init__(self, compression):
        self.compression = compression
        self.data = b""
        self.repeat = None
        self.cut = 0
        self.lies = set()

    def write(self, blobs):
        """Stores the layer; gives its descriptor and its diff ID."""
        data = self.data if self.repeat else self.data + bytes(1024)
        diff_id = hashlib.sha256(data).hexdigest()
        blob = compress(data, self.compression) * (self.repeat or 1)
        if self.cut:
            blob = blob[: -self.cut]
        digest = hashlib.sha256(blob).hexdigest()
        size = len(blob)
        if "digest" in self.lies:
            digest = hashlib.sha256(b"another").hexdigest()
        if "size" in self.lies:
            size += 1
        if "diff-id" in self.lies:
            diff_id = hashlib.sha256(b"another").hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(blob)
        suffix = "" if self.compression == "none" else "+" + self.compression
        kind = "application/vnd.oci.image.layer.v1.tar" + suffix
        return {"mediaType": kind, "digest": "sha256:" + digest, "size": size}, "sha256:" + diff_id


def store(blobs, kind, document):
    data = json.dumps(document).encode()
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as file:
        file.write(data)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}


def main():
    layout = sys.argv[1]
    layers = []
    config = {}
    for line in sys.stdin:
        words = [
            re.sub(r"\{([^{}]*)\*(\d+)\}", lambda match: match[1] * int(match[2]), word)
            for word in shlex.split(line, comments=True)
        ]
        if not words:
            continue
        statement, *words = words
        if statement == "layer":
            layers.append(Layer(words[0] if words else "gzip"))
        elif statement in KINDS:
            layers[-1].data += member(statement, words)
        elif statement == "bytes":
            layers[-1].data += os.fsencode(words[0])
        elif statement == "zeros":
            layers[-1].data += bytes(int(words[0]))
        elif statement == "repeat":
            layers[-1].repeat = int(words[0])
        elif statement == "cut":
            layers[-1].cut = int(words[0])
        elif statement == "tar":
            with open(words[0], "rb") as file:
                layers[-1].data = file.read()
        elif statement == "lie":
            layers[-1].lies.add(words[0])
        elif statement == "config":
            config = json.loads(words[0])
        else:
            sys.exit(f"unknown statement: {statement}")

    blobs = os.path.join(layout, "blobs", "sha256")
    os.makedirs(blobs)
    written = [layer.write(blobs) for layer in layers]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    oci = "application/vnd.oci.image."
    config_blob = store(
        blobs,
        oci + "config.v1+json",
        {
            "architecture": machine,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in written]},
        },
    )
    manifest = store(
        blobs,
        oci + "manifest.v1+json",
        {
            "schemaVersion": 2,
            "mediaType": oci + "manifest.v1+json",
            "config": config_blob,
            "layers": [descriptor for descriptor, _ in written],
        },
    )
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(os.path.join(layout, "index.json"), "w") as file:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
    with open(os.path.join(layout, "oci-layout"), "w") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)


if __name__ == "__main__":
    main()
