# The image of this project: the tools, BuildKit with what runs its steps, git, certificates, a shell; nothing else. The
# target "native" holds the tools, certificates and a shell alone.
#
# Both bases are indexes that hold amd64 and arm64. A build context named "debian" or "buildkit" stands in for either.
ARG DEBIAN=debian:bookworm-20260824-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171
ARG BUILDKIT=moby/buildkit:v0.34.0@sha256:b059f8d7226d0b326bc871af489a5dddf65e36af4d20d14251b072974d9ee87c

FROM ${DEBIAN} AS debian

FROM ${BUILDKIT} AS buildkit

# The tools as programs that need no file around them, so that no library of a base has to fit.
FROM debian AS compile
WORKDIR /src
COPY scripts/setup scripts/static-libraries scripts/
RUN --mount=type=cache,target=/root/.cache/ccache \
    scripts/setup --static && scripts/static-libraries && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY scripts/buildkit/go.mod scripts/buildkit/
COPY scripts/package/ scripts/package/
COPY common/ common/
COPY tools/ tools/
# The compiler cache stays where the builder keeps cache mounts: what did not change is not compiled again.
RUN --mount=type=cache,target=/root/.cache/ccache cmake --preset static && cmake --build --preset static
COPY LICENSE README.md CHANGELOG.md SECURITY.md ./
RUN cmake --install build-static --prefix /installed --strip

# What the smaller image has besides the tools. A shell is what runners of other systems start a job with.
FROM debian AS assemble-native
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends busybox-static ca-certificates \
 && rm -rf /var/lib/apt/lists/*
RUN <<END
set -eu
mkdir -p /root-of-native/usr/bin /root-of-native/etc/ssl/certs /root-of-native/proc /root-of-native/sys /root-of-native/dev \
  /root-of-native/run /root-of-native/var
install -d -m 700 /root-of-native/root
install -d -m 1777 /root-of-native/tmp /root-of-native/var/tmp
ln -s usr/bin /root-of-native/bin
echo 'root:x:0:0:root:/root:/bin/sh' >/root-of-native/etc/passwd
echo 'root:x:0:' >/root-of-native/etc/group
cp /etc/ssl/certs/ca-certificates.crt /root-of-native/etc/ssl/certs/
cp /bin/busybox /root-of-native/usr/bin/
busybox --list | while read -r applet; do
  [ -e "/root-of-native/bin/$applet" ] || ln -s busybox "/root-of-native/bin/$applet"
done
END

FROM assemble-native AS assemble
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/*
RUN --mount=from=buildkit,target=/buildkit <<END
set -eu

# keep FILE...: takes each file, as it is, and the libraries that it is linked to.
keep() {
  for file; do
    mkdir -p "/root-of-image${file%/*}"
    cp -a "$file" "/root-of-image${file%/*}/"
    keep_libraries "$file"
  done
}

# keep_libraries FILE...: takes the libraries that each file is linked to.
keep_libraries() {
  for file; do
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

# BuildKit itself is a layer of its own.
keep_libraries /buildkit/usr/bin/buildctl /buildkit/usr/bin/buildkit*
ln -s buildkit-runc /root-of-image/usr/bin/runc
keep /etc/ssl/certs/ca-certificates.crt
keep /usr/bin/ssh /usr/bin/ssh-agent /usr/bin/ssh-add
keep /usr/bin/git /usr/lib/git-core/git-remote-http /usr/lib/git-core/git-remote-https /usr/lib/git-core/git-submodule \
  /usr/lib/git-core/git-sh-setup /usr/lib/git-core/git-sh-i18n \
  /usr/lib/git-core/git-sh-i18n--envsubst
ln -s ../../bin/git /root-of-image/usr/lib/git-core/git
mkdir -p /root-of-image/usr/share/git-core/templates

# The applets of busybox stand in for what is not there already.
keep /bin/busybox
busybox --list | while read -r applet; do
  [ -e "/root-of-image/bin/$applet" ] || ln -s busybox "/root-of-image/bin/$applet"
done
END

FROM scratch AS described
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="oci-build" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
CMD ["build"]

# What changes with each commit is the last layer: who has the image of another commit pulls that alone.
FROM described AS native
LABEL org.opencontainers.image.description="Builds OCI images in Concourse tasks, by its native engine alone"
COPY --from=assemble-native /root-of-native/ /
COPY --from=compile /installed/ /usr/

FROM described
LABEL org.opencontainers.image.description="Builds OCI images in Concourse tasks"
COPY --from=assemble /root-of-image/ /
# buildkit-runc runs the steps, buildkit-qemu-* those of other platforms.
COPY --from=buildkit /usr/bin/buildctl /usr/bin/buildkit* /usr/bin/
COPY --from=compile /installed/ /usr/
