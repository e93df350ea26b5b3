"""A registry on the loopback interface that serves one image and does else what a test says.

Registry(name).first is a function of a Request that returns an Answer, or None to be served the image: what there is
by its digest, and `root` by the tag 1 or latest.
"""
import gzip
import hashlib
import http.server
import io
import json
import socket
import tarfile
import threading
import urllib.parse

OCI = "application/vnd.oci.image."
MANIFEST, INDEX, CONFIG = OCI + "manifest.v1+json", OCI + "index.v1+json", OCI + "config.v1+json"
LAYER = OCI + "layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
HOST = {"architecture": "amd64", "os": "linux"}


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Answer:
    """`body` is sent in one piece with its length, unless `chunked`, or `length` names another, or is "none"; after
    `cut` bytes the connection ends. `drop`: it ends without an answer."""

    def __init__(self, status=200, headers=(), body=b"", chunked=False, length=None, cut=None, drop=False):
        self.status, self.headers = status, list(dict(headers).items())
        self.body = body.encode() if isinstance(body, str) else body
        self.chunked, self.length, self.cut, self.drop = chunked, length, cut, drop


class Request:
    def __init__(self, method, target, headers, body, number):
        self.method, self.target, self.headers, self.number = method, target, headers, number
        self.path, _, self.query = target.partition("?")
        self.parameters = urllib.parse.parse_qs(self.query, keep_blank_values=True)
        self.form = urllib.parse.parse_qs(body.decode(), keep_blank_values=True)
        self.login = headers.get("Authorization", "")
        self.kind = "manifest" if "/manifests/" in self.path else "blob" if "/blobs/" in self.path else "other"

    def is_for(self, what):
        """`what` is a method, a kind, or both with a blank between."""
        return all(word in (self.method, self.kind) for word in what.split())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self):
        registry = self.server.registry
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with registry.lock:
            key = (self.command, self.path)
            number = registry.seen[key] = registry.seen.get(key, -1) + 1
            request = Request(self.command, self.path, self.headers, body, number)
            answer = registry.first(request) if registry.first else None
            answer = answer or registry.serve(request)
        if answer.drop:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif answer.length != "none":
            self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
        if answer.length == "none" or answer.cut is not None or answer.length is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        content = answer.body[:answer.cut] if answer.cut is not None else answer.body
        if answer.chunked:
            content = b"".join(b"%x\r\n%s\r\n" % (len(content[i:i + 100]), content[i:i + 100])
                               for i in range(0, len(content), 100)) + b"0\r\n\r\n"
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests


class Server6(Server):
    address_family = socket.AF_INET6


class Registry:
    def __init__(self, name, address="127.0.0.1"):
        self.lock, self.seen = threading.RLock(), {}
        self.first = None
        self.files = {}  # digest: content
        self.types = {}  # digest: media type
        self.name = name
        self.root = self.add_image()
        self.server = (Server6 if ":" in address else Server)((address, 0), Handler)
        self.server.registry = self
        self.port = self.server.server_port
        self.host = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, content, media_type, **more):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = sha256(content)
        self.files[digest], self.types[digest] = content, media_type
        return {"mediaType": media_type, "digest": digest, "size": len(content), **more}

    def add_image(self, text="", platform=HOST, config_type=CONFIG, **more):
        """An image of one file that holds `text` and the name of the test, which no other test has."""
        data, layer = f"{self.name} {text}\n".encode() * 50, io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tar:
            member = tarfile.TarInfo("file")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        config = {**platform, "config": {}, "rootfs": {"type": "layers", "diff_ids": [sha256(layer.getvalue())]}}
        self.layer = self.add(gzip.compress(layer.getvalue(), mtime=0), LAYER)
        return self.add({"schemaVersion": 2, "mediaType": MANIFEST, "config": self.add(config, config_type),
                         "layers": [self.layer]}, MANIFEST, **more)

    def add_index(self, *manifests, **more):
        return self.add({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}, INDEX, **more)

    def serve(self, request):
        name = request.path.rsplit("/", 1)[1]
        digest = self.root["digest"] if name in ("1", "latest") else name
        content = self.files.get(digest)
        if content is None or request.kind == "other":
            return Answer(404, {"Content-Type": "application/json"}, '{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
        is_blob = request.kind == "blob"
        answer = Answer(200, {"Content-Type": "application/octet-stream" if is_blob else self.types[digest],
                              "Docker-Content-Digest": digest}, content)
        offset = request.headers.get("Range", "")
        if is_blob and offset.startswith("bytes="):
            start = int(offset[6:].split("-")[0])
            answer.status, answer.body = 206, content[start:]
            answer.headers.append(("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"))
        return answer

    def changed(self, request, headers=None, **changes):
        """What serve() answers, with some of it in another way; a header of None is left out."""
        answer = self.serve(request)
        for name, value in (headers or {}).items():
            answer.headers = [field for field in answer.headers if field[0] != name] + \
                ([(name, value)] if value is not None else [])
        for name, value in changes.items():
            setattr(answer, name, value)
        return answer
