# A private certificate authority, for registries and engines that speak TLS.

# make_ca DIR: DIR/ca.pem and DIR/ca.key, unless they exist.
make_ca() {
  [ ! -e "$1/ca.pem" ] || return 0
  mkdir -p "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=oci-build tests' \
    -addext basicConstraints=critical,CA:TRUE -keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
}

# make_certificate DIR NAME [IP]: DIR/NAME.pem and DIR/NAME.key, signed by DIR's authority, good for servers at
# IP, by this address or as localhost or registry.example, and for clients.
make_certificate() {
  local dir=$1 name=$2 ip=${3:-127.0.0.1}
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
  openssl x509 -req -days 2 -in "$dir/$name.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial \
    -extfile <(echo "subjectAltName=IP:$ip,DNS:localhost,DNS:registry.example") -out "$dir/$name.pem" 2>/dev/null
  rm "$dir/$name.csr"
}
