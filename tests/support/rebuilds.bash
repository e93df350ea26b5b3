# What a second build finds in the cache after one change: table for both engines. Each row is a function
# `change_NAME`, called in the task's directory, which may set PARAMETERS of the second build, and an entry of REBUILDS:
# "COPY RUN reason", the reason that the native engine gives for the first step that is made again. A function
# `before_NAME` changes what the first build begins with.

# rebuild_context: the context of the first build.
rebuild_context() {
  mkdir -p src/p/d src/q/d
  echo content >src/p/d/file
  echo other >src/p/d/other
  cp -a src/p/d/file src/p/d/other src/q/d/
  chmod 755 src/p/d src/q/d
  write_steps
}

# write_steps [BEFORE [COPY [RUN]]]: the Dockerfile, with instructions before the two steps.
write_steps() {
  printf 'FROM busybox\n%bCOPY %b\nRUN %s\n' "${1-}" "${2-p/d /x}" "${3-echo done >/tmp/file}" >src/Dockerfile
}

declare -gA REBUILDS=(
  [nothing]='hit hit'
  [touched]='hit hit'
  [mode]='miss miss p/d/file changed'
  [owner]='hit hit'
  [attribute]='hit hit'
  [content]='miss miss p/d/file changed'
  [new_file]='miss miss p/d/a is new, p/d/b is new, p/d/c is new (and 2 more)'
  [gone]='miss miss p/d/other is gone'
  [hard_links]='miss miss p/d/other changed'
  [elsewhere]='hit hit'
  [destination]='miss miss the instruction changed'
  [blanks]='hit hit'
  [renamed]='miss miss the instruction changed'
  [slash]='miss miss the instruction changed'
  [linked]='hit miss the instruction changed'
  [labels]='hit hit'
  [user]='hit miss the user changed'
  [variable]='hit miss the variable A is new'
  [argument]='hit miss the variable A is new'
  [workdir]='miss miss the instruction changed'
  [command]='hit miss the instruction changed'
  [network]='hit miss the network changed'
  [proxy]='hit hit'
  [host_name]='hit miss the host name changed'
  [host_address]='hit hit'
  [added_host]='hit miss the added host one is new'
  [no_cache]='miss miss NO_CACHE'
)

change_nothing() { :; }
change_touched() { touch -d @1234567 src/p/d/file; }
change_mode() { chmod 600 src/p/d/file; }
change_owner() { chown 1234:1234 src/p/d/file; }
change_attribute() { setfattr -n user.test -v 1 src/p/d/file; }
change_content() { echo changed >src/p/d/file; }
change_new_file() { touch src/p/d/{a,b,c,d,e}; }
change_gone() { rm src/p/d/other; }
change_hard_links() {
  rm src/p/d/other
  ln src/p/d/file src/p/d/other
}
change_elsewhere() { write_steps '' 'q/d /x'; }
change_destination() { write_steps '' 'p/d /y'; }
before_renamed() { write_steps '' 'p/d/file /x/'; }
change_renamed() {
  mv src/p/d/file src/p/d/called-otherwise
  write_steps '' 'p/d/called-otherwise /x/'
}
change_slash() { write_steps '' 'p/d /x/'; }
before_linked() { write_steps '' '--link p/d /x'; }
change_linked() { write_steps 'WORKDIR /w\n' '--link p/d /x'; }
change_network() { write_steps '' 'p/d /x' '--network=none echo done >/tmp/file'; }
change_blanks() { printf '# words\nFROM busybox\nCOPY   p/d \\\n  /x\n\nRUN echo done >/tmp/file\n' >src/Dockerfile; }
change_labels() { write_steps 'LABEL a=b\nEXPOSE 80\nCMD ["x"]\n'; }
change_user() { write_steps 'USER 5\n'; }
change_variable() { write_steps 'ENV A=b\n'; }
change_argument() { write_steps 'ARG A=b\n'; }
change_workdir() { write_steps 'WORKDIR /w\n'; }
change_command() { write_steps '' 'p/d /x' 'echo changed >/tmp/file'; }
change_proxy() { PARAMETERS=(BUILD_ARG_http_proxy=http://127.0.0.1:9); }
change_added_host() { PARAMETERS=(BUILDKIT_ADD_HOSTS=one=127.0.0.2); }
change_host_name() { PARAMETERS=(BUILD_ARG_BUILDKIT_SANDBOX_HOSTNAME=other); }
before_host_address() { PARAMETERS=(BUILDKIT_ADD_HOSTS=one=127.0.0.2); }
change_host_address() { PARAMETERS=(BUILDKIT_ADD_HOSTS=one=127.0.0.3); }
change_no_cache() { PARAMETERS=(NO_CACHE=true); }
