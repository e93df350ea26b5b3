# Requests for oci-preload and oci-solve, without oci-params.

# make_request [FILTER...]: prints a request that builds $CONTEXT (default: .) with its Dockerfile and exports
# nothing, changed by jq filters: make_request '.targets[0].output = "out"' '.no_cache = true'. The engine is that of
# E2E_ENGINE, BuildKit by default, and the isolation of E2E_ISOLATION, by default the first that works.
make_request() {
  local filter=. part
  for part in "$@"; do
    filter+=" | $part"
  done
  jq -n --arg context "${CONTEXT:-.}" --arg engine "${E2E_ENGINE:-buildkit}" --arg isolation "${E2E_ISOLATION:-auto}" '{
    schema: "oci-build/request/1", $engine, $isolation, $context, dockerfile: ($context + "/Dockerfile"),
    targets: [{name: null, output: null}],
    platforms: [], build_args: [], labels: [], annotations: [], preloads: [], contexts: [], secrets: [], ssh: [],
    add_hosts: [], entitlements: [], proxies: [],
    output: {format: "docker", repo_tags: [], unpack_rootfs: false, rewrite_timestamp: false, compression: null,
             compression_level: null},
    no_cache: false, no_cache_stages: [], source_date_epoch: null, cache: {directory: null, from: [], to: [], max_size: null, max_age: null},
    provenance: null, sbom: null, registry_mirrors: [], buildkit_config: null, remote: null, docker_config: null,
    progress: "auto", graph: null, debug: false}' | jq -c "$filter"
}

# preload ROLE NAME LAYOUT DIGEST: a jq filter that adds an image as oci-preload would.
preload() {
  jq -nr --arg role "$1" --arg name "$2" --arg layout "$3" --arg digest "$4" \
    '{$role, $name, path: $layout, layout: {directory: $layout, $digest}} | ".preloads += [\(tojson)]"'
}
