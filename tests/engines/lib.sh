# shellcheck shell=bash
# What the engine scripts share. An engine script tests/engines/NAME.sh is sourced (by test_engine
# of the harness) for its functions, or run: NAME.sh up | down | client ARGUMENT...
#
# Everything an engine makes lies in $SONDE_TEST_DIR/NAME: roots, sockets, pid files, configuration.
# What cannot (bridges, users, cgroups) carries a name noted there. `down` finds all of it by that
# directory alone: it must work after a kill -9 of the engine, of the test, and twice.

# engine_dir NAME: makes and prints the engine's directory. The marker lets tests/run find and take
# down the engines of a test that was killed.
engine_dir()
{
    local dir=$SONDE_TEST_DIR/$1
    mkdir -p "$dir" && chmod 711 "$dir" && echo "$1" >"$dir/engine" && echo "$dir"
}

# A tag of the test directory's random names, for bridges, users and cgroups.
engine_tag() { echo "$SONDE_TEST_DIR" | sed 's,.*/[^/]*\.\([^/]*\)/\([^/]*\)$,\1\2,' | tr -cd 'A-Za-z0-9'; }

# --- processes ---------------------------------------------------------------------------------

# proc_start PID: its start time. Pids are reused within minutes, so a pid file keeps both.
proc_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# daemon_alive FILE: the process noted in the pid file still runs
daemon_alive()
{
    local pid start
    { read -r pid start <"$1"; } 2>/dev/null && [ -n "$start" ] && [ "$(proc_start "$pid")" = "$start" ]
}

daemon_pid() { cut -d' ' -f1 "$1"; }

# daemon_start FILE LOG COMMAND...: runs it in a session of its own and notes its pid
daemon_start()
{
    local file=$1 log=$2 pid
    shift 2
    setsid "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    disown "$pid"
    # after setsid's exec pid and start time stay the same
    echo "$pid $(proc_start "$pid")" >"$file"
}

# daemon_signal FILE SIGNAL [SECONDS]: sends it and waits for the end
daemon_signal()
{
    local end=$((SECONDS + ${3:-10}))
    daemon_alive "$1" || return 0
    kill "-$2" "$(daemon_pid "$1")" 2>/dev/null
    while daemon_alive "$1"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

daemon_stop()
{
    daemon_signal "$1" TERM || daemon_signal "$1" KILL
    rm -f "$1"
}

# kill_helpers DIR: the processes of engines (never a container's) that have DIR in their command
# line: a shim, a conmon, a proxy whose daemon is gone
kill_helpers()
{
    local comm proc
    # one grep for all of them: a host has hundreds of processes
    for comm in $(grep -slxE 'dockerd|containerd|containerd-shim.*|docker-proxy|conmon|podman|slirp4netns|fuse-overlayfs|aardvark-dns|rootlessport.*|exe' \
        /proc/[0-9]*/comm); do
        proc=${comm%/comm}
        if tr '\0' '\n' <"$proc/cmdline" 2>/dev/null | grep -qF "$1/"; then
            kill -KILL "${proc#/proc/}" 2>/dev/null
        fi
    done
    return 0
}

# wait_until SECONDS COMMAND...
wait_until()
{
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { echo "waited in vain for: $*" >&2; return 1; }
        sleep 0.05
    done
}

# --- mounts, directories, cgroups --------------------------------------------------------------

# unmount_below DIR: last mounted first
unmount_below()
{
    local target
    awk -v dir="$1" '$5 == dir || index($5, dir "/") == 1 { print $5 }' /proc/self/mountinfo | tac |
        while read -r target; do umount -l "$(printf '%b' "$target")"; done
}

# engine_remove DIR: its mounts and itself; --one-file-system so that a mount that stayed is not emptied
engine_remove()
{
    local try
    for try in 1 2 3 4 5; do
        unmount_below "$1"
        rm -rf --one-file-system "$1" 2>/dev/null
        [ -e "$1" ] || return 0
        sleep "0.$try"
    done
    rm -rf --one-file-system "$1"
}

# host_note FILE PATH...: notes which of these paths the host has not, before an engine makes them
# whatever its options say; host_restore FILE removes those again, directories only when empty.
# Name a directory's parent before it.
host_note()
{
    local file=$1 path
    shift
    [ ! -e "$file" ] || return 0
    for path in "$@"; do
        [ -e "$path" ] || echo "$path"
    done >"$file"
}

host_restore()
{
    local path
    [ -e "$1" ] || return 0
    tac "$1" | while read -r path; do
        if [ -d "$path" ]; then rmdir "$path" 2>/dev/null; else rm -f "$path"; fi
    done
    return 0
}

# cgroup_remove NAME: that directory, where it is empty, in every hierarchy. Its last process may be only just dying: a
# killed one that was frozen has to be thawed first.
cgroup_remove()
{
    local dir try left
    for try in 0 1 2 3 5 9; do
        [ "$try" = 0 ] || sleep "0.$try"
        left=
        for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do
            [ -d "$dir/$1" ] || continue
            find "$dir/$1" -depth -type d -exec rmdir {} \; 2>/dev/null
            [ ! -d "$dir/$1" ] || left=$dir/$1
        done
        [ -n "$left" ] || break
    done
    return 0
}

# --- limits ------------------------------------------------------------------------------------

# crun 1.8 refuses a hybrid cgroup host whose v2 tree has controllers. In a private mount namespace
# it finds none; the container's own namespaces are made from there and differ in nothing else.
crun_needs_wrapper()
{
    [ -n "$(cat /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null)" ]
}

# crun_wrapper FILE: a program to run in crun's place
crun_wrapper()
{
    printf '%s\n' '#!/bin/sh' \
        '# put in the place of crun: see crun_needs_wrapper in tests/engines/lib.sh' \
        "exec unshare --mount sh -c 'mount --bind /dev/null /sys/fs/cgroup/unified/cgroup.controllers &&" \
        "    exec $(command -v crun) \"\$@\"' crun \"\$@\"" >"$1"
    chmod 755 "$1"
}

# limit KIND MAX: a hard limit that can be set here (root without CAP_SYS_RESOURCE cannot raise one)
limit()
{
    local hard
    hard=$(ulimit "-H$1")
    if [ "$hard" = unlimited ] || [ "$hard" -gt "$2" ]; then echo "$2"; else echo "$hard"; fi
}

# --- running a script --------------------------------------------------------------------------

# engine_main PREFIX CLIENT "$@": what a script does when it is run and not sourced
engine_main()
{
    local prefix=$1 client=$2
    shift 2
    : "${SONDE_TEST_DIR:?is not set: a directory such as /var/tmp/sonde.test/1 for all that is made}"
    mkdir -p "$SONDE_TEST_DIR"
    case ${1-} in
    up | down) "${prefix}_$1" ;;
    client)    shift; "$client" "$@" ;;
    *)         echo "usage: $0 up|down|client ARGUMENT..." >&2; return 1 ;;
    esac
}
