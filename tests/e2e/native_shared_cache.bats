#!/usr/bin/env bats
# CACHE_FROM and CACHE_TO on the native engine: what one worker has made another does not make again, and what is wrong
# with such a cache fails no build.

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  REGISTRY_PID=''
  SERVER_PIDS=()
  cat >src/Dockerfile <<'END'
FROM busybox AS tools
RUN date +%s%N >/tool && dd if=/dev/urandom of=/large bs=1M count=1 2>&1
FROM busybox
RUN date +%s%N >/file
COPY --from=tools /tool /tool
COPY Dockerfile /copied
END
}

teardown() {
  stop_servers
  stop_registry
}

# worker NAME [FILTER...]: builds into `out` with the state directory of that worker.
worker() {
  rm -rf out/*
  make_request '.engine = "native"' "$(serve_busybox)" "$(to_output)" "${@:2}" >request
  run --separate-stderr oci-solve --state-dir "$1" <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
  cp out/image.tar "image-of-$1.tar"
}

to() { echo ".cache.to = [{entry: \"$1\"}]"; }
from() { echo ".cache.from = [{entry: \"$1\"}]"; }

# same_image A B: those two workers made the same image.
same_image() {
  [ "$(oci-digest "image-of-$1.tar")" = "$(oci-digest "image-of-$2.tar")" ]
}

# Blobs that the worker has.
blobs_of() { find "$1/blobs/sha256" -type f -size +500k | wc -l; }

# ran: the steps that the last build has run.
ran() { grep -c 'not cached: ' <<<"$stderr" || true; }

@test "two workers share steps by a registry with TLS and a password, and the second pulls what its image needs alone" {
  start_registry "$PWD/r" --tls --auth alice:secret
  docker_login "$PWD/login" "$REGISTRY" alice secret
  local known ref=type=registry,ref=$REGISTRY/app:cache
  known=".docker_config = \"$PWD/login\" | .buildkit_config = \"[registry.\\\"$REGISTRY\\\"]\\nhttp=false\\nca=[\\\"$PWD/r/ca.pem\\\"]\\n\""
  worker a "$known" "$(to "$ref,mode=max")"
  [ "$(ran)" -eq 4 ]
  [[ "$stderr" == *"exporting cache to $REGISTRY/app:cache"*'4 layers, 4 of them sent'* ]]
  worker b "$known" "$(from "$ref")"
  [ "$(ran)" -eq 0 ]
  same_image a b
  [ "$(blobs_of a)" -eq 1 ]
  [ "$(blobs_of b)" -eq 0 ] # the stage that the image only copies from
  # What it has is not pulled again, and what is there is not sent again.
  local before
  before=$(requests_to_registry r | wc -l)
  worker b "$known" "$(from "$ref")"
  run ! grep '^GET' <(requests_to_registry r | tail -n "+$((before + 1))")
  worker a "$known" "$(to "$ref,mode=max")"
  [[ "$stderr" == *'4 layers, 0 of them sent'* ]]
  # What changed is made, the rest is not.
  echo '# changed' >>src/Dockerfile
  worker c "$known" "$(from "$ref")"
  [ "$(ran)" -eq 1 ]
  [[ "$stderr" == *'COPY Dockerfile /copied'* ]]
}

@test "a cache that is written from another of the same registry takes its layers there, and the build does not" {
  start_registry "$PWD/r"
  worker a "$(to "type=registry,ref=$REGISTRY/main:cache,mode=max")"
  worker b "$(from "type=registry,ref=$REGISTRY/main:cache")" "$(to "type=registry,ref=$REGISTRY/branch:cache,mode=max")"
  [[ "$stderr" == *'4 layers, 0 of them sent'* ]]
  [ "$(blobs_of b)" -eq 0 ]
  worker c "$(from "type=registry,ref=$REGISTRY/branch:cache")"
  [ "$(ran)" -eq 0 ]
  same_image a c
}

@test "two workers share steps by a directory" {
  worker a "$(to type=local,dest=shared,mode=max)"
  worker b "$(from type=local,src=shared)"
  [ "$(ran)" -eq 0 ]
  same_image a b
  run ! grep -q warning <<<"$stderr"
  # What is written keeps to the schema that stands beside the code.
  local manifest config
  manifest=$(jq -r '.manifests[0].digest' shared/index.json)
  config=$(jq -r '.config | select(.mediaType == "application/vnd.oci-build.cache.v1+json").digest' "shared/blobs/sha256/${manifest#sha256:}")
  /usr/bin/python3 -W ignore -m jsonschema -i "shared/blobs/sha256/${config#sha256:}" \
    "$BATS_TEST_DIRNAME/../../common/cache/records.schema.json"
}

@test "mode=min shares the layers of the image alone" {
  worker a "$(to type=local,dest=shared)"
  [[ "$stderr" == *'3 layers, 3 of them sent'* ]]
  [ "$(find shared/blobs/sha256 -type f -size +500k | wc -l)" -eq 0 ]
}

@test "mode=min shares the layers of an image with other times, too" {
  worker a "$(to type=local,dest=shared)" '.output.rewrite_timestamp = true | .source_date_epoch = "1000000000"'
  [[ "$stderr" == *'3 layers, 3 of them sent'* ]]
  worker b "$(from type=local,src=shared)" '.output.rewrite_timestamp = true | .source_date_epoch = "1000000000"'
  grep -qx "$(sed -n 's/^\(#[0-9]*\) \[stage-1 1\/4\] .*/\1/p' <<<"$stderr") CACHED" <<<"$stderr"
}

# config_of ARCHIVE [FILTER]: the config of an image.
config_of_archive() { tar -xOf "$1" "$(tar -xOf "$1" manifest.json | jq -r '.[0].Config')" | jq -cS "${2:-.}"; }

@test "type=inline puts the cache into the image, wherever that is copied to, and leaves it as it is otherwise" {
  start_registry "$PWD/r"
  printf 'FROM busybox\nWORKDIR /w\nCOPY data .\nRUN date +%%s%%N >file; rm /etc/passwd\nRUN cat file\nCMD ["x"]\n' | dockerfile
  echo data >src/data
  worker a "$(to type=inline)"
  local copy
  # With its layers compressed anew, as skopeo does, and with those that it has, as a task's put does.
  skopeo copy -q docker-archive:image-of-a.tar "docker://$REGISTRY/app:1" --dest-tls-verify=false
  make_request '.engine = "native"' "$(serve_busybox)" "$(to_output)" "$(to type=inline)" '.output.format = "oci"' | oci-solve --state-dir a
  skopeo copy -q oci:out/image "docker://$REGISTRY/app:2" --dest-tls-verify=false
  [ "$(skopeo inspect --tls-verify=false "docker://$REGISTRY/app:1" | jq -c .Layers)" != \
    "$(skopeo inspect --tls-verify=false "docker://$REGISTRY/app:2" | jq -c .Layers)" ]
  for copy in 1 2; do
    worker "b$copy" "$(from "type=registry,ref=$REGISTRY/app:$copy")"
    [ "$(ran)" -eq 0 ] || { echo "$copy: $stderr"; return 1; }
    run ! grep -q warning <<<"$stderr"
    [ "$(config_of_archive "image-of-b$copy.tar")" = "$(config_of_archive image-of-a.tar 'del(.["oci-build.cache.v1"])')" ]
  done
  # A build with all in its cache makes the same image with it, byte for byte.
  mv image-of-a.tar first.tar
  worker a "$(to type=inline)"
  [ "$(oci-digest image-of-a.tar)" = "$(oci-digest first.tar)" ]
  # What changed is made, on what is there.
  sed -i 's/cat file/cat file; ! cat \/etc\/passwd/' src/Dockerfile
  worker c "$(from "type=registry,ref=$REGISTRY/app:1")"
  [ "$(ran)" -eq 1 ]
  # Who builds on it does not take it over, and of an image without one nothing is taken.
  printf 'FROM %s/app:1\nRUN true\n' "$REGISTRY" | dockerfile
  worker d
  [ "$(config_of_archive image-of-d.tar 'has("oci-build.cache.v1")')" = false ]
  skopeo copy -q docker-archive:image-of-d.tar "docker://$REGISTRY/app:3" --dest-tls-verify=false
  worker e "$(from "type=registry,ref=$REGISTRY/app:3")"
  [[ "$stderr" == *"warning: no cache from $REGISTRY/app:3: it is an image without a cache; CACHE_TO of type=inline makes one with it"* ]]
}

@test "type=inline works for images of several platforms, in an OCI layout" {
  printf 'FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\nCOPY --link Dockerfile /all\n' | dockerfile
  local two='.platforms = [{platform: "linux/amd64"}, {platform: "linux/arm64"}] | .output.format = "oci"'
  make_request '.engine = "native"' "$(to type=inline)" "$(to_output)" "$two" >request
  run --separate-stderr oci-solve --state-dir a <request
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  mv out/image shared
  make_request '.engine = "native"' "$(from type=local,src=shared,tag=latest)" "$(to_output)" "$two" >request
  run --separate-stderr oci-solve --state-dir b <request
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  [ "$(ran)" -eq 0 ] || { echo "$stderr"; return 1; }
}

@test "a shared cache that is gone, damaged or lies is passed over" {
  worker a "$(to type=local,dest=shared,mode=max)"
  local layer
  for layer in $(jq -r '.manifests[0].digest' shared/index.json | sed 's/sha256://' |
    xargs -I{} jq -r '.layers[].digest' shared/blobs/sha256/{}); do
    echo damaged >"shared/blobs/sha256/${layer#sha256:}"
  done
  worker b "$(from type=local,src=shared)"
  [[ "$stderr" == *'warning: building again without CACHE_FROM: '*'is damaged'* ]]
  echo '{}' >shared/index.json
  worker c "$(from type=local,src=shared)"
  [[ "$stderr" == *"warning: no cache from directory 'shared': "* ]]
  worker d "$(from type=registry,ref=127.0.0.1:1/app)"
  [[ "$stderr" == *'warning: no cache from 127.0.0.1:1/app:latest: '* ]]
}

@test "a cache that cannot be written is a warning, and an error where ignore-error=false asks for that" {
  worker a "$(to type=registry,ref=127.0.0.1:1/app)"
  [[ "$stderr" == *'warning: the cache is not written to 127.0.0.1:1/app:latest: '*'; the build goes on, as ignore-error=false does not stand in CACHE_TO'* ]]
  make_request '.engine = "native"' "$(serve_busybox)" "$(to type=registry,ref=127.0.0.1:1/app,ignore-error=false)" >request
  run --separate-stderr oci-solve --state-dir a <request
  [ "$status" -eq 1 ]
  [[ "$stderr" == *'CACHE_TO: the cache is not written to 127.0.0.1:1/app:latest: '* ]]
}

@test "what is BuildKit's alone is left to it, and what is wrong is an error that names the parameter" {
  local entry
  for entry in type=s3,bucket=b type=gha type=azblob,name=n; do
    make_request '.engine = "native"' "$(to "$entry")" >request
    run --separate-stderr oci-solve <request
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"the build asks for CACHE_TO with ${entry%%,*}, which the native engine does not do"* ]]
  done
  for entry in compression compression-level force-compression oci-mediatypes=false image-manifest=false registry.insecure=true; do
    make_request '.engine = "native"' "$(to "type=registry,ref=app,$entry$([[ $entry == *=* ]] || echo =1)")" >request
    run --separate-stderr oci-solve <request
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"the build asks for CACHE_TO with $entry, which the native engine does not do"* ]]
  done
  make_request '.engine = "native"' "$(to type=registry,ref=app,mdoe=max)" >request
  run --separate-stderr oci-solve <request
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"CACHE_TO: the attribute 'mdoe' is unknown for a cache that is written; did you mean 'mode'?"* ]]
}

# lies CODE: what Python does to `steps`, the records of the cache in `shared`; layer(I, BYTES) exchanges the layer of one.
lies() {
  /usr/bin/python3 - "$1" <<'END'
import hashlib, io, json, sys, tarfile
def path(digest): return 'shared/blobs/sha256/' + digest[7:]
def put(content):
    digest = 'sha256:' + hashlib.sha256(content).hexdigest()
    open(path(digest), 'wb').write(content)
    return {'digest': digest, 'size': len(content)}
def read(descriptor): return json.load(open(path(descriptor['digest'])))
def archive(member):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode='w') as tar: tar.addfile(member)
    return content.getvalue()
def layer(step, content):
    step.update(put(content), media_type='application/vnd.oci.image.layer.v1.tar')
    step['diff_id'] = step['digest']
index = json.load(open('shared/index.json'))
manifest = read(index['manifests'][0])
records = read(manifest['config'])
steps, notes = records['steps'], records['notes']
exec(sys.argv[1])
manifest['layers'] = [{'mediaType': s['media_type'], 'digest': s['digest'], 'size': s['size']} for s in steps]
manifest['config'].update(put(json.dumps(records).encode()))
index['manifests'][0].update(put(json.dumps(manifest).encode()))
json.dump(index, open('shared/index.json', 'w'))
END
}

@test "what a shared layer removes is gone in the steps above it" {
  dockerfile <<'END'
FROM busybox
RUN echo kept >/kept && echo gone >/gone
RUN rm /gone
RUN [ ! -e /gone ]
END
  worker a "$(to type=local,dest=shared,mode=max)"
  sed -i '$ s/$/ \&\& cat \/kept/' src/Dockerfile
  worker b "$(from type=local,src=shared)"
  [ "$(ran)" -eq 1 ]
  worker b "$(from type=local,src=shared)"
  [ "$(ran)" -eq 0 ]
  # Also by who has the record from there.
  sed -i '$ s/$/ \/kept/' src/Dockerfile
  worker b
  [ "$(ran)" -eq 1 ]
}

@test "a shared layer that cannot be unpacked costs time, and no later build" {
  dockerfile <<'END'
FROM busybox
RUN echo made >/file
END
  worker a "$(to type=local,dest=shared,mode=max)"
  lies "
link = tarfile.TarInfo('link')
link.type, link.linkname = tarfile.LNKTYPE, 'nothing'
layer(steps[0], archive(link))"
  worker b "$(from type=local,src=shared)" # which looks into none
  [ "$(ran)" -eq 0 ]
  echo 'RUN cat /file' >>src/Dockerfile
  worker b
  [[ "$stderr" == *'building again, as a layer in the cache was damaged'* ]]
  worker c "$(from type=local,src=shared)"
  [[ "$stderr" == *'warning: building again without CACHE_FROM: '*'hard link'* ]]
  worker c "$(from type=local,src=shared)"
  [ "$(ran)" -eq 0 ]
}

@test "what a shared cache says of the files that a step reads decides about no later build" {
  local name layer
  cat >src/Dockerfile <<'END'
FROM busybox AS tools
RUN echo two >/tool
FROM busybox
COPY --from=tools /tool /tool
END
  worker a "$(to type=local,dest=shared,mode=max)"
  mv shared two
  sed -i 's/two/one/' src/Dockerfile
  worker a "$(to type=local,dest=shared,mode=max)"
  cp -r shared one
  # The files of the stage are said to be those of the other one: of a step that nobody has made, and of one that has
  # been made up.
  lies "
two = json.load(open('two/index.json'))['manifests'][0]
for name in 'manifest', 'config':
    two = json.load(open('two/blobs/sha256/' + two['digest'][7:]))
    two = two['config'] if name == 'manifest' else two
notes[0]['digest'] = two['notes'][0]['digest']
def is_copy(step): return any(part['kind'] == 'files' for part in step['parts'])
records['steps'] = steps = [step for step in steps if not is_copy(step)]
json.dump([step for step in two['steps'] if is_copy(step)], open('copies', 'w'))"
  worker b "$(from type=local,src=shared)"
  [ "$(ran)" -eq 1 ]
  lies "
steps += json.load(open('copies'))
made_up = tarfile.TarInfo('tool')
layer(steps[-1], archive(made_up))"
  worker c "$(from type=local,src=shared)"
  [ "$(ran)" -eq 0 ]
  sed -i 's/one/two/' src/Dockerfile
  for name in b c; do
    worker "$name"
    layer=$(tar xOf "image-of-$name.tar" manifest.json | jq -r '.[0].Layers[-1]')
    [ "$(tar xOf "image-of-$name.tar" "$layer" | tar xzO tool)" = two ]
  done
}
