"""What registries and web servers do, a row each; see registries. What they do about logins is in login_rows.

A row is made by row(NAME, WANT, ...): WANT is "pulled" or "refused", what the native engine is to do. BuildKit does
the same, unless `argued` gives the reason why it does not.
"""
import dataclasses
import functools
import gzip
import hashlib
import json
import typing
import zlib

from scripted_registry import DOCKER_INDEX, DOCKER_MANIFEST, HOST, INDEX, MANIFEST, Answer, Registry, sha256

ROWS = []
PATIENT = "the native engine goes on asking where BuildKit gives up"
KIND = "a digest says what an image is; a Content-Type that names no other kind of document says nothing against it"
ANY = {"architecture": "arm64", "os": "linux"}


@dataclasses.dataclass
class Row:
    name: str
    want: str
    prepare: typing.Callable = lambda registry: None  # may return what Registry.first is to be
    config: typing.Callable = None  # registry: what stands in config.json
    helpers: typing.Callable = lambda registry: {}  # docker-credential-NAME: shell script
    dockerfile: typing.Callable = lambda registry: f"FROM {registry.host}/app:1\n"
    says: str = ""  # in the native engine's message
    argued: str = ""
    address: str = "127.0.0.1"


def row(name, want, *rest, **more):
    ROWS.append(Row(name, want, *rest, **more))


def first(function):
    """A prepare() for a function of the registry and a request."""
    return lambda registry: functools.partial(function, registry)


def on(what, answer, times=None):
    """Answers what `what` is for, a method or a kind of path, the first `times` times."""
    def answer_it(registry, request):
        if request.is_for(what) and (times is None or request.number < times):
            return answer(registry, request) if callable(answer) else answer
    return first(answer_it)


def changed(what, headers=None, **changes):
    return on(what, lambda registry, request: registry.changed(request, headers, **changes))


def refusal(status, text):
    return Answer(status, {"Content-Type": "application/json"}, json.dumps({"errors": [{"message": text}]}))


# Statuses by method.
row("plain", "pulled")
for status in (405, 501, 400, 403):
    row(f"HEAD is answered {status}", "pulled", on("HEAD", Answer(status)),
        argued="" if status == 405 else "GET says what HEAD could not; no other reader of the answer is misled")
row("HEAD and GET are answered 403", "refused",
    on("manifest", lambda registry, request: refusal(403, "no such address")), says="403 (no such address)")
row("HEAD is answered 404", "refused", on("HEAD", Answer(404)), says="answered 404: not found")
row("HEAD is answered 401 without a challenge", "refused", on("HEAD", Answer(401)), says="401")
row("HEAD is answered 410", "refused", on("HEAD", Answer(410)), says="410")
for status in (408, 429, 500, 503, 504):
    row(f"HEAD is answered {status} once", "pulled", on("HEAD", Answer(status, {"Retry-After": "0"}), 1))
row("HEAD is answered 502 once", "pulled", on("HEAD", Answer(502), 1), argued=PATIENT)
row("HEAD is answered 503 twice", "pulled", on("HEAD", Answer(503), 2), argued=PATIENT)
row("HEAD is not answered once", "pulled", on("HEAD", Answer(drop=True), 1))
for kind in ("manifest", "blob"):
    for status in (403, 404):
        row(f"GET of a {kind} is answered {status}", "refused", on(f"GET {kind}", Answer(status)), says=str(status))
    for status in (429, 500, 502):
        row(f"GET of a {kind} is answered {status} once", "pulled", on(f"GET {kind}", Answer(status), 1))
row("GET of a blob is cut once", "pulled", first(
    lambda registry, request: registry.changed(request, cut=50)
    if request.is_for("GET blob") and request.number == 0 and registry.layer["digest"] in request.path else None))
row("GET of a blob is cut once and knows no ranges", "pulled", first(
    lambda registry, request: Answer(200, {}, registry.files[registry.layer["digest"]],
                                     cut=50 if request.number == 0 else None)
    if request.is_for("GET blob") and registry.layer["digest"] in request.path else None))

# What a HEAD says.
row("HEAD gives no digest", "pulled", changed("manifest", {"Docker-Content-Digest": None}))
row("HEAD gives no length", "pulled", changed("HEAD", length="none"))
row("HEAD gives neither", "pulled", changed("HEAD", {"Docker-Content-Digest": None}, length="none"))
row("HEAD gives a wrong length", "pulled", changed("HEAD", length=7), argued="the digest is what counts")
row("HEAD gives a digest in upper case", "refused",
    first(lambda registry, request: registry.changed(
        request, {"Docker-Content-Digest": "sha256:" + registry.root["digest"][7:].upper()})
        if request.is_for("HEAD") else None))
row("HEAD gives what is no digest", "refused", changed("HEAD", {"Docker-Content-Digest": "sha256:abc"}))
row("HEAD gives another digest", "refused", changed("HEAD", {"Docker-Content-Digest": sha256(b"other")}))
row("HEAD and GET give another digest", "refused",
    changed("manifest", {"Docker-Content-Digest": sha256(b"other")}))



def sha512(registry):
    content = registry.files[registry.root["digest"]]
    digest = "sha512:" + hashlib.sha512(content).hexdigest()
    registry.files[digest], registry.types[digest] = content, MANIFEST
    return digest


row("HEAD gives a digest of sha512", "pulled", first(
    lambda registry, request: registry.changed(request, {"Docker-Content-Digest": sha512(registry)})
    if request.is_for("HEAD") else None))
row("a digest of sha512", "refused",
    lambda registry: sha512(registry) and None,
    dockerfile=lambda registry: f"FROM {registry.host}/app@{sha512(registry)}\n", says="sha512",
    argued="the store keeps files by sha256 alone, and says so")

# Types of documents.
for given in (None, "application/json", "application/octet-stream", "text/plain", "text/html"):
    row(f"manifests have the Content-Type {given}", "pulled", changed("manifest", {"Content-Type": given}),
        argued=KIND)
row("manifests have a Content-Type with parameters", "pulled",
    changed("manifest", {"Content-Type": MANIFEST + "; charset=utf-8"}))
row("manifests have a Content-Type in upper case", "pulled",
    changed("manifest", {"Content-Type": MANIFEST.upper()}), argued=KIND)
row("manifests have the Content-Type of Docker's", "pulled",
    changed("manifest", {"Content-Type": DOCKER_MANIFEST}))
row("a manifest has the Content-Type of an index", "refused", changed("manifest", {"Content-Type": INDEX}),
    says="is an image manifest")
row("blobs have the Content-Type of a manifest", "pulled", changed("blob", {"Content-Type": MANIFEST}))


def with_root(change):
    """A prepare() that lets `change` make the document that the tag means."""
    def prepare(registry):
        registry.root = change(registry, json.loads(registry.files[registry.root["digest"]]))
    return prepare


def index_of(*platforms, named=True):
    return lambda registry, manifest: registry.add_index(
        *({**registry.add_image(str(number), platform), **({"platform": platform} if named else {})}
          for number, platform in enumerate(platforms)))


ATTESTED = {"platform": {"architecture": "unknown", "os": "unknown"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
row("a manifest does not name its type", "pulled",
    with_root(lambda registry, manifest: registry.add(
        {key: value for key, value in manifest.items() if key != "mediaType"}, MANIFEST)))
row("a manifest names the type of an index", "refused",
    with_root(lambda registry, manifest: registry.add({**manifest, "mediaType": INDEX}, MANIFEST)))
row("a manifest is an index too", "refused",
    with_root(lambda registry, manifest: registry.add({**manifest, "manifests": [registry.root]}, MANIFEST)))
row("an index", "pulled", with_root(index_of(ANY, HOST)))
row("an index has the Content-Type of Docker's", "pulled",
    lambda registry: with_root(index_of(ANY, HOST))(registry) or functools.partial(
        lambda registry, request: registry.changed(request, {"Content-Type": DOCKER_INDEX})
        if registry.root["digest"] in request.path or request.path.endswith("/1") else None, registry))
row("an index has the Content-Type of a manifest", "refused",
    lambda registry: with_root(index_of(ANY, HOST))(registry) or changed(
        "manifest", {"Content-Type": MANIFEST})(registry))
row("an index for other platforms", "refused", with_root(index_of(ANY)), says="only for linux/arm64")
row("an index of an index, with attestations", "pulled", with_root(lambda registry, manifest: registry.add_index(
    {**registry.add_image("attestation"), **ATTESTED},
    registry.add_index({**registry.add_image("arm", ANY), "platform": ANY},
                       {**registry.add_image("host"), "platform": HOST},
                       {**registry.add_image("attestation 2"), **ATTESTED}))))
row("an index of an index of the platform", "pulled", with_root(lambda registry, manifest: registry.add_index(
    {**registry.add_index({**registry.add_image("host"), "platform": HOST}), "platform": HOST})))
row("an index of two indexes of which the second is ours", "pulled", with_root(
    lambda registry, manifest: registry.add_index(
        registry.add_index({**registry.add_image("arm", ANY), "platform": ANY}),
        registry.add_index({**registry.add_image("host"), "platform": HOST}))),
    argued="BuildKit looks into the first index alone, which is a matter of order and of nothing else")
row("an index that names no platforms", "pulled", with_root(index_of(HOST, named=False)))
row("an index that names no platforms, of another one", "refused", with_root(index_of(ANY, named=False)),
    says="only for linux/arm64")
row("an index of attestations alone", "refused", with_root(lambda registry, manifest: registry.add_index(
    {**registry.add_image("attestation"), **ATTESTED})), says="holds no image")
row("an empty index", "refused", with_root(lambda registry, manifest: registry.add_index()), says="holds no image")
for config_type in ("application/vnd.cncf.helm.config.v1+json", "application/vnd.oci.empty.v1+json"):
    row(f"an artifact with a config of {config_type}", "refused",
        with_root(lambda registry, manifest, config_type=config_type: registry.add_image(
            "chart", config_type=config_type)), says=f"no image but an artifact, with a config of the type '{config_type}'")
row("a config of application/octet-stream", "pulled", with_root(
    lambda registry, manifest: registry.add_image("old", config_type="application/octet-stream")))
row("a manifest of schema 1", "refused", with_root(lambda registry, manifest: registry.add(
    {"schemaVersion": 1, "fsLayers": []}, "application/vnd.docker.distribution.manifest.v1+prettyjws")), says="schema 1")

# Bodies.
row("manifests come in chunks", "pulled", changed("manifest", chunked=True))
row("blobs come in chunks", "pulled", changed("blob", chunked=True))
row("answers end with the connection", "pulled", changed("GET", length="none"))
for kind in ("manifest", "blob"):
    row(f"a {kind} comes compressed for the way", "pulled", first(
        lambda registry, request, kind=kind: registry.changed(
            request, {"Content-Encoding": "gzip"}, status=200,
            body=gzip.compress(registry.serve(request).body)) if request.is_for(f"GET {kind}") else None))
    row(f"a {kind} has wrong bytes", "refused", first(
        lambda registry, request, kind=kind: registry.changed(
            request, body=registry.serve(request).body[:-1] + b"x") if request.is_for(f"GET {kind}") else None),
        says="do" if kind == "blob" else "does not have the digest")
row("a blob is longer than it should be", "refused", first(
    lambda registry, request: registry.changed(request, body=registry.serve(request).body + b"x")
    if request.is_for("GET blob") else None), says="more than")
row("a blob is shorter than it should be", "refused", first(
    lambda registry, request: registry.changed(request, body=registry.serve(request).body[:-1])
    if request.is_for("GET blob") else None), says="fewer than")


# Redirects.
def redirect(to, what="GET blob", status=307):
    """To what `to` makes of the registry and the request."""
    return first(lambda registry, request: Answer(status, {"Location": to(registry, request)})
                 if request.is_for(what) and not request.query.endswith("again") else None)


def to_other(registry, request):
    return registry.other.url + request.path + "?x=%2F"


def with_other(of_other, prepare):
    """`prepare` with a second server beside, which serves the same files if `of_other` has nothing to say."""
    def both(registry):
        registry.other = Registry(registry.name + " other")
        registry.other.files, registry.other.types, registry.other.root = registry.files, registry.types, registry.root
        registry.other.first = functools.partial(of_other, registry)
        return prepare(registry)
    return both


def nothing(registry, request):
    return None


for status in (301, 302, 303, 307, 308):
    row(f"a blob is redirected by {status} to a path", "pulled",
        redirect(lambda registry, request: request.path + "?again", status=status))
row("a blob is redirected to a relative path", "pulled",
    redirect(lambda registry, request: "../blobs/" + request.path.rsplit("/", 1)[1] + "?again"))
row("a blob is redirected to a URL without scheme", "pulled",
    redirect(lambda registry, request: "//" + registry.host + request.path + "?again"))
row("a blob is redirected to another port", "pulled", with_other(nothing, redirect(to_other)))
row("a manifest is redirected to another port", "pulled", with_other(nothing, redirect(to_other, "GET manifest")))
row("HEAD is redirected to another port", "pulled", with_other(nothing, redirect(to_other, "HEAD")))
row("a blob is redirected in a circle", "refused", redirect(lambda registry, request: request.path),
    says="too many redirects")
row("a blob is redirected to nowhere", "refused", on("GET blob", Answer(307)), says="307")
row("a blob is redirected to a file", "refused", redirect(lambda registry, request: "file:///etc/passwd"))


# Names and ports.
row("a registry at ::1", "pulled", address="::1")
row("a registry at 127.0.0.2", "pulled", address="127.0.0.2")
row("localhost", "pulled", dockerfile=lambda registry: f"FROM localhost:{registry.port}/app:1\n")
row("no tag", "pulled", dockerfile=lambda registry: f"FROM {registry.host}/app\n")
row("a long path", "pulled", dockerfile=lambda registry: f"FROM {registry.host}/a/b__c/d.e/f--g/app:1\n")
row("a digest", "pulled", dockerfile=lambda registry: f"FROM {registry.host}/app@{registry.root['digest']}\n")
row("a tag and a digest", "pulled",
    dockerfile=lambda registry: f"FROM {registry.host}/app:none@{registry.root['digest']}\n")
row("a digest that is not there", "refused",
    dockerfile=lambda registry: f"FROM {registry.host}/app@{sha256(b'none')}\n", says="not found")
row("a digest in upper case", "refused",
    dockerfile=lambda registry: f"FROM {registry.host}/app@sha256:{registry.root['digest'][7:].upper()}\n")
row("nobody", "refused", dockerfile=lambda registry: "FROM 127.0.0.1:1/app:1\n", says="Connection refused")


# Files from the network. No two rows have one text: BuildKit takes what it has of the same content, with its time.
def add(of_file):
    return {"prepare": first(lambda registry, request: of_file(request, registry.name.encode() * 50)),
            "dockerfile": lambda registry: f"FROM scratch\nADD {registry.url}/file /\n"}


packed = functools.partial(gzip.compress, mtime=0)
row("a file", "pulled", **add(
    lambda request, text: Answer(200, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}, text)))
row("a file compressed for those who ask", "pulled", **add(
    lambda request, text: Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(text, mtime=0))
    if request.headers.get("Accept-Encoding") == "gzip" else Answer(406)))
row("a file compressed in two members and chunks", "pulled", **add(
    lambda request, text: Answer(200, {"Content-Encoding": "GZIP"}, gzip.compress(text) * 2, chunked=True)))
for coding, encode in (("deflate", zlib.compress), ("br", bytes), ("x-gzip", packed),
                       ("gzip, gzip", packed), ("identity", bytes)):
    row(f"a file in the coding {coding}", "pulled", **add(
        lambda request, text, coding=coding, encode=encode: Answer(200, {"Content-Encoding": coding}, encode(text))))
row("a file that is compressed itself", "pulled", **add(
    lambda request, text: Answer(200, {"Content-Type": "application/gzip"}, gzip.compress(text, mtime=0))))
row("an empty file in the coding gzip", "pulled", **add(
    lambda request, text: Answer(200, {"Content-Encoding": "gzip"})))
row("a file that is not compressed but said to be", "refused", **add(
    lambda request, text: Answer(200, {"Content-Encoding": "gzip"}, text)))
row("a compressed file that is cut off", "refused", **add(
    lambda request, text: Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(text)[:-9])))
row("a file that is redirected", "pulled", **add(
    lambda request, text: Answer(200, {}, text) if request.query else Answer(302, {"Location": "file?again"})))
row("a file under another name", "pulled", **add(
    lambda request, text: Answer(200, {"Content-Disposition": 'attachment; filename="other"'}, text)))
row("a file that is not there", "refused", **add(lambda request, text: Answer(404)), says="404")
row("a file of nobody", "refused", dockerfile=lambda registry: "FROM scratch\nADD http://127.0.0.1:1/file /\n",
    says="Connection refused")
