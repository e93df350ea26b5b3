#!/usr/bin/env bats
# What the native engine says: progress in BuildKit's form, warnings, and errors that show the place.
bats_require_minimum_version 1.5.0

load ../support/load

setup_file() {
  prepare_base
}

setup() {
  enter_build
}

# build [FILTER...]: a build by the native engine.
build() {
  solve '.engine = "native"' "$@"
}

# fails_with TEXT: the build ended with 1, and the last words were TEXT.
fails_with() {
  [ "$status" -eq 1 ] || { echo "exit code $status: $stderr"; return 1; }
  [[ $stderr == *"oci-solve: ${1//$'\n'/$'\n'oci-solve: }" ]] || { echo "$stderr"; return 1; }
}

# ordered: the progress on stdin with each vertex in one piece, those that may come in any order sorted by title.
ordered() {
  python3 -c '
import re, sys
vertices = {}
for line in sys.stdin:
    found = re.match(r"#(\d+) (.*)", line)
    if found and found[2] != "...":
        vertices.setdefault(found[1], []).append(found[2])
def key(lines):
    return (0, lines[0]) if lines[0].startswith(("[internal]", "[context")) else (1, "")
for number, lines in enumerate(sorted(vertices.values(), key=key), 1):
    title = lines[0]  # said again whenever a vertex goes on
    print(*[f"#{number} {line}" for line in [title, *(line for line in lines if line != title)]], "", sep="\n")'
}

@test "the progress of a whole build is the golden one" {
  dockerfile <<'END'
# check=skip=JSONArgsRecommended
FROM busybox as base
ARG WORD=there
WORKDIR /work
RUN echo "hello $WORD"; printf 'no line feed'
FROM base
COPY --from=base /work /copy
COPY Dockerfile \
     /copy/
RUN <<END_OF_SCRIPT
echo 10%; printf '20%%\r30%%\r\n'
echo done
END_OF_SCRIPT
CMD true
END
  build "$(to_output)"
  [ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
  ordered <<<"$stderr" | sed -E -e '/^oci-solve: /d' -e 's/sha256:[0-9a-f]{64}( [0-9.]+k?B)?/DIGEST/;s/[0-9.]+s done$/Ts done/' \
    -e 's/^(#[0-9]+) [0-9]+\.[0-9]{3} /\1 T /' -e 's/ DONE [0-9.]+s$/ DONE Ts/' >shown
  local golden=$BATS_TEST_DIRNAME/../golden/native-progress
  [ -z "${ACCEPT-}" ] || cp shown "$golden"
  diff "$golden" shown
}

@test "steps at the same time take turns, and what is stopped is called canceled" {
  dockerfile <<'END'
FROM busybox AS slow
RUN i=0; while [ $i -lt 600 ]; do i=$((i + 1)); echo "slow $i"; sleep 0.1; done
FROM busybox AS broken
RUN sleep 1; echo 'it breaks'; exit 3
FROM busybox
COPY --from=slow /etc/passwd /one
COPY --from=broken /etc/passwd /two
END
  build
  fails_with 'Dockerfile:4: process "/bin/sh -c sleep 1; echo '"'it breaks'"'; exit 3" did not complete successfully: exit code: 3
--------------------
   2 |     RUN i=0; while [ $i -lt 600 ]; do i=$((i + 1)); echo "slow $i"; sleep 0.1; done
   3 |     FROM busybox AS broken
   4 | >>> RUN sleep 1; echo '"'it breaks'"'; exit 3
   5 |     FROM busybox
   6 |     COPY --from=slow /etc/passwd /one
--------------------'
  grep -qE '^#[0-9]+ CANCELED$' <<<"$stderr"
  grep -qE '^#[0-9]+ \.\.\.$' <<<"$stderr"
  grep -qE '^#[0-9]+ ERROR: process ' <<<"$stderr"
  # The last lines of the step that failed stand right before the error.
  [[ $(tail -n 12 <<<"$stderr" | sed -E 's/^[0-9.]+ //') == '------
 > [broken 1/2] RUN sleep 1; echo '"'it breaks'"'; exit 3:
it breaks
------
oci-solve: '* ]]
}

@test "a step that fails names its instruction, a trigger the FROM that fires it" {
  dockerfile <<'END'
FROM busybox AS parent
ONBUILD COPY none /
ONBUILD RUN true

FROM parent
END
  build
  fails_with 'Dockerfile:5: failed to compute cache key: failed to calculate checksum: "/none": not found
--------------------
   3 |     ONBUILD RUN true
   4 |     
   5 | >>> FROM parent
   6 |     
--------------------'
  grep -q 'ONBUILD COPY none /$' <<<"$stderr"
}

@test "every line of the instruction is marked, and of several sources the one that is missing gets the caret" {
  dockerfile <<'END'
FROM busybox
COPY Dockerfile \
     none \
     /x/
END
  build
  fails_with 'Dockerfile:3: failed to compute cache key: failed to calculate checksum: "/none": not found
--------------------
   1 |     FROM busybox
   2 | >>> COPY Dockerfile \
   3 | >>>      none \
     |          ^
   4 | >>>      /x/
   5 |     
--------------------'
}

@test "an image that cannot be pulled names its FROM and the image" {
  dockerfile <<'END'
FROM busybox AS unused
FROM 127.0.0.1:1/no/image:tag
END
  build
  [ "$status" -eq 1 ]
  grep -q '^oci-solve: Dockerfile:2: 127\.0\.0\.1:1/no/image:tag: ' <<<"$stderr"
  [[ $stderr == *'
oci-solve:    2 | >>> FROM 127.0.0.1:1/no/image:tag
oci-solve:      |          ^
oci-solve:    3 |     
oci-solve: --------------------' ]]
  grep -q '^#2 \[internal\] load metadata for 127.0.0.1:1/no/image:tag$' <<<"$stderr"
}

@test "what a full disk cuts short is an error, with the layer that found it full" {
  cp "$(command -v busybox)" src/busybox
  head -c 6000000 /dev/urandom >src/large
  dockerfile <<'END'
FROM scratch AS slow
COPY busybox /
RUN --mount=type=cache,id=meeting,target=/meeting \
    ["/busybox", "sh", "-c", "/busybox touch /meeting/here; exec /busybox sleep 600"]
FROM scratch
COPY busybox /
RUN --mount=type=cache,id=meeting,target=/meeting \
    ["/busybox", "sh", "-c", "until [ -e /meeting/here ]; do /busybox sleep 0.01; done"]
COPY large /
COPY --from=slow /busybox /
END
  mkdir small
  # shellcheck disable=SC2016
  run --separate-stderr unshare -m sh -c 'mount -t tmpfs -o size=9M tmpfs small && TMPDIR=$PWD/small exec oci-solve --engine native' \
    < <(make_request "$(to_output)")
  [ "$status" -eq 1 ]
  grep -qE "^#[0-9]+ ERROR: cannot write '.*': No space left on device$" <<<"$stderr" || { echo "$stderr"; return 1; }
  grep -qE "^#[0-9]+ ERROR: stopped: cannot write '.*': No space left on device$" <<<"$stderr"
  run ! grep -q CANCELED <<<"$stderr"
}

@test "an unknown user names the RUN" {
  dockerfile <<'END'
FROM busybox
USER nosuch
RUN true
END
  build
  fails_with 'Dockerfile:3: process "/bin/sh -c true" did not complete successfully: unable to find user nosuch: no matching entries in passwd file
--------------------
   1 |     FROM busybox
   2 |     USER nosuch
   3 | >>> RUN true
   4 |     
--------------------'
}

@test "a step that cannot be started says why, and fails as if it had run" {
  dockerfile <<'END'
FROM busybox
RUN ["/no/such", "program"]
END
  build
  fails_with 'Dockerfile:2: process "/no/such program" did not complete successfully: exit code: 1
--------------------
   1 |     FROM busybox
   2 | >>> RUN ["/no/such", "program"]
   3 |     
--------------------'
  grep -q '^#[0-9]* [0-9.]* exec /no/such: No such file or directory$' <<<"$stderr"
}

@test "warnings can be silenced, or be made errors" {
  dockerfile <<'END'
# check=skip=StageNameCasing;error=true
FROM busybox AS Base
EXPOSE 53/UDP
ENV TOKEN=x
END
  build
  fails_with 'lint violation found for rules: ExposeProtoCasing, SecretsUsedInArgOrEnv'
  [ "$(grep -c ' WARN: ' <<<"$stderr")" -eq 2 ]
  build '.build_args = [{"name": "BUILDKIT_DOCKERFILE_CHECK", "value": "skip=all"}]'
  [ "$status" -eq 0 ]
  run ! grep -q WARN <<<"$stderr"
}

@test "a COPY of an ignored file is warned of" {
  touch src/secret
  echo 'secret' >src/.dockerignore
  dockerfile <<'END'
FROM busybox
COPY secret* Dockerfile secre[t] /
COPY secret /
END
  build
  [ "$status" -eq 1 ]
  grep -qF ' WARN: CopyIgnoredFile: Attempting to Copy file "secret" that is excluded by .dockerignore (line 3)' <<<"$stderr"
}

@test "what a Dockerfile leaves to BuildKit is said with the way out" {
  printf '# syntax=example.com/mine\nFROM busybox\n' >src/Dockerfile
  build
  fails_with "Dockerfile:1: only the BuildKit engine can use the syntax image 'example.com/mine': set ENGINE=buildkit
--------------------
   1 | >>> # syntax=example.com/mine
     |              ^
   2 |     FROM busybox
   3 |     
--------------------"
  printf 'FROM busybox\nRUN --device=vendor.com/gpu=all true\n' >src/Dockerfile
  build
  fails_with 'Dockerfile:2: only the BuildKit engine can give devices to a step: set ENGINE=buildkit
--------------------
   1 |     FROM busybox
   2 | >>> RUN --device=vendor.com/gpu=all true
     |         ^
   3 |     
--------------------'
  printf 'FROM busybox AS a\nONBUILD RUN --device=vendor.com/gpu=all true\nFROM a\nRUN true\n' >src/Dockerfile
  build
  fails_with 'Dockerfile:3: only the BuildKit engine can give devices to a step: set ENGINE=buildkit
--------------------
   1 |     FROM busybox AS a
   2 |     ONBUILD RUN --device=vendor.com/gpu=all true
   3 | >>> FROM a
   4 |     RUN true
   5 |     
--------------------'
  run ! grep -q '^#[0-9]* .*RUN true' <<<"$stderr"
}

@test "the Dockerfile may be called dockerfile" {
  echo 'FROM busybox' >src/dockerfile
  build
  [ "$status" -eq 0 ]
}

@test "of several files that are not in the context the last is named, before a step runs" {
  dockerfile <<'END'
FROM scratch
COPY nosuch /a
RUN --mount=source=nothing,target=/m true
COPY Dockerfile /b
END
  build
  [ "$status" -eq 1 ]
  [[ $stderr == *'Dockerfile:3'* ]]
  grep -q '^#[0-9]* \[stage-0 2/3\] RUN --mount' <<<"$stderr"
  grep -q '^#[0-9]* ERROR: .*"/nothing": not found$' <<<"$stderr"
  [[ $stderr != *'"/nosuch"'* ]]
}

@test "an epoch after the year 9999 is refused" {
  dockerfile <<<'FROM scratch'
  build '.source_date_epoch = "253402300800"'
  fails_with "SOURCE_DATE_EPOCH: '253402300800' is after the year 9999; give seconds since 1970"
}

@test "a wildcard does not look deeper than it can match, and no deeper than a name can be" {
  python3 -c '
import os
os.mkdir("src/d")
os.chdir("src/d")
for i in range(2100):
    os.mkdir("x")
    os.chdir("x")'
  printf 'FROM scratch\nCOPY d/*/y* /\n' >src/Dockerfile
  solve '.engine = "native"'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"lstat /d: no such file or directory"* ]]
  printf 'FROM scratch\nCOPY d/[x]*/y* /\n' >src/Dockerfile
  solve '.engine = "native"'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"file name too long"* ]]
  rm -rf src/d
}

@test "--graph shows the steps of a build, of one that fails and of a plan" {
  dockerfile <<'END'
FROM busybox AS one
RUN echo '<b>"one"' >/one
FROM busybox
COPY --from=one /one /two
RUN exit 3
END
  make_request '.engine = "native"' "$(serve_busybox)" '.graph = "steps.dot"' >request
  run ! oci-solve --state-dir state <request
  [[ "$output" == *"oci-solve: the steps are shown in 'steps.dot'"* ]]
  grep -F 'COPY --from=one /one /two\n0.' steps.dot
  grep -F 'RUN exit 3\nERROR 0.' steps.dot
  [ "$(grep -c -- ' -> ' steps.dot)" -eq 4 ]
  run -0 --separate-stderr oci-solve --state-dir state --plan --graph steps.html <request
  [[ "$output" == *'2 cached, 1 would run, 0 unknown' ]]
  grep -F '<title>[one 1/2] RUN echo &#39;&lt;b&gt;&quot;one&quot;&#39;' steps.html
  [ "$(grep -oF '>CACHED<' steps.html | wc -l)" -eq 2 ]
  [ "$(grep -oF '>would run<' steps.html | wc -l)" -eq 1 ]
  run ! oci-solve --graph steps.png <request
  [ "$output" = "oci-solve: the graph 'steps.png' ends neither in '.html' nor in '.dot'" ]
}

@test "progress as JSON and none at all" {
  dockerfile <<'END'
FROM busybox
RUN echo said && exit 3
END
  make_request '.engine = "native"' "$(serve_busybox)" '.progress = "quiet"' >request
  run ! --separate-stderr oci-solve <request
  diff - <(sed -E '1d; s/^[0-9.]+ /T /; 5,$d' <<<"$stderr") <<'END'
------
 > [1/2] RUN echo said && exit 3:
T said
END
  run ! --separate-stderr oci-solve --progress rawjson <request
  grep '^{' <<<"$stderr" >updates
  [ "$(jq -r '.logs[]?.data | @base64d' updates)" = said ]
  [ "$(jq -r '.vertexes[]? | select(.error) | .name' updates)" = '[1/2] RUN echo said && exit 3' ]
  run ! oci-solve --progress fancy <request
  [ "$output" = "oci-solve: --progress: 'fancy' is none of 'auto', 'plain', 'tty', 'quiet', 'rawjson'" ]
}
