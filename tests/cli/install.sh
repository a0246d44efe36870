#!/bin/bash
# make install and uninstall, and the examples of cps's man page.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"

make_in() { make -s -C "$SONDE_SOURCE" B="$SONDE_BUILD" DESTDIR="$TRASH/dest" PREFIX=/usr "$@"; }

test_expect 'install puts tools, man pages, completion and schemas below DESTDIR and PREFIX' '
    make_in install && for tool in "$SONDE_SOURCE"/tools/*.c; do
        tool=$(basename "$tool" .c) && dest/usr/bin/"$tool" --version >out && test_grep "^$tool (sonde) " out &&
            test -s dest/usr/share/bash-completion/completions/"$tool" || return 1
    done && test -s dest/usr/share/sonde/cps-containers.schema.json &&
    { ! command -v scdoc || test -s dest/usr/share/man/man1/cps.1; }
'

test_expect 'uninstall removes each file again' '
    make_in uninstall && find dest -type f >left && test_empty left
'

# examples PROMPT: the commands of EXAMPLES that are shown with it
examples() { sed -n "/^# EXAMPLES/,/^# SEE/s/^\t$1 //p" "$SONDE_SOURCE/docs/man/cps.1.scd"; }

# run_examples FILE: each line by itself; it may list nothing, but not fail
run_examples()
{
    local line
    [ -s "$1" ] || return 1
    while read -r line; do
        echo "$line"
        (set -o pipefail && eval "$line") </dev/null || [ $? = 2 ] || return 1
    done <"$1"
}

test_expect JQ 'the examples of cps(1) on a list of containers work' '
    docker_record "$TRASH/host" 1 web ".State.ExitCode = 7" && examples "\\\$" >lines &&
    (cps() { command cps --sysroot "$TRASH/host" "$@"; } && run_examples lines) >out && test_grep "^web$" out
'

# contain: a container whose init is $init
contain()
{
    unshare --pid --fork --mount-proc sleep 300 &
    outer=$!
    test_cleanup "kill -9 $outer 2>/dev/null; wait"
    test_wait 'pgrep -x -P $outer sleep' && init=$(pgrep -P "$outer") && test_cleanup "kill -9 $init 2>/dev/null; true"
}

# the questions have a live test of their own, with something to find
test_expect UNSHARE 'the examples of cps(1) on a running container work' '
    contain && examples "#" | grep -v -e --path -e --port | sed "s/\\bweb\\b/pid:$init/; s/4711/$init/" >lines && run_examples lines >out && test_grep "sleep 300" out
'

test_done
