#!/usr/bin/env python3
"""Compares what two engines say of one build beside its image.

Usage: compare_attestations.py BUILDKIT NATIVE

Each is an OCI layout directory. Prints every difference that is not argued below, and fails if there is one.
"""
import json
import re
import sys

# Fields that may differ: the place, who has it ("both", "buildkit" or "native") and why.
ARGUED = [
    (r"runDetails\.metadata\.(invocationId|startedOn|finishedOn)", "both", "of each build anew"),
    (r"metadata\.(buildInvocationID|buildStartedOn|buildFinishedOn)", "both", "of each build anew"),
    (r".*\.dockerfileVersion", "buildkit", "the version of BuildKit's frontend, which was not used"),
    (r".*\.compatibilityVersion", "buildkit", "a switch of BuildKit's solver"),
    (r".*\.digestMapping", "buildkit", "digests of vertices of BuildKit's own graph"),
    (r".*\.infos\.\d+\.llbDefinition", "buildkit", "how BuildKit's frontend loads the Dockerfile"),
    (r".*\.source\.attrs\.(local|oci)\..*", "buildkit", "how BuildKit's client finds files"),
    (r".*\.source\.attrs", "buildkit", "the same, where there is nothing else"),
    (r".*\.exec\.meta\.removeMountStubsRecursive", "buildkit", "a switch of BuildKit's executor"),
    (r".*\.exec\.meta\.proxy_env(\..*)?", "buildkit", "may hold what logs in at a proxy"),
    (r".*\.layers\.step\d+:0", "one", "BuildKit has those that some export has brought into its cache"),
    (r".*\.layers\..*\.(digest|size)", "both", "gzip and isa-l compress the same layer differently"),
    (r".*\.locations\.step\d+(\..*)?", "any", "an op of several stages has one place here, and sources have theirs;"
     " compare_places looks at them"),
    (r"(.*\.)?creationInfo\.creators\.\d+", "tool", "each engine names itself last"),
    (r".*\.comment", "layer", "the digest of a layer, compressed differently"),
]


def blob(layout, digest):
    with open(f"{layout}/blobs/{digest.replace(':', '/')}", "rb") as file:
        return json.load(file)


def differences(path, one, other):
    if type(one) is not type(other):
        yield path, one, other
    elif isinstance(one, dict):
        for key in sorted(one.keys() | other.keys()):
            where = f"{path}.{key}" if path else key
            if key not in other:
                yield where, one[key], None
            elif key not in one:
                yield where, None, other[key]
            else:
                yield from differences(where, one[key], other[key])
    elif isinstance(one, list):
        for index in range(max(len(one), len(other))):
            where = f"{path}.{index}"
            if index >= len(other):
                yield where, one[index], None
            elif index >= len(one):
                yield where, None, other[index]
            else:
                yield from differences(where, one[index], other[index])
    elif one != other:
        yield path, one, other


def is_argued(path, one, other):
    for pattern, who, _ in ARGUED:
        if not re.fullmatch(pattern, path):
            continue
        if who == "any":
            return True
        if who == "both" and one is not None and other is not None:
            return True
        if who == "one" and (one is None or other is None):
            return True
        if who == "buildkit" and other is None:
            return True
        if who == "tool" and all(re.fullmatch(r"Tool: (buildkit|oci-build)-.*", str(each)) for each in (one, other)):
            return True
        if who == "layer" and all(str(each).startswith("layerID: sha256:") for each in (one, other)):
            return True
    return False


def lines_of(place):
    return {
        item["start"]["line"]
        for location in place.get("locations", [])
        for item in location.get("ranges", [])
    }


def compare_places(one, other):
    """Each place here is one of BuildKit's, which has none for sources."""
    for step, place in other.items():
        lines = lines_of(one.get(step, {}))
        if lines and not lines_of(place) <= lines:
            yield f"locations.{step}", one.get(step), place


def places_of(predicate):
    for path in (("runDetails", "metadata", "buildkit_metadata"), ("metadata", "https://mobyproject.org/buildkit@v1#metadata")):
        value = predicate
        for name in path:
            value = value.get(name, {})
        if "source" in value:
            return value["source"]["locations"]
    return {}


def said_of(layout):
    """The index without digests, and for each image its statements in their order."""
    entry = json.load(open(f"{layout}/index.json"))["manifests"][0]
    index = blob(layout, entry["digest"])
    images = {}
    shape = []
    for manifest in index["manifests"]:
        about = manifest.get("annotations", {}).get("vnd.docker.reference.digest")
        if about is None:
            images[manifest["digest"]] = manifest["platform"]
            shape.append({"mediaType": manifest["mediaType"], "platform": manifest["platform"]})
            continue
        document = blob(layout, manifest["digest"])
        assert document["subject"]["digest"] == about, "the subject is another image than the annotation says"
        statements = [blob(layout, layer["digest"]) for layer in document["layers"]]
        for layer, statement in zip(document["layers"], statements):
            assert layer["annotations"]["in-toto.io/predicate-type"] == statement["predicateType"]
        del document["subject"]["digest"], document["subject"]["size"]
        for layer in document["layers"]:
            del layer["digest"], layer["size"]
        manifest["annotations"]["vnd.docker.reference.digest"] = images[about]
        del manifest["digest"], manifest["size"]
        shape.append({"entry": manifest, "document": document, "statements": statements})
    return {"annotations": index.get("annotations"), "manifests": shape}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    one, other = (said_of(layout) for layout in sys.argv[1:])
    left = []
    for first, second in zip(one["manifests"], other["manifests"]):
        firsts, seconds = first.pop("statements", []), second.pop("statements", [])
        left += list(differences("", first, second))
        if len(firsts) != len(seconds):
            left.append(("statements", len(firsts), len(seconds)))
        for here, there in zip(firsts, seconds):
            predicates = here.pop("predicate"), there.pop("predicate")
            left += list(differences("", here, there))
            found = differences("", *predicates)
            left += [each for each in found if not is_argued(*each)]
            left += list(compare_places(*(places_of(each) for each in predicates)))
    left += list(differences("index", len(one["manifests"]), len(other["manifests"])))
    left += list(differences("annotations", one["annotations"], other["annotations"]))
    for path, here, there in left:
        print(f"{path}:\n  buildkit: {json.dumps(here)}\n  native:   {json.dumps(there)}")
    sys.exit(1 if left else 0)


main()
