#!/usr/bin/env bats
# The files in examples/, each played through as its home would: its steps run in order, with the variables that its home sets, against
# a git repository and a registry with a login. The container around them is this machine.

# bats file_tags=once

load ../support/load

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return
  start_registry "$PWD/registry" --auth user:secret
  export REGISTRY REGISTRY_PID
  mkdir -p group/hello login
  cp "$(command -v busybox)" group/hello/
  cat >group/hello/Dockerfile <<'END'
FROM scratch
COPY busybox /bin/
ARG revision=none
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox echo $revision >/revision"]
END
  git -C group/hello init -q
  git -C group/hello add .
  git -C group/hello -c user.name=a -c user.email=a@b commit -qm one
  git -C group/hello config uploadpack.allowAnySHA1InWant true
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf user:secret | base64)" >login/config.json
}

teardown_file() { stop_registry; }

setup() {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  revision=$(git -C "$BATS_FILE_TMPDIR/group/hello" rev-parse HEAD)
  cd "$BATS_TEST_TMPDIR" || return
}

# play SHELL FILE [NAME=VALUE...]: runs the steps of examples/FILE in a clone of the repository.
play() {
  local shell=$1 file=$2
  shift 2
  [ -d work ] || git clone -q "$BATS_FILE_TMPDIR/group/hello" work
  "$top/tests/support/example-steps" "$top/examples/$file" "$@" >steps
  sed -i "s|registry\.example\.com|$REGISTRY|g; s|/tmp/login|$PWD/login|g" steps
  cat steps
  (cd work && "$shell" -e ../steps)
}

# pushed REFERENCE: it is in the registry, and holds what the steps of its Dockerfile made.
pushed() {
  skopeo copy -q --src-tls-verify=false --src-creds user:secret "docker://$REGISTRY/$1" oci:pulled:latest
  oci-unpack pulled out
  [ "$(<out/rootfs/revision)" = "$2" ]
}

@test "GitLab: a job builds, leaves its cache in the registry and pushes" {
  export CI_COMMIT_SHA=$revision CI_COMMIT_REF_SLUG=main CI_REGISTRY=$REGISTRY CI_REGISTRY_IMAGE=$REGISTRY/group/hello
  export CI_REGISTRY_USER=user CI_REGISTRY_PASSWORD=secret
  play sh gitlab-ci.yml
  pushed group/hello:main "$revision"
  skopeo inspect --raw --tls-verify=false --creds user:secret "docker://$REGISTRY/group/hello/cache" | grep -q oci-build
}

@test "Forgejo: a job fetches, builds and pushes" {
  export GITHUB_SERVER_URL=http://$REGISTRY GITHUB_REPOSITORY=group/Hello GITHUB_SHA=$revision GITHUB_ACTOR=user GITHUB_REF_NAME=main
  # What git is asked for there lies here.
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.$BATS_FILE_TMPDIR/group/hello.insteadOf" GIT_CONFIG_VALUE_0=http://$REGISTRY/group/Hello
  play sh forgejo-workflow.yml github.token=t secrets.REGISTRY_TOKEN=secret
  pushed group/hello:main none
}

@test "GitHub: a step builds in a container and pushes" {
  export GITHUB_REPOSITORY=$REGISTRY/Hello GITHUB_SHA=$revision GITHUB_ACTOR=user GITHUB_REF_NAME=main HOME=$PWD/home
  # Docker's part: the login, and a container with two directories of the machine.
  mkdir -p bin home/.docker
  cat >bin/docker <<'END'
#!/bin/bash
if [ "$1" = login ]; then
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf '%s:%s' "$4" "$(cat)" | base64)" >"$HOME/.docker/config.json"
  exit
fi
shift 2
while [[ $1 == -* ]]; do
  case $1 in
    -e) export "${2//\/login/$HOME/.docker}" ;;
    -v | -w) ;;
    *) exit 99 ;;
  esac
  shift 2
done
[ "$1" = your-registry/oci-build ] || exit 98
shift
exec "$@"
END
  chmod +x bin/docker
  PATH=$PWD/bin:$PATH
  "$top/tests/support/example-steps" "$top/examples/github-workflow.yml" github.token=secret | sed "s|ghcr\.io/||" >script
  git clone -q "$BATS_FILE_TMPDIR/group/hello" work
  (cd work && bash -e ../script)
  pushed hello:main "$revision"
}

@test "Tekton: a task builds the image of a workspace, pushes it and tells its digest" {
  git clone -q "$BATS_FILE_TMPDIR/group/hello" source
  play sh tekton-task.yaml "/output=$PWD/output" "workspaces.source.path=$PWD/source" params.context=. \
    "workspaces.login.path=$BATS_FILE_TMPDIR/login" "params.image=$REGISTRY/tekton:1" "results.digest.path=$PWD/digest"
  pushed tekton:1 none
  [ "$(<digest)" = "$(skopeo inspect --tls-verify=false --creds user:secret "docker://$REGISTRY/tekton:1" | jq -r .Digest)" ]
}

@test "Kubernetes: the containers of a job fetch, build and push" {
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.$BATS_FILE_TMPDIR/group/hello.insteadOf" GIT_CONFIG_VALUE_0=https://git.example.com/hello.git
  play sh kubernetes.yaml "/workspace=$PWD/workspace" "/login=$BATS_FILE_TMPDIR/login"
  pushed hello:latest none
}

@test "Jenkins: a stage builds and pushes" {
  export BUILD_NUMBER=7
  play sh Jenkinsfile "/tmp/output=$PWD/output" "\${WORKSPACE}=$PWD/work" registry=user:secret
  pushed hello:7 none
}

@test "every variable that a step of an example gives to a build is a parameter" {
  oci-params --list | cut -f 1 >parameters
  for file in "$top"/examples/*.y*ml; do
    /usr/bin/python3 - "$file" parameters <<'END'
import fnmatch
import sys

import yaml

parameters = open(sys.argv[2]).read().split()


def blocks(node):
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name in ("params", "env", "variables"))
        for value in node.values():
            yield from blocks(value)
    elif isinstance(node, list):
        for value in node:
            yield from blocks(value)


names = set()
for block in blocks(list(yaml.safe_load_all(open(sys.argv[1])))):
    names |= {each["name"] for each in block} if isinstance(block, list) else set(block)
for name in sorted(name for name in names if name.isupper() and name not in ("TOKEN", "REPOSITORY", "IMAGE")):
    assert any(fnmatch.fnmatch(name, parameter) for parameter in parameters), name
END
  done
}

@test "README's blocks of YAML are YAML, and give builds parameters only" {
  oci-params --list | cut -f 1 >parameters
  awk '/^```yaml/ {name = "block" ++count; next} /^```/ {name = ""} name {print >name}' "$top/README.md"
  for block in block*; do
    /usr/bin/python3 - "$block" parameters <<'END'
import fnmatch
import sys

import yaml

parameters = open(sys.argv[2]).read().split()


def walk(node):
    if isinstance(node, dict):
        for name in node.get("params", {}):
            yield name
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


names = [name for name in walk(yaml.safe_load(open(sys.argv[1]))) if name != "image"]
for name in names:
    assert any(fnmatch.fnmatch(name, parameter) for parameter in parameters), name
END
  done
}

@test "credential helpers: the image has them, and registries are opened by them" {
  mkdir helpers image docker
  cp "$top/tests/support/docker-credential-fake" helpers/docker-credential-ecr-login
  printf 'FROM scratch\nCOPY . /\n' >base.Dockerfile
  mkdir -p tools/usr/bin
  # The tools' own image, as far as this needs it; the compiler's stage is the directory of helpers.
  CONTEXT=tools DOCKERFILE=base.Dockerfile build
  mkdir base
  mv image/image.tar base/
  mkdir -p stage/helpers
  mv helpers/* stage/helpers/
  BUILD_CONTEXTS=oci-build=base/image.tar,helpers=stage DOCKERFILE=$top/examples/credential-helpers.Dockerfile \
    UNPACK_ROOTFS=true build
  [ -x image/rootfs/usr/bin/docker-credential-ecr-login ]
  # As a task in that image.
  PATH=$PWD/image/rootfs/usr/bin:$PATH
  export DOCKER_CONFIG=$PWD/docker FAKE_USER=user FAKE_PASSWORD=secret
  printf '{"credHelpers": {"%s": "ecr-login"}}' "$REGISTRY" >docker/config.json
  oci-push image/image.tar "$REGISTRY/helped:1"
  skopeo inspect --raw --tls-verify=false --creds user:secret "docker://$REGISTRY/helped:1" >/dev/null
}
