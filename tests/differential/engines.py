"""The two engines: how they are started and asked, and what they answer."""
import contextlib
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import threading
import time

from case_files import ContextHandler
from image_archives import Output

HERE = pathlib.Path(__file__).resolve().parent
EPOCH = "1000000000"
# What no two runs of BuildKit say alike, and what each engine says to introduce a message.
UNSTABLE = [
    (re.compile(r"; set [A-Z_]+[,=\w ].*$"), ""),  # which of our parameters helps
    (re.compile(r"^error: failed to solve: |^oci-solve: "), ""),
    (re.compile(r"^Dockerfile:(\d+:)? |^dockerfile parse error on line \d+: "), ""),
    (re.compile(r" of ref \S+: "), ": "),
    (re.compile(r"/\S+/cachemounts/buildkit\d+|/\S+/snapshots/snapshots/\d+/fs|/tmp/buildkit-mount\d+"), ""),
]


class Outcome:
    """How a build ended: its output, or the reason why there is none; and what was said on the way."""

    def __init__(self, status, said, image):
        self.status = status
        self.message = reason(said) if status else ""
        self.lines = places(said) if status else []
        self.warnings = sorted(re.findall(r"^#\d+ WARN: (.*)", said, re.MULTILINE))
        self.output = Output(image) if image else None


def give_away(directory, user):
    """Gives all of it to that user, with the bits that a new owner takes away; but not repositories, which are served."""
    for path, directories, files in os.walk(os.fsencode(directory)):
        directories[:] = [name for name in directories if not name.endswith(b".git")]
        for name in [b".", *directories, *files]:
            entry = os.path.join(path, name)
            mode = os.lstat(entry).st_mode
            os.lchown(entry, user, user)
            if not stat.S_ISLNK(mode):
                os.chmod(entry, stat.S_IMODE(mode))


class Runner:
    def __init__(self, directory, buildkit_host, bases, isolation="auto"):
        self.directory = directory
        self.buildkit_host = buildkit_host
        self.isolation = isolation  # of the native engine
        self.buildkit_lock = threading.RLock()
        self.outcomes = {}  # of cases that are being judged, by engine
        (directory / "work").mkdir()
        self.own_path = f"{directory / 'bin'}:{os.environ['PATH']}"
        if buildkit_host:
            (directory / "bin").mkdir(exist_ok=True)
            client = directory / "bin" / "buildctl"
            client.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >arguments\nexec {shutil.which('buildctl')} \"$@\"\n")
            client.chmod(0o755)
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(ContextHandler, directory=str(directory / "work")))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.bases = bases or directory / "bases"
        if not bases:
            subprocess.run([HERE / "bases", self.bases], check=True)
        self.base_layers = {}
        for layout in sorted(self.bases.iterdir()):
            index = json.loads((layout / "index.json").read_text())
            manifest = self.blob(layout, index["manifests"][0])
            self.base_layers[self.blob(layout, manifest["config"])["rootfs"]["diff_ids"][0]] = f"BASE:{layout.name}"

    @staticmethod
    def blob(layout, descriptor):
        return json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_text())

    def prepare(self, case):
        """Makes the context and the request of a case; returns its directory, the request and the environment."""
        work = self.directory / "work" / case.name
        (work / "src").mkdir(parents=True)
        (work / "pre").mkdir()
        (work / "tmp").mkdir()
        address = f"http://127.0.0.1:{self.server.server_port}/{case.name}/src"
        (work / "src" / "Dockerfile").write_text(case.dockerfile().replace("@HTTP@", address))
        self.change(work, case.sections["setup"])
        dockerfile = case.dockerfile() + "\n".join(case.sections["params"])
        bases = [base.name for base in sorted(self.bases.iterdir()) if re.search(rf"(?<!odd-)\b{base.name}(?![\w-])", dockerfile)]
        environment = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(work / "tmp"),
            "CONTEXT": "src",
            "SOURCE_DATE_EPOCH": EPOCH,
            "REWRITE_TIMESTAMP": "true",
        }
        if case.twice:
            (work / "cache").mkdir()
        else:
            environment["NO_CACHE"] = "true"
        contexts = [f"{base}={self.bases / base}" for base in bases]
        for line in case.sections["params"]:
            name, value = line.split("=", 1)
            if name == "BUILD_CONTEXTS":
                contexts.append(value)
            else:
                environment[name] = value
        if contexts:
            environment["BUILD_CONTEXTS"] = "\n".join(contexts)
        request = subprocess.run(["oci-params"], cwd=work, env=environment, check=True, stdout=subprocess.PIPE)
        preloaded = subprocess.run(["oci-preload", "--work-dir", "pre"], cwd=work, env=environment, check=True,
                                   input=request.stdout, stdout=subprocess.PIPE)
        return work, json.loads(preloaded.stdout), environment

    @staticmethod
    def change(work, commands):
        subprocess.run(["bash", "-c", "set -e; umask 022\n" + "\n".join(commands)], cwd=work / "src", check=True)

    def forget(self, *kinds):
        """Forgets what BuildKit keeps, or of that only some kinds."""
        filters = [f"--filter=type=={kind}" for kind in kinds]
        subprocess.run(["buildctl", "--addr", self.buildkit_host, "prune", "--all", *filters], check=True, capture_output=True)

    def build(self, engine, work, request, environment, own_cache=False):
        """With a cache directory of its own, BuildKit begins with what the build before has put there."""
        request = json.loads(json.dumps(request))
        if engine == "buildkit":
            request["remote"] = {"host": self.buildkit_host, "ca_cert": None, "cert": None, "key": None}
            if not own_cache:
                request["cache"]["directory"] = None  # the daemon's own lasts as long
            environment = {**environment, "PATH": self.own_path}
        else:
            request["isolation"] = self.isolation
        as_user = []
        if engine == "native" and self.isolation == "copies":
            # Whoever has no rights at all.
            give_away(work, 1000)
            as_user = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
        output = work / engine
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        if as_user:
            os.chown(output, 1000, 1000)
        request["targets"][-1]["output"] = engine
        with open(work / f"{engine}.log", "w+") as log:
            done = subprocess.run([*as_user, "oci-solve", "--engine", engine], cwd=work, env=environment, stderr=log,
                                  stdout=subprocess.PIPE, input=json.dumps(request), text=True)
            log.seek(0)
            said = log.read()
        if done.returncode:
            return Outcome(done.returncode, said, None)
        return Outcome(0, said, work / json.loads(done.stdout)["targets"][-1]["image"])

    @contextlib.contextmanager
    def remembering(self, case):
        """While this lasts, the second build of a case finds what the first has left and nothing else."""
        if case.twice and self.buildkit_host:
            with self.buildkit_lock:
                self.forget()
                yield
        else:
            yield

    def build_by_buildkit(self, case, work, request, environment):
        """A context is sent as changes to the one sent before, which leaves times and modes of that one; a commit is checked
        out once for all repositories that hold it; a cache mount is that of all builds."""
        with self.buildkit_lock:
            if not case.twice:
                self.forget("source.local", "source.git.checkout", "exec.cachemount")
            outcome = self.build("buildkit", work, request, environment)
            # Its client lost the answer, or a base on the way, as it does now and then.
            if re.search(r"\(buildctl exited with|failed to copy: unsupported offset", outcome.message):
                outcome = self.build("buildkit", work, request, environment)
            # What history says of layers depends on what other builds have used of them.
            if not case.twice and outcome.output and "pulled from " in outcome.output.config:
                self.forget()
                outcome = self.build("buildkit", work, request, environment)
        return outcome

    def lint(self, work, environment):
        """All warnings of the build that BuildKit's client was run for last, by the wrapper that keeps its arguments.
        Those that it shows while it builds get lost where it is over at once."""
        arguments = (work / "arguments").read_text().split("\0")[:-1]
        output = arguments.index("--output")
        arguments[output:output + 2] = ["--opt", "requestid=frontend.lint"]
        # Without a target that request is about all stages, also those that the build passes over.
        dockerfile = work / "src" / "Dockerfile"
        text = dockerfile.read_bytes() if dockerfile.is_file() else b""
        last = re.findall(rb"^[ \t]*FROM[ \t].*", text, re.MULTILINE | re.IGNORECASE)[-1:]
        if last and not any(argument.startswith("target=") for argument in arguments):
            name = re.search(rb"\sAS[ \t]+(\S+)[ \t]*$", last[0], re.IGNORECASE)
            if not name:
                before, _, after = text.rpartition(last[0])
                keyword = b" as " if last[0].split()[0].islower() else b" AS "
                dockerfile.write_bytes(before + last[0].rstrip() + keyword + b"last-of-all" + after)
            arguments += ["--opt", f"target={name[1].decode() if name else 'last-of-all'}"]
        said = subprocess.run(["buildctl", *arguments], cwd=work, env=environment, capture_output=True, text=True).stdout
        if text:
            dockerfile.write_bytes(text)
        found = re.findall(r"^WARNING: (\w+).*\n(.*)\n\S+?:(\d+)$", said, re.MULTILINE)
        return sorted(f"{rule}: {text} (line {line})" for rule, text, line in found)

    def recordable(self, outcome):
        """What is recorded of an outcome, as it is on every machine."""
        result = {"status": outcome.status, "message": self.portable(outcome.message), "lines": outcome.lines,
                  "warnings": list(map(self.portable, outcome.warnings)), "config": None}
        if outcome.output:
            result["config"] = self.portable(outcome.output.config)
            if outcome.output.annotations:
                result["annotations"] = outcome.output.annotations
            if outcome.output.is_layout:
                result["documents"] = json.loads(self.portable(json.dumps(outcome.output.documents)))
        return result

    def portable(self, config):
        """The config with names in place of the base layers, which depend on the busybox of the machine."""
        for diff_id, name in self.base_layers.items():
            config = config.replace(diff_id, name)
        # BuildKit names one of the images that have the layer, with a digest that depends on that too.
        config = re.sub(r"pulled from \S+@sha256:[0-9a-f]{64}", "pulled from IMAGE", config)
        return config.replace(f"http://127.0.0.1:{self.server.server_port}/", "http://HOST/")


def reason(log):
    """The sentence that says why a build failed."""
    lines = [line for line in log.splitlines() if line.strip()]
    solved = [line for line in lines if line.startswith("error: failed to solve: ")]
    own = [line for line in lines if line.startswith("oci-solve: ") and not re.match("oci-solve: (engine|warning): ", line)]
    said = (solved or own or [""])[0]
    for pattern, replacement in UNSTABLE:
        said = pattern.sub(replacement, said)
    return said


def places(log):
    """The lines of the Dockerfile that a failed build marks."""
    return [int(line) for line in re.findall(r"^(?:oci-solve: )? *(\d+) \| >>> ", log, re.MULTILINE)]


def start_buildkitd(directory):
    """Starts a daemon, whose state is in memory; returns it and its address."""
    address = f"unix://{directory}/buildkitd.sock"
    root = directory / "buildkitd"
    daemon = ["buildkitd", "--root", root, "--addr", address, *(
        f"--allow-insecure-entitlement={name}" for name in ("network.host", "security.insecure"))]
    with open(directory / "buildkitd.log", "w") as log:
        daemon = subprocess.Popen([HERE.parent / "support" / "in-memory", root, *daemon], stdout=log, stderr=log)
    for _ in range(600):
        if subprocess.run(["buildctl", "--addr", address, "debug", "workers"], capture_output=True).returncode == 0:
            return daemon, address
        if daemon.poll() is not None:
            break
        time.sleep(0.1)
    daemon.kill()
    sys.exit(f"buildkitd does not start:\n{(directory / 'buildkitd.log').read_text()}")
