#!/usr/bin/env bats
# Build arguments, labels and annotations, from variables and from files.

load ../support/load

setup() {
  require_engine
  enter_task
}

@test "build args: BUILD_ARG_* reach the build as they are" {
  succeed_task CONTEXT="$FIXTURES/build-args" BUILD_ARG_first=one BUILD_ARG_second='two words'
}

@test "build args file: each line of BUILD_ARGS_FILE is one" {
  succeed_task CONTEXT="$FIXTURES/build-args" BUILD_ARGS_FILE="$FIXTURES/build-args/args"
}

@test "build args yaml file: values may have several lines" {
  succeed_task CONTEXT="$FIXTURES/build-args" BUILD_ARGS_FILE="$FIXTURES/build-args/args.yml"
  [ "$(label_of lines)" = $'line 1\nline 2' ]
}

@test "build args static and file: both count" {
  succeed_task CONTEXT="$FIXTURES/build-args" BUILD_ARG_first=one BUILD_ARGS_FILE="$FIXTURES/build-args/second-only"
}

@test "build args: quotes, commas, equals signs, dollars and line breaks survive" {
  local odd=$'a=b,"c" \'d\' $e\nf\\'
  succeed_task CONTEXT="$FIXTURES/build-args" BUILD_ARG_first=one BUILD_ARG_second='two words' BUILD_ARG_lines="$odd"
  [ "$(label_of lines)" = "$odd" ]
}

@test "labels: LABEL_* become labels of the image" {
  succeed_task CONTEXT="$FIXTURES/labels" LABEL_first=one LABEL_second='two words'
  [ "$(config_of | jq -c .config.Labels)" = '{"first":"one","second":"two words"}' ]
}

@test "labels file: each line of LABELS_FILE is one" {
  succeed_task CONTEXT="$FIXTURES/labels" LABELS_FILE="$FIXTURES/labels/labels"
  [ "$(config_of | jq -c .config.Labels)" = '{"first":"one","second":"two words"}' ]
}

@test "labels static, file and Dockerfile: all count" {
  succeed_task CONTEXT="$FIXTURES/labels" DOCKERFILE="$FIXTURES/labels/labelled.Dockerfile" LABEL_first=one \
    LABELS_FILE="$FIXTURES/labels/second-only"
  [ "$(config_of | jq -cS .config.Labels)" = '{"first":"one","from_dockerfile":"kept","second":"two words"}' ]
}

@test "annotations: ANNOTATION_* are written into the manifest" {
  succeed_task CONTEXT="$FIXTURES/labels" OUTPUT_OCI=true ANNOTATION_org.example.note='two words'
  [ "$(skopeo inspect --raw oci:image/image | jq -r '.annotations["org.example.note"]')" = 'two words' ]
}
