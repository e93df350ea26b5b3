"""The cases, and what serves them files over HTTP."""
import base64
import http.server
import os
import subprocess

PRIVATE = "basic " + base64.b64encode(b"x-access-token:token").decode()


class Case:
    def __init__(self, topic, name, shared_setup):
        self.name = f"{topic}/{name}"
        self.sections = {"Dockerfile": [], "setup": list(shared_setup), "params": [], "again": []}
        self.twice = False  # whether it says what changes before a second build

    def dockerfile(self):
        return "".join(line + "\n" for line in self.sections["Dockerfile"])


def read_cases(path):
    cases, shared, section = [], [], None
    for line in path.read_text().splitlines():
        if line.startswith("=== "):
            cases.append(Case(path.stem, line[4:], shared))
            section = cases[-1].sections["Dockerfile"]
        elif line.startswith("--- "):
            section = cases[-1].sections[line[4:]] if cases else shared
            if line == "--- again":
                cases[-1].twice = True
        elif section is not None:
            section.append(line)
    for case in cases:  # the blank line between two cases
        for lines in case.sections.values():
            while lines and not lines[-1]:
                lines.pop()
    return cases


class ContextHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and git repositories in directories called NAME.git; private.git wants a token."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if ".git/" in self.path:
            self.answer_git(b"")
        else:
            super().do_GET()

    def do_POST(self):
        self.answer_git(self.rfile.read(int(self.headers["Content-Length"])))

    def answer_git(self, body):
        if "/private.git/" in self.path and self.headers.get("Authorization") != PRIVATE:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.directory,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        answer = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
