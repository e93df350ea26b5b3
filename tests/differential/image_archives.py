"""Images as builds leave them, an archive as `docker save` makes it or an OCI layout, and what two of them differ in."""
import functools
import gzip
import hashlib
import io
import json
import pathlib
import tarfile

FIELDS = ("type", "mode", "uid", "gid", "size", "mtime", "linkname", "uname", "gname", "devmajor", "devminor")


def unzip(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


class Archive:
    def __init__(self, path):
        self.file = tarfile.open(path)

    def read(self, name):
        return self.file.extractfile(name).read()

    def names(self):
        return sorted(self.file.getnames())


class Layout:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def read(self, name):
        return (self.path / name).read_bytes()

    def names(self):
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*"))


class Image:
    """One image of those that were built: the text of its config, its layers and its manifest's annotations."""

    def __init__(self, read, manifest):
        self.read = read
        self.config = self.blob(manifest["config"]).decode()
        self.annotations = manifest.get("annotations")
        self.layers = manifest["layers"] or []

    def blob(self, descriptor):
        return self.read("blobs/" + descriptor["digest"].replace(":", "/"))

    def layer(self, index):
        return unzip(self.blob(self.layers[index]))

    def diff_ids(self):
        return json.loads(self.config)["rootfs"]["diff_ids"] or []


class Output:
    """What a build leaves at a path: `images` by platform, or one under "", and the `documents` around them."""

    def __init__(self, path):
        self.is_layout = pathlib.Path(path).is_dir()
        files = Layout(path) if self.is_layout else Archive(path)
        self.read, self.images = files.read, {}
        self.documents = {"index.json": self.described(json.loads(self.read("index.json")), ""),
                          "oci-layout": self.read("oci-layout").decode(),
                          "files": [name for name in files.names() if not name.startswith("blobs")]}
        if "manifest.json" in self.documents["files"]:
            self.documents["manifest.json"] = [self.described_by_docker(image) for image in json.loads(self.read("manifest.json"))]

    def described(self, document, platform):
        """A document with what its descriptors stand for in place of their digests and sizes, which depend on who
        compresses the layers."""
        if "manifests" in document:
            entries = []
            for entry in document["manifests"]:
                target = json.loads(self.read("blobs/" + entry["digest"].replace(":", "/")))
                where = "/".join(filter(None, entry.get("platform", {}).values())) or platform
                entries.append({**self.without_digest(entry), "is": self.described(target, where)})
            return {**document, "manifests": entries}
        image = Image(self.read, document)
        self.images[platform if platform not in self.images else f"{platform} {len(self.images)}"] = image
        layers = [{**self.without_digest(layer), "is": diff_id} for layer, diff_id in zip(image.layers, image.diff_ids())]
        return {**document, "config": self.without_digest(document["config"]), "layers": document["layers"] and layers}

    def described_by_docker(self, entry):
        """An entry of manifest.json, with what its files are in place of their names."""
        image = next(iter(self.images.values()))
        names = ["blobs/" + layer["digest"].replace(":", "/") for layer in image.layers]
        return {**entry, "Config": self.read(entry["Config"]).decode() == image.config,
                "Layers": entry["Layers"] and entry["Layers"] == names}

    @staticmethod
    def without_digest(descriptor):
        kept = {key: value for key, value in descriptor.items() if key not in ("digest", "size")}
        # BuildKit's note to itself on a layer whose times it has rewritten.
        kept["annotations"] = {key: value for key, value in kept.get("annotations", {}).items()
                               if key != "buildkit/rewritten-timestamp"}
        return kept

    @functools.cached_property
    def config(self):
        """The configs, one a line."""
        return "\n".join(image.config for image in self.images.values())

    @property
    def annotations(self):
        return next(iter(self.images.values())).annotations


def entries(layer):
    """Every entry of a layer with its fields, in order."""
    archive = tarfile.open(fileobj=io.BytesIO(layer))
    for member in archive:
        fields = {field: getattr(member, field) for field in FIELDS}
        fields["extended header"] = dict(sorted(member.pax_headers.items()))
        content = archive.extractfile(member) if member.isreg() else None
        fields["content"] = hashlib.sha256(content.read()).hexdigest() if content else None
        yield member.name, fields


def layer_differences(one, other):
    left, right = list(entries(one)), list(entries(other))
    for index in range(max(len(left), len(right))):
        if index >= len(left):
            return [f"entry {right[index][0]!r} is missing"]
        if index >= len(right):
            return [f"entry {left[index][0]!r} is too much"]
        (name, fields), (other_name, other_fields) = left[index], right[index]
        if name != other_name:
            return [f"entry {index} is {name!r}, not {other_name!r}"]
        if fields != other_fields:
            return [f"{name!r}: {field} is {fields[field]!r}, not {other_fields[field]!r}"
                    for field in fields if fields[field] != other_fields[field]]
    for offset, (a, b) in enumerate(zip(one, other)):
        if a != b:
            return [f"the same entries, but byte {offset} is {a:#04x}, not {b:#04x}"]
    return [f"the same entries, but {len(one)} bytes, not {len(other)}"]


def json_differences(path, one, other):
    if one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key) or (key in one) != (key in other):
                found += json_differences(f"{path}.{key}", one.get(key), other.get(key))
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [line for i, (a, b) in enumerate(zip(one, other)) if a != b
                for line in json_differences(f"{path}[{i}]", a, b)]
    return [f"{path} is {json.dumps(one)}, not {json.dumps(other)}"]


def image_differences(image, other):
    found = []
    ids, other_ids = image.diff_ids(), other.diff_ids()
    if len(ids) != len(other_ids):
        found.append(f"{len(ids)} layers, not {len(other_ids)}")
    for index, (a, b) in enumerate(zip(ids, other_ids)):
        if a != b:
            found += [f"layer {index}: {line}" for line in layer_differences(image.layer(index), other.layer(index))]
            break
    if image.config != other.config:
        one, two = json.loads(image.config), json.loads(other.config)
        one.pop("rootfs"), two.pop("rootfs")
        found += json_differences("config", one, two)
        if not found:
            found.append(f"config is spelled {image.config}, not {other.config}")
    return found + json_differences("annotations", image.annotations, other.annotations)


def differences(output, other):
    """The first difference of two outputs in each respect, as lines."""
    found = []
    if list(output.images) != list(other.images):
        found.append(f"images are of {list(output.images)}, not of {list(other.images)}")
    for platform in output.images.keys() & other.images.keys():
        where = f"{platform}: " if platform else ""
        found += [where + line for line in image_differences(output.images[platform], other.images[platform])]
    return found + json_differences("layout", output.documents, other.documents)
