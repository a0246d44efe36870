#!/bin/bash
# demo.sh: the main job on a small container of our own, for which no engine is needed. `make demo`
# builds and runs it; it takes down what it started, also after ^C.
#
# Environment: SONDE_BUILD  the directory with the tools (default: build)
set -u

source_dir=$(cd "$(dirname "$0")/../.." && pwd)
build=$(realpath -m "${SONDE_BUILD:-$source_dir/build}")
PATH=$build:$PATH
name=demo-shop
dir=
helper=

fail()
{
    echo "demo: $*" >&2
    exit 1
}

# The helper ends when its standard input closes, and takes the container with it.
take_down()
{
    trap '' INT TERM HUP
    exec 3>&-
    [ -z "$helper" ] || wait "$helper" 2>/dev/null
    [ -z "$dir" ] || rm -rf --one-file-system "$dir"
}

start_container()
{
    dir=$(mktemp -d /tmp/sonde-demo.XXXXXX) || fail "no temporary directory"
    mkdir "$dir/root"
    mkfifo "$dir/stdin" "$dir/stdout"
    "$build/helpers/demo-container" "$name" "$dir/root" <"$dir/stdin" >"$dir/stdout" &
    helper=$!
    exec 3>"$dir/stdin" 4<"$dir/stdout"
    read -r -t 10 ready pid <&4
    [ "${ready-}" = ready ] || fail "the demo container did not start"
    exec 4<&-
}

bold=
plain=
if [ -t 1 ]; then
    bold=$(printf '\033[1m')
    plain=$(printf '\033[0m')
fi

explain() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
explain_more() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }

# Shows a command as one would type it, then runs it.
show()
{
    local word line='$' status=0
    for word in "$@"; do
        case $word in
        *[!a-zA-Z0-9_./:=,-]*) line="$line '$word'" ;;
        *) line="$line $word" ;;
        esac
    done
    printf '%s\n' "$line"
    # 3 would keep the helper from seeing the end
    "$@" 3>&- || status=$?
    # 2 of cps: it is done, and has said what else on this host could not be read
    [ "$1" != cps ] || [ "$status" != 2 ] || status=0
    [ "$status" = 0 ] || fail "'$1' failed with status $status"
}

[ "$(id -u)" = 0 ] || fail "entering a container needs root: sudo make demo"
for tool in cps cdebug helpers/demo-container; do
    [ -x "$build/$tool" ] || fail "'$build/$tool' is missing: run 'make' first"
done

trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
start_container
# two orders are in
sleep 1.2

explain "A container runs. No engine was asked, none is needed:"
show cps --filter "name=$name"

explain "Its processes, with the pid on this host and the one inside:"
show cps "$name"

explain "And the other way round: whose process is $pid?"
show cps -p "$pid"

explain "The image has no tools, not even ls. cdebug brings the host's: the container's files are at /target,"
explain_more "its network, processes and name are around them."
show cdebug "$name" -- ls -C /target
# shellcheck disable=SC2016 # the sidecar's shell expands it
show cdebug "$name" -- bash -c 'echo "in $(uname -n), beside pid $TARGET_PID"; tail -n 2 /target/data/orders.log'
show cdebug "$name" -- bash -c 'exec 5<>/dev/tcp/127.0.0.1/8080; printf "GET / HTTP/1.0\r\n\r\n" >&5; tail -n 1 <&5'

explain "Nothing was written to it, and nothing is left. To try it on a container of yours: cdebug NAME"
if [ -t 0 ] && [ -t 1 ]; then
    explain "This is a shell beside it: ps, ls /target, cat /etc/resolv.conf, … and exit to end."
    cdebug "$name" 3>&-
    true
fi
