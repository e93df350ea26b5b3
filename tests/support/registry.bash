# A real docker-registry on a free port of 127.0.0.1, with what a private registry has: passwords and a
# certificate of its own authority.

# start_registry DIR [--auth USER:PASSWORD] [--token-server ADDRESS CERTIFICATE] [--tls]: starts a registry that keeps everything in DIR (made when
# absent). Sets REGISTRY to its HOST:PORT and REGISTRY_PID. With --tls its certificate is signed by DIR/ca.pem
# (see tls.bash).
start_registry() {
  local dir=$1 auth='' tls='' tokens='' certificate=''
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --auth) auth=$2; shift 2 ;;
      --token-server) tokens=$2 certificate=$3; shift 3 ;;
      --tls) tls=yes; shift ;;
      *) echo "start_registry: unknown option $1" >&2; return 1 ;;
    esac
  done
  mkdir -p "$dir/data"
  {
    echo 'version: 0.1'
    echo 'log: {level: info, fields: {service: registry}}'
    echo "storage: {filesystem: {rootdirectory: $dir/data}, delete: {enabled: true}}"
    echo 'http:'
    echo '  addr: 127.0.0.1:0'
    if [ -n "$tls" ]; then
      make_ca "$dir"
      make_certificate "$dir" registry 127.0.0.1
      echo "  tls: {certificate: $dir/registry.pem, key: $dir/registry.key}"
    fi
    if [ -n "$auth" ]; then
      htpasswd -Bbn "${auth%%:*}" "${auth#*:}" >"$dir/htpasswd"
      echo "auth: {htpasswd: {realm: tests, path: $dir/htpasswd}}"
    elif [ -n "$tokens" ]; then
      echo "auth: {token: {realm: \"http://$tokens/token\", service: registry, issuer: tests," \
        "rootcertbundle: $certificate}}"
    fi
  } >"$dir/config.yml"
  # Descriptor 3 is bats' own: a background process that keeps it open would hang the test run.
  OTEL_TRACES_EXPORTER=none docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 3>&- &
  REGISTRY_PID=$!
  if ! wait_until 20 grep -q 'listening on' "$dir/log"; then
    cat "$dir/log" >&2
    return 1
  fi
  REGISTRY=$(grep -o 'listening on 127.0.0.1:[0-9]*' "$dir/log" | head -n 1 | cut -d ' ' -f 3)
}

# stop_registry [PID]: the last one started when no PID is given.
stop_registry() {
  local pid=${1:-${REGISTRY_PID:-}}
  [ -n "$pid" ] || return 0
  kill "$pid" 2>/dev/null || return 0
  wait "$pid" 2>/dev/null || true
}

# requests_to_registry DIR: the requests that the registry in DIR has answered, one a line.
requests_to_registry() {
  grep -o '"\(GET\|HEAD\|PUT\|POST\|PATCH\|DELETE\) [^"]*"' "$1/log" | tr -d '"'
}

# docker_login DIR HOST USER PASSWORD: writes DIR/config.json as `docker login` does.
docker_login() {
  mkdir -p "$1"
  jq -n --arg host "$2" --arg auth "$(printf '%s:%s' "$3" "$4" | base64 -w 0)" \
    '{auths: {($host): {$auth}}}' >"$1/config.json"
}

# start_server NAME COMMAND...: starts one of the servers in this directory, which say where they listen. Sets SERVER
# to its HOST:PORT and adds its process to SERVER_PIDS.
start_server() {
  local log=$PWD/$1.log
  "$(dirname "${BASH_SOURCE[0]}")/$2" "${@:3}" >"$log" 2>&1 3>&- &
  SERVER_PIDS+=($!)
  if ! wait_until 20 grep -q 'listening on' "$log"; then
    cat "$log" >&2
    return 1
  fi
  SERVER=$(grep -o 'listening on .*' "$log" | cut -d ' ' -f 3)
}

stop_servers() {
  local pid
  for pid in "${SERVER_PIDS[@]}"; do
    kill "$pid" 2>/dev/null || continue
    wait "$pid" 2>/dev/null || true
  done
  SERVER_PIDS=()
}

# set_faults PROXY JSON: what goes wrong from now on; see fault-proxy.
set_faults() {
  curl -sf -o /dev/null --noproxy '*' --data-binary "$2" "http://$1/-/faults"
}
