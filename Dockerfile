# The image of this project: the tools, BuildKit with what runs its steps, git, certificates, a shell; nothing else.
#
# Both bases are indexes that hold amd64 and arm64. A build context named "debian" or "buildkit" stands in for either.
ARG DEBIAN=debian:bookworm-20260824-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171
ARG BUILDKIT=moby/buildkit:v0.34.0@sha256:b059f8d7226d0b326bc871af489a5dddf65e36af4d20d14251b072974d9ee87c

FROM ${DEBIAN} AS debian

FROM ${BUILDKIT} AS buildkit

FROM debian AS compile
WORKDIR /src
COPY scripts/setup scripts/
RUN scripts/setup && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY common/ common/
COPY tools/ tools/
# The compiler cache stays where the builder keeps cache mounts: what did not change is not compiled again.
RUN --mount=type=cache,target=/root/.cache/ccache \
    cmake --preset release && cmake --build --preset release && cmake --install build-release --prefix /installed --strip

FROM debian AS assemble
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      busybox-static ca-certificates git openssh-client \
      libcurl4 libisal2 \
 && rm -rf /var/lib/apt/lists/*
# buildkit-runc runs the steps, buildkit-qemu-* those of other platforms.
COPY --from=buildkit /usr/bin/buildctl /usr/bin/buildkit* /usr/bin/
COPY --from=compile /installed/bin/ /usr/bin/
COPY LICENSE /usr/share/doc/oci-build/
RUN <<END
set -eu

# keep FILE...: takes each file, as it is, and the libraries that it is linked to.
keep() {
  for file; do
    mkdir -p "/root-of-image${file%/*}"
    cp -a "$file" "/root-of-image${file%/*}/"
    # Fails for what is linked statically, or no program at all: then there is nothing to follow.
    libraries=$(ldd "$file" 2>/dev/null) || continue
    if printf '%s\n' "$libraries" | grep 'not found' >&2; then
      echo "$file is linked to what no package here has" >&2
      exit 1
    fi
    printf '%s\n' "$libraries" | grep -o '/[^ ]*' | while read -r library; do
      mkdir -p "/root-of-image${library%/*}"
      cp -uL "$library" "/root-of-image$library"
    done
  done
}

mkdir -p /root-of-image/usr/bin /root-of-image/usr/sbin /root-of-image/usr/lib /root-of-image/etc /root-of-image/proc \
  /root-of-image/sys /root-of-image/dev /root-of-image/run /root-of-image/var/lib
install -d -m 700 /root-of-image/root
install -d -m 1777 /root-of-image/tmp /root-of-image/var/tmp
for folder in /bin /sbin /lib /lib64; do
  [ ! -L "$folder" ] || { mkdir -p "/root-of-image/usr$folder"; ln -s "usr$folder" "/root-of-image$folder"; }
done
cp -aL /etc/debian_version /etc/group /etc/nsswitch.conf /etc/os-release /etc/passwd /root-of-image/etc/

keep /usr/bin/build /usr/bin/oci-* /usr/bin/buildctl /usr/bin/buildkit*
ln -s buildkit-runc /root-of-image/usr/bin/runc
# Loaded when it is first used, so ldd does not tell of it.
keep /usr/lib/*/libcurl.so.4 /usr/lib/*/libcurl.so.4.*
keep /etc/ssl/certs/ca-certificates.crt
keep /usr/bin/ssh /usr/bin/ssh-agent /usr/bin/ssh-add
keep /usr/bin/git /usr/lib/git-core/git-remote-http /usr/lib/git-core/git-remote-https /usr/lib/git-core/git-submodule \
  /usr/lib/git-core/git-sh-setup /usr/lib/git-core/git-sh-i18n \
  /usr/lib/git-core/git-sh-i18n--envsubst
ln -s ../../bin/git /root-of-image/usr/lib/git-core/git
mkdir -p /root-of-image/usr/share/git-core/templates
keep /usr/share/doc/oci-build/LICENSE

# The applets of busybox stand in for what is not there already.
keep /bin/busybox
busybox --list | while read -r applet; do
  [ -e "/root-of-image/bin/$applet" ] || ln -s busybox "/root-of-image/bin/$applet"
done
END

FROM scratch
COPY --from=assemble /root-of-image/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LABEL org.opencontainers.image.title="oci-build" \
      org.opencontainers.image.description="Builds OCI images in Concourse tasks" \
      org.opencontainers.image.licenses="Apache-2.0"
CMD ["build"]
