#!/usr/bin/env bats
# What ADD gets from elsewhere, where the native engine goes further than BuildKit or a comparison cannot show it.

load ../support/load

setup() {
  enter_native_build
}

teardown() {
  [ -z "${SERVER:-}" ] || kill "$SERVER"
}

# serve COMMAND...: runs a server that prints its port; sets PORT.
serve() {
  "$@" >port &
  SERVER=$!
  wait_until 10 test -s port
  PORT=$(head -1 port)
}

file_server='
import functools, http.server
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="src")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_port, flush=True)
server.serve_forever()'

silent_server='
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
print("asked", flush=True)
while connection.recv(1 << 20): pass'

native() {
  make_request '.targets[0].output = "out"' "$@" | oci-solve --engine native
}

@test "a download is held against checksums of SHA-384 and SHA-512" {
  serve python3 -c "$file_server" 2>/dev/null
  echo content >src/file
  right=$(sha512sum <src/file)
  wrong=$(sha512sum </dev/null)
  cat >src/Dockerfile <<END
FROM scratch
ADD --checksum=sha512:${right%% *} http://127.0.0.1:$PORT/file /1
ADD --checksum=sha384:$(sha384sum <src/file | cut -d' ' -f1) http://127.0.0.1:$PORT/file /2
END
  native >result
  [ -s out/image.tar ]

  sed -i "s/${right%% *}/${wrong%% *}/" src/Dockerfile
  run native
  [ "$status" -eq 1 ]
  [[ $output == *"digest mismatch sha512:${right%% *}: sha512:${wrong%% *}"* ]]
}

@test "ADD of git without the program git says what to install" {
  printf 'FROM scratch\nADD https://example.invalid/x.git /\n' >src/Dockerfile
  make_request >request
  run --separate-stderr env PATH=/nowhere "$(command -v oci-solve)" --engine native <request
  [ "$status" -eq 1 ]
  [[ $stderr == *"a git repository needs the program 'git', which is not on PATH: install git"* ]]
}

@test "submodules by ssh are fetched without the keys and settings of the machine" {
  serve python3 -c "$file_server" 2>/dev/null
  mkdir bin work
  printf '#!/bin/sh\nprintf "%%s\\n" "$SSH_AUTH_SOCK" "$@" >"%s/ssh-arguments"\nexit 1\n' "$PWD" >bin/ssh
  chmod +x bin/ssh
  git init -q work
  printf '[submodule "s"]\n\tpath = s\n\turl = ssh://git@127.0.0.1:9/private.git\n' >work/.gitmodules
  git -C work update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,s
  git -C work add .gitmodules
  git -C work -c user.name=n -c user.email=e commit -qm one
  git clone -q --bare work src/r.git
  git -C src/r.git update-server-info
  printf 'FROM scratch\nADD http://127.0.0.1:%s/r.git /r\n' "$PORT" >src/Dockerfile
  SSH_AUTH_SOCK=/nowhere PATH=$PWD/bin:$PATH run native
  [ "$status" -eq 1 ]
  [ "$(head -n 1 ssh-arguments)" = "" ]
  grep -qx /dev/null ssh-arguments
  grep -qx IdentityFile=none ssh-arguments
  grep -qx BatchMode=yes ssh-arguments
}

@test "a server that never answers git does not outlast a stop" {
  serve python3 -c "$silent_server"
  printf 'FROM scratch\nADD git://127.0.0.1:%s/x.git /\n' "$PORT" >src/Dockerfile
  make_request >request
  oci-solve --engine native <request >result 2>log 3>&- &
  solver=$!
  wait_until 10 grep -q asked port
  kill -TERM "$solver"
  status=0
  wait "$solver" || status=$?
  [ "$status" -eq 143 ]
  wait_until 5 gone "$SERVER" # it ends once nobody is connected
  SERVER=
  [ -z "$(ls -A tmp)" ]
}

# It answers nothing to one request, and the others once it has that one.
partly_silent_server='
import http.server, threading
asked = threading.Event()
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    if self.path == "/silent":
      asked.set()
      self.rfile.read(1)
    else:
      asked.wait()
      self.send_error(404)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()'

@test "a failing step does not wait for a server that never answers a download" {
  serve python3 -c "$partly_silent_server" 2>/dev/null
  cat >src/Dockerfile <<END
FROM scratch AS other
ADD http://127.0.0.1:$PORT/silent /
FROM scratch
ADD http://127.0.0.1:$PORT/absent /
COPY --from=other / /
END
  make_request >request
  # Less than the client's patience.
  run timeout 50 oci-solve --engine native <request
  [ "$status" -eq 1 ]
  [[ $output == *'invalid response status 404'* ]]
}

# Two servers, the first of which redirects to the second; what either gets as a login goes to a file of its name.
redirecting_git_servers='
import http.server, threading
def packets(*lines):
    return b"".join(b"%04x" % (len(line) + 4) + line if line else b"0000" for line in lines)
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        with open(self.name, "a") as log: print(self.command, self.headers.get("Authorization"), file=log)
        body = b""
        if self.name == "home":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{elsewhere.server_port}{self.path}")
        elif self.command == "POST":
            self.send_response(403)
        else:
            body = packets(b"# service=git-upload-pack\n", b"", b"version 2\n", b"ls-refs\n", b"fetch\n", b"")
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
    def log_message(self, *arguments): pass
elsewhere = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Elsewhere", (Handler,), {"name": "elsewhere"}))
home = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Home", (Handler,), {"name": "home"}))
threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
print(home.server_port, flush=True)
home.serve_forever()'

@test "a server that git redirects to never gets the login for the first" {
  serve python3 -c "$redirecting_git_servers"
  printf 'FROM scratch\nADD http://127.0.0.1:%s/x.git /\n' "$PORT" >src/Dockerfile
  export THE_TOKEN=the-token
  run --separate-stderr native '.secrets = [{id: "GIT_AUTH_TOKEN", env: "THE_TOKEN", file: null}]'
  [ "$status" -eq 1 ]
  [[ $stderr == *"a login is not taken along by a redirect: give the URL that it leads to"* ]]
  grep -qi "^GET basic " home
  touch elsewhere
  run ! grep -i basic elsewhere
}
