// The table of parameters.
#include "tools/oci-params/parameters.hpp"

#include <array>
#include <string>

#include "tools/oci-params/run_tool.hpp"

namespace params {
namespace {

constexpr std::array table = {
    Parameter{"CONTEXT", Kind::single, "directory or URL of the build context (default .)"},
    Parameter{"DOCKERFILE", Kind::single, "path of the Dockerfile (default $CONTEXT/Dockerfile)"},
    Parameter{"BUILD_ARG_", Kind::family, "value of a build argument"},
    Parameter{"BUILD_ARGS_FILE", Kind::single,
              "file of build arguments: name=value lines, or a .yml or .yaml map"},
    Parameter{"LABEL_", Kind::family, "value of a label of the image"},
    Parameter{"LABELS_FILE", Kind::single, "file of labels: name=value lines"},
    Parameter{"ANNOTATION_", Kind::family, "value of an OCI annotation of the image's manifest"},
    Parameter{"ANNOTATIONS_FILE", Kind::single, "file of annotations: name=value lines"},
    Parameter{"TARGET", Kind::single, "stage to build (default the last one)"},
    Parameter{"TARGET_FILE", Kind::single, "file that holds the name of the stage to build"},
    Parameter{"ADDITIONAL_TARGETS", Kind::single,
              "comma-separated stages to build too, each into a directory of its name"},
    Parameter{"BUILD_CONTEXTS", Kind::single,
              "name=path, by comma or line: a directory or image that serves FROM and --from"},
    Parameter{"IMAGE_ARG_", Kind::family, "image tar or OCI layout that a build argument is to name"},
    Parameter{"IMAGE_PLATFORM", Kind::single, "comma-separated platforms; several imply OUTPUT_OCI"},
    Parameter{"OUTPUT_OCI", Kind::single, "true: leave an OCI layout directory instead of image.tar"},
    Parameter{"REPO_TAGS", Kind::single,
              "comma-separated names, with tags, that docker load gives the image"},
    Parameter{"UNPACK_ROOTFS", Kind::single,
              "true: also leave rootfs/ and metadata.json, for a task's image"},
    Parameter{"COMPRESSION", Kind::single, "of new layers: gzip, zstd or none"},
    Parameter{"COMPRESSION_LEVEL", Kind::single, "0 to 9 for gzip, 1 to 22 for zstd"},
    Parameter{"SOURCE_DATE_EPOCH", Kind::single, "time of the image, in seconds since 1970"},
    Parameter{"REWRITE_TIMESTAMP", Kind::single,
              "true: set no file of a new layer later than SOURCE_DATE_EPOCH"},
    Parameter{"PROVENANCE", Kind::single,
              "true (max), min, max or attributes: attest how the image was built"},
    Parameter{"SBOM", Kind::single, "true or attributes: attest what the image holds"},
    Parameter{"BUILDKIT_SECRET_", Kind::family, "file that holds a secret"},
    Parameter{"BUILDKIT_SECRETTEXT_", Kind::family, "text of a secret"},
    Parameter{"BUILDKIT_SSH", Kind::single,
              "id[=path[,path...]], by ; or line: SSH keys, or an agent's socket"},
    Parameter{"BUILDKIT_SSHTEXT_", Kind::family, "text of an SSH private key"},
    Parameter{"DOCKER_CONFIG", Kind::single, "directory whose config.json holds registry logins"},
    Parameter{"BUILDKIT_ADD_HOSTS", Kind::single,
              "comma-separated host=address pairs that steps can resolve"},
    Parameter{"ENTITLEMENTS", Kind::single,
              "network.host, security.insecure: what RUN --network and --security may ask for"},
    Parameter{"REGISTRY_MIRRORS", Kind::single, "comma-separated mirrors of docker.io, tried in order"},
    Parameter{"BUILDKIT_EXTRA_CONFIG", Kind::single,
              "TOML that is merged into the configuration of buildkitd"},
    Parameter{"NO_CACHE", Kind::single,
              "true: run every step again; or names of stages, with commas: run theirs"},
    Parameter{"CACHE_FROM", Kind::single,
              "caches to read, one a line, in the words of buildctl --import-cache"},
    Parameter{"CACHE_TO", Kind::single,
              "caches to write, one a line, in the words of buildctl --export-cache"},
    Parameter{"STATE_DIR", Kind::single, "a directory to use as cache/ is, where no task has one"},
    Parameter{"CACHE_MAX_SIZE", Kind::single,
              "what may stay in cache/ after a native build: 10GB (default), 512MiB, 0"},
    Parameter{"CACHE_MAX_AGE", Kind::single,
              "how long it may stay there without being used: 30d (default), 12h, 2w"},
    Parameter{"ENGINE", Kind::single,
              "what builds: native, buildkit or auto (default), which takes native where it can"},
    Parameter{"ISOLATION", Kind::single,
              "how native steps run: namespaces, userns, chroot, copies or auto (default)"},
    Parameter{"BUILDKIT_HOST", Kind::single,
              "address of a BuildKit that runs elsewhere: tcp://HOST:PORT, unix:///PATH"},
    Parameter{"BUILDKIT_TLS_CACERT", Kind::single, "CA certificate of BUILDKIT_HOST"},
    Parameter{"BUILDKIT_TLS_CERT", Kind::single, "client certificate for BUILDKIT_HOST"},
    Parameter{"BUILDKIT_TLS_KEY", Kind::single, "private key of BUILDKIT_TLS_CERT"},
    Parameter{"BUILDKIT_PROGRESS", Kind::single,
              "how the build is shown: plain, tty, quiet, rawjson or auto (default)"},
    Parameter{"GRAPH", Kind::single,
              "file that shows the steps with times and cache hits: FILE.html or FILE.dot"},
    Parameter{"DEBUG", Kind::single, "true: say more about what is done"},
};

}  // namespace

std::span<const Parameter> parameters() {
  return table;
}

std::string parameter_list() {
  std::string list;
  for (const auto& [name, kind, description] : table) {
    list += std::string(name) + (kind == Kind::family ? "*" : "") + "\t" + std::string(description) + "\n";
  }
  return list;
}

}  // namespace params
