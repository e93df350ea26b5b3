# A Debian root filesystem as an image, made with this machine's own apt configuration.

# test_cache: a directory that all checkouts share, like that of the compiler cache.
test_cache() {
  echo "${XDG_CACHE_HOME:-$HOME/.cache}/oci-build-tests"
}

# debian_image: prints the path of an OCI layout with a minimal Debian of this machine's release in which apt-get works
# as it does here. Made once, then taken from test_cache.
debian_image() {
  local cache sources settings key root lock
  cache=$(test_cache)/debian
  # shellcheck disable=SC2016  # the dollars are apt's
  sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u)
  settings=$(apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)[^ ]* "[^"]')
  key=$(printf '%s\n' "$sources" "$settings" "$(declare -f debian_image)" | sha256sum | cut -c -16)
  mkdir -p "$cache"
  exec {lock}>"$cache/lock" # tests that run beside this one want the same
  flock "$lock"
  if [ ! -e "$cache/$key/index.json" ]; then
    root=$(mktemp -d "$cache/.new.XXXXXX")
    mmdebstrap --quiet --variant=minbase --include=ca-certificates \
      --dpkgopt=path-exclude='/usr/share/man/*' --dpkgopt=path-exclude='/usr/share/locale/*' \
      "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root/rootfs" - <<<"$sources" >&2 || return
    # As in Debian's own images: nobody needs this tree to survive a power cut.
    echo force-unsafe-io >"$root/rootfs/etc/dpkg/dpkg.cfg.d/unsafe-io"
    printf '%s\n' "$settings" >"$root/rootfs/etc/apt/apt.conf.d/99machine"
    cp -a /etc/apt/trusted.gpg.d/. "$root/rootfs/etc/apt/trusted.gpg.d/"
    rm -f "$root/rootfs/etc/resolv.conf"
    make_image "$root/layout" "$root/rootfs" latest "linux/$(image_architecture)" \
      '{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["bash"]}' >/dev/null
    mv -T "$root/layout" "$cache/$key"
    rm -rf "$root"
  fi
  exec {lock}>&-
  echo "$cache/$key"
}
