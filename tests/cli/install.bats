#!/usr/bin/env bats
# What cmake --install leaves, the Debian package of it, and the completions.

load ../support/load

setup() {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  cd "$BATS_TEST_TMPDIR" || return
}

# files_below DIR: every file and link, sorted, without DIR.
files_below() {
  (cd "$1" && find . ! -type d -printf '%P\n' | LC_ALL=C sort)
}

# The tools and the other name of one of them.
names=(build oci-build oci-digest oci-merge oci-params oci-preload oci-push oci-solve oci-unpack)

@test "an installation is complete, down to notices, schemas and completions of three shells" {
  local name
  DESTDIR=$PWD/root cmake --install "$top/build-dev" --prefix /usr >log
  {
    printf 'bin/%s\n' "${names[@]}"
    printf 'share/bash-completion/completions/%s\n' "${names[@]}"
    printf 'share/fish/vendor_completions.d/%s.fish\n' "${names[@]}"
    printf 'share/zsh/vendor-completions/_oci-build\n'
    printf 'share/man/man1/%s.1\n' "${names[@]}"
    printf 'share/doc/oci-build/%s\n' CHANGELOG.md LICENSE README.md SECURITY.md THIRD-PARTY
    (cd "$top" && find common -name '*.schema.json' -printf 'share/oci-build/schemas/%f\n')
  } | LC_ALL=C sort >expected
  diff expected <(files_below root/usr)
  for name in "${names[@]}"; do
    [ -s "root/usr/share/man/man1/$name.1" ]
    [ -s "root/usr/share/bash-completion/completions/$name" ]
    "root/usr/bin/$name" --version
  done
  # A link beside its target is right wherever the tree is moved to.
  [ "$(readlink root/usr/bin/build)" = oci-build ]
  [ "$(find root -type l -lname '/*')" = '' ]
  jq -e . root/usr/share/oci-build/schemas/*.json >/dev/null
}

@test "links to oci-build that have the name of another tool are that tool, as static programs are installed" {
  local tool
  for tool in oci-digest oci-params oci-preload oci-unpack; do
    ln -s "$top/build-dev/bin/oci-build" "$tool"
    diff <("./$tool" --help) <("$top/build-dev/bin/$tool" --help)
  done
  ln -s "$top/build-dev/bin/oci-build" other-name
  [[ "$(./other-name --version)" = 'build '* ]]
}

@test "notices name every library that --version names" {
  local library
  oci-solve --version | sed -n 's/^libraries: //p' | tr , '\n' | sed 's/^ *//; s/ [0-9.]*$//' >libraries
  [ "$(wc -l <libraries)" -gt 10 ]
  while read -r library; do
    echo "$library"
    grep -qE "^$library( \(.*\))?(, in static programs)?\$" "$top/scripts/package/THIRD-PARTY"
  done < <(sed 's/[+.]/\\&/g' libraries)
}

# complete WORD...: what bash offers for the last word, one a line.
complete_words() {
  bash --norc -c 'source "$0" && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _oci_build_tools && printf "%s\n" "${COMPREPLY[@]}"' \
    "$top/tools/completions/bash" "$@"
}

@test "completions are what --help says, and bash offers options, values and files" {
  run "$top/scripts/completions" --check
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(complete_words oci-solve --en)" = --engine ]
  [ "$(complete_words oci-solve --engine nat)" = native ]
  [ "$(complete_words oci-solve --engine = nat)" = native ]
  [ "$(complete_words oci-solve --engine =)" = $'auto\nnative\nbuildkit' ]
  mkdir work
  touch image.tar
  [ "$(complete_words oci-digest im)" = image.tar ]
  [ "$(complete_words oci-preload --work-dir w)" = work ]
  [ "$(complete_words oci-preload w)" = '' ]
}

@test "a Debian package depends on what its programs are linked to and load, and has the same bytes each time" {
  local package
  export SOURCE_DATE_EPOCH=1700000000
  package=$("$top/scripts/deb" --fast "$top/build-dev" one)
  cmp "$package" "$("$top/scripts/deb" --fast "$top/build-dev" two)"
  dpkg-deb --field "$package" >control
  cat control
  [ "$(dpkg-deb --field "$package" Package)" = oci-build ]
  [[ "$(dpkg-deb --field "$package" Version)" = "$(oci-solve --version | sed -n '1s/.* //p')-"* ]]
  # The libraries of the compiler are part of release builds alone.
  [ "$(sed -n 's/^Depends: //p' control | sed 's/, /\n/g' | grep -vE '^lib(gcc-s1|stdc\+\+6) ' | sed 's/ (>= [0-9.]*)$//' | xargs)" = 'libc6 libcurl4 libisal2' ]
  dpkg-deb --contents "$package" >contents
  [ "$(awk '$2 != "root/root"' contents)" = '' ]
  grep -q '/usr/share/man/man1/build.1.gz -> oci-build.1.gz$' contents
  dpkg-deb --ctrl-tarfile "$package" | tar -t | sort >parts
  diff <(printf './\n./control\n./md5sums\n') parts # no conffiles, nothing that runs
  run lintian --allow-root --fail-on error,warning "$package"
  echo "$output"
  [ "$output" = '' ]
  [ "$status" -eq 0 ]
}
