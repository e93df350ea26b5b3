# Git repositories, and files, behind HTTP.

# export_git_settings: for `git` in tests, whatever the machine says.
export_git_settings() {
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a
  export GIT_COMMITTER_EMAIL=a@b
}

# start_git_server: serves the repositories and files of the working directory, at the port of the server before it;
# sets PORT and URL, that of repo.git. The file `requests` gets a line for each request: what git asked for, "ls-refs"
# or "fetch", or of a file the method, the path and the status.
start_git_server() {
  : >requests
  rm -f port
  python3 -c "$_git_server" "${PORT:-0}" >port 2>/dev/null 3>&- &
  SERVER=$!
  wait_until 10 test -s port
  PORT=$(cat port)
  # shellcheck disable=SC2034
  URL=http://127.0.0.1:$PORT/repo.git
}

stop_git_server() {
  [ -z "${SERVER:-}" ] || kill "$SERVER"
  wait "${SERVER:-}" 2>/dev/null || true
  SERVER=''
}

# shellcheck disable=SC2016
_git_server='
import gzip, hashlib, http.server, os, re, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
  def do_HEAD(self): self.send_file()
  def do_GET(self): self.answer(b"") if ".git/" in self.path else self.send_file()
  def do_POST(self):
    body = self.rfile.read(int(self.headers["Content-Length"]))
    if self.headers.get("Content-Encoding") == "gzip": body = gzip.decompress(body)
    self.log(re.search(rb"command=([a-z-]+)", body)[1].decode())
    self.answer(body)
  def log(self, line):
    with open("requests", "a") as log: log.write(line + "\n")
  def send_file(self):
    name = self.path.partition("?")[0].lstrip("/")
    content = open(name, "rb").read() if os.path.isfile(name) else None
    tag = "\"" + hashlib.sha256(content or b"").hexdigest() + "\""
    status = 404 if content is None else 304 if self.headers.get("If-None-Match") == tag else 200
    self.log(f"{self.command} {self.path} {status}")
    self.send_response(status)
    self.send_header("ETag", tag)
    self.send_header("Content-Length", str(len(content) if status == 200 else 0))
    self.end_headers()
    if status == 200 and self.command == "GET": self.wfile.write(content)
  def answer(self, body):
    path, _, query = self.path.partition("?")
    environment = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": os.getcwd(), "GIT_HTTP_EXPORT_ALL": "1",
                   "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                   "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                   "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                   "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_0": "true"}
    answer = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True).stdout
    head, _, content = answer.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    self.send_response(int(headers.pop("Status", "200").split()[0]))
    for name, value in headers.items(): self.send_header(name, value)
    self.send_header("Content-Length", str(len(content)))
    self.end_headers()
    self.wfile.write(content)
class Server(http.server.ThreadingHTTPServer): allow_reuse_address = True
server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
print(server.server_port, flush=True)
server.serve_forever()'
