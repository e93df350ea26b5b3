#!/usr/bin/env bats
# ADD of URLs between builds: what is there already is not downloaded again, and the image is the same as of a download.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  mkdir www
  : >requests
  python3 -c "$server" >port 2>/dev/null 3>&- &
  SERVER=$!
  wait_until 10 test -s port
  URL=http://127.0.0.1:$(cat port)
  echo one >www/file
  touch -d @1234567890 www/file
}

teardown() { [ -z "${SERVER:-}" ] || kill "$SERVER"; }

# Below /etag/ it sends ETags and honours them, below /get/ the same but for HEAD, which it refuses; elsewhere it sends
# none. What it was asked goes to the file `requests`.
# shellcheck disable=SC2016
server='
import email.utils, hashlib, http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    kind, name = self.path.strip("/").split("/")
    with open("www/" + name, "rb") as file: body = file.read()
    etag = "\"" + hashlib.md5(body).hexdigest() + "\""
    status = 200
    if kind == "get" and self.command == "HEAD": status = 405
    elif kind != "plain" and self.headers.get("If-None-Match") == etag: status = 304
    with open("requests", "a") as log: log.write(f"{self.command} {self.path} {status}\n")
    self.send_response(status)
    if kind != "plain": self.send_header("ETag", etag)
    self.send_header("Last-Modified", email.utils.formatdate(os.stat("www/" + name).st_mtime, usegmt=True))
    if status == 200: self.send_header("Content-Length", str(len(body)))
    self.end_headers()
    if status == 200 and self.command == "GET": self.wfile.write(body)
  do_HEAD = do_GET
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()'

# build_well [FILTER...]: builds the Dockerfile on the state directory.
build_well() {
  rm -rf out/*
  : >requests
  make_request '.engine = "native"' "$(serve_busybox)" "$(to_output)" "$@" >request
  run --separate-stderr oci-solve --state-dir state <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# asked LINE...: what the last build asked the server.
asked() { diff <(printf '%s\n' "$@") requests; }
asked_nothing() { diff /dev/null requests; }

# made: why steps were made again in the last build.
made() { sed -n 's/^#[0-9]* not cached: //p' <<<"$stderr"; }

# layer: the uppermost layer of the image, each byte of it.
layer() { sha256sum <"$(find "$(image_layers out/image.tar)" -type f | sort | tail -n 1)"; }

add() { printf 'FROM %s\n%bADD %s /\n' busybox "${2-}" "$1" | dockerfile; }

@test "a file with an ETag is asked for by a HEAD, and downloaded when it has changed" {
  add "$URL/etag/file"
  build_well
  asked 'GET /etag/file 200'
  layer >fresh
  build_well
  asked 'HEAD /etag/file 304'
  [ -z "$(made)" ]
  layer | cmp fresh -
  # The step runs above another layer: on the file that is there.
  add "$URL/etag/file" 'RUN echo below >/below\n'
  build_well
  asked 'HEAD /etag/file 304'
  [ "$(image_file file)" = one ]
  layer | cmp fresh -
  echo two >www/file
  build_well
  asked 'HEAD /etag/file 200' 'GET /etag/file 200'
  [ "$(made)" = '/file changed' ] || { made; return 1; }
  [ "$(image_file file)" = two ]
}

@test "a server that refuses HEAD, or has no ETags, is asked as it likes, and the steps stay cached" {
  add "$URL/get/file"
  build_well
  build_well
  asked 'HEAD /get/file 405' 'GET /get/file 304'
  [ -z "$(made)" ]
  add "$URL/plain/file"
  build_well
  [ -z "$(made)" ]
  build_well
  asked 'GET /plain/file 200'
  [ -z "$(made)" ]
}

@test "a file with a checksum is asked for by nobody once it is there" {
  local sum
  for sum in sha256 sha512; do
    rm -rf state
    add "--checksum=$sum:$("${sum}sum" <www/file | cut -d ' ' -f 1) $URL/plain/file"
    build_well
    asked 'GET /plain/file 200'
    layer >fresh
    build_well
    asked_nothing
    [ -z "$(made)" ]
    sed -i '1a RUN echo below >/below' src/Dockerfile
    build_well
    asked_nothing
    [ "$(made | wc -l)" -eq 2 ]
    layer | cmp fresh -
  done
  # Who wants another one is told what there is.
  sed -i "s/sha512:....../sha512:000000/" src/Dockerfile
  run --separate-stderr oci-solve --state-dir state <request
  [ "$status" -eq 1 ]
  [[ "$stderr" == *'digest mismatch sha512:'* ]]
}

@test "a download that is damaged in the cache, or pruned, is downloaded again" {
  add "$URL/etag/file"
  build_well
  printf 'odd\n' >"state/blobs/sha256/$(sha256sum <www/file | cut -d ' ' -f 1)"
  sed -i '1a RUN echo below >/below' src/Dockerfile
  build_well
  asked 'HEAD /etag/file 304' 'GET /etag/file 200'
  [[ "$stderr" == *'warning: dropped the damaged blob '* ]]
  [ "$(image_file file)" = one ]
  grep -l store-fetched state/steps/* | while read -r record; do printf '{' >"$record"; done
  build_well
  asked 'GET /etag/file 200'
  [[ "$stderr" == *'warning: dropped a damaged record '* ]]
  # It goes with what no build has used.
  printf 'FROM busybox\n' | dockerfile
  build_well '.cache.max_size = 0'
  [ ! -e "state/blobs/sha256/$(sha256sum <www/file | cut -d ' ' -f 1)" ]
  run ! grep -lq store-fetched state/steps/*
}

@test "NO_CACHE downloads again, and a plan asks no more than a HEAD" {
  add "$URL/etag/file"
  build_well
  build_well '.no_cache = true'
  asked 'GET /etag/file 200'
  build_well
  : >requests
  run -0 --separate-stderr oci-solve --plan --state-dir state <request
  asked 'HEAD /etag/file 304'
  [ "${lines[-1]}" = '1 cached, 0 would run, 0 unknown' ]
  echo two >www/file
  : >requests
  run -0 --separate-stderr oci-solve --plan --state-dir state <request
  asked 'HEAD /etag/file 200'
  [ "${lines[1]}" = "#1 unknown until $URL/etag/file is fetched" ]
}
