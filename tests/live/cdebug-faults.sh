#!/bin/bash
# Zero marks: kill -9 at every place of the start-up that sidecar/fault.h names, of the process that is there, and of cdebug
# itself while that one is stopped. After each the container, this host's mounts and cgroups are as before, and nobody is left.
# lane 2
. "$(dirname "$0")/../lib/own-run.sh"
. "$(dirname "$0")/../lib/harness.sh"
test_engine bare
web='' session=''
mapfile -t places < <(grep -oh 'fault_point("[a-z]*")' "$SONDE_SOURCE"/sidecar/*.c | sed 's/.*("//; s/").*//' | sort -u)

# Its first process takes every child that it is given: one of a killed supervisor, too.
# shellcheck disable=SC2016 # for the container
reaper='sleep 1000000 & while :; do wait; done'

processes() { nsenter -t "$web" -p -m sh -c 'for d in /proc/[0-9]*; do cat $d/comm; done 2>/dev/null' | grep -v -e '^cat$' | sort | uniq -c; }

# Of sessions whose front is gone.
stale_cgroups()
{
    local dir pid
    find /sys/fs/cgroup -type d -name 'sonde-*' 2>/dev/null | while read -r dir; do
        pid=${dir##*/sonde-}
        [ -e "/proc/${pid%%-*}" ] || echo "$dir"
    done
}

# state: a hash of the upper directory with all times and contents; mounts, cgroups and members, namespaces, processes
state()
{
    find "$BARE_DIR/web/upper" >/dev/null
    (cd "$BARE_DIR/web/upper" && find . -printf '%p %i %m %U %G %s %A@ %T@ %C@ %l\n' | sort && find . -type f -exec sha256sum {} + | sort)
    cat "/proc/$web/mountinfo" "/proc/$web/cgroup"
    find "/proc/$web/ns" -printf '%f %l\n' | sort
    stale_cgroups
    grep -ls "sleep $session" /run/sonde/*/session /run/sonde/.[!.]*/session
    grep -c "$BARE_DIR" /proc/self/mountinfo
    processes
}
# left: processes of the session, by the mark that each has in its arguments
left() { pgrep -f -- "$session"; }

# nothing_left: no process, entry or cgroup; what is listed as killed counts as that, and an entry in the making is given up
# after a minute
nothing_left()
{
    test_wait '! left' 15 || { left; return 1; }
    grep -ls "sleep $session" /run/sonde/.[!.]*/session | xargs -r dirname | xargs -r touch -d '2 minutes ago'
    cdebug --list >/dev/null || return 1
    test_wait 'state >after; cmp -s before after' 5 || { diff before after; return 1; }
}

# at PLACE HOW OPTION...: cdebug in the background, which meets the fault
at()
{
    SONDE_FAULT=$1:$2 "$HELPERS/cdebug-faults" -q --pids 50 "${@:3}" "pid:$web" -- sleep "$session" >out 2>err </dev/null &
    front=$!
}
stopped() { local p; for p in $(pgrep -f "cdebug-faults.*$session"); do ! grep -q '^State:.T' "/proc/$p/status" || return 0; done; return 1; }

killed_there()
{
    at "$1" kill "${@:2}"
    { wait "$front"; } 2>/dev/null
    nothing_left
}
killed_while_stopped()
{
    at "$1" stop "${@:2}"
    test_wait stopped 15 || { echo "nobody stops at $1"; kill -KILL "$front"; return 1; }
    kill_fronts
    nothing_left
}
# All of cdebug's that are in this host's pid namespace: the front, the holder, the builder.
kill_fronts()
{
    local p
    for p in "$front" $(pgrep -f "cdebug-faults.*$session"); do
        [ "$(readlink "/proc/$p/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || kill -KILL "$p" 2>/dev/null
    done
    wait "$front" 2>/dev/null
}

test_expect UNSHARE 'setup: a container whose first process takes its children, and what it is like' '
    [ "${#places[@]}" -ge 10 ] && bare_up && bare_run web sh -c "$reaper" && web=$(bare_pid web) && session=8642$$ && cdebug -q "pid:$web" -- true && state >before && state | test_cmp before - &&
    test_grep "sleep" before && ! left
'

for place in "${places[@]}"; do
    case $place in
    entry | making) how=-d ;;
    *)              how=-q ;;
    esac
    test_expect UNSHARE "kill -9 at $place: nothing is left, the container is as it was" "
        killed_there $place $how && killed_while_stopped $place $how
    "
done

test_expect UNSHARE 'the same of a detached session' '
    for place in builder root forked cgroup supervisor exec ready; do killed_there $place -d && killed_while_stopped $place -d || { echo "at $place"; return 1; }; done
'

test_expect UNSHARE 'the switch is in the test build only' '
    SONDE_FAULT=builder:kill cdebug -q "pid:$web" -- true && ! grep -q SONDE_FAULT "$SONDE_BUILD/cdebug"
'

test_done
