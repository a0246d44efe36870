#!/bin/bash
# cdebug --share-cgroup: the command, and only that, is in the container's cgroup; nothing else ever is.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/session.sh"
test_engine runc
web='' pid='' id='' holder='' supervisor=''

debug() { cdebug --store "runc=$OCI_DIR/state" "$@"; }
# members: the processes in each of its cgroups, and how many directories those have
members()
{
    local line path
    while read -r line; do
        path=${line##*:}
        find /sys/fs/cgroup -maxdepth 8 -path "*$path/cgroup.procs" -exec sort {} + 2>/dev/null
        find /sys/fs/cgroup -maxdepth 8 -path "*$path/*" -type d 2>/dev/null | wc -l
    done <"/proc/$pid/cgroup"
}
settings() { find /sys/fs/cgroup -path "*$(sed -n 's/.*:pids://p' "/proc/$pid/cgroup")/*.max" -o -path "*$(sed -n 's/.*:memory://p' "/proc/$pid/cgroup")/*limit_in_bytes" 2>/dev/null | sort | xargs -r grep -s ""; }

test_expect RUNC,JQ 'setup: a container' '
    runc_up && oci_run web sleep 1000000 && web=$(oci_id web) && pid=$(oci_pid web) && [ "$pid" -gt 1 ] && members >before && settings >limits
'

test_expect RUNC 'without the word the session is in none of the cgroups that are the container'"'"'s own' '
    debug -q "$web" -- cat /proc/self/cgroup >actual && test_cmp /proc/self/cgroup actual && members | test_cmp before - &&
    debug -q --as-target "$web" -- cat /proc/self/cgroup >actual && test_cmp /proc/self/cgroup actual
'

test_expect RUNC,JQ 'with it the command is in every one of them, and its children; cdebug itself is not' '
    started --store "runc=$OCI_DIR/state" --share-cgroup "$web" -- sh -c "cat /proc/self/cgroup >/tmp/own; sh -c \"cat /proc/self/cgroup >/tmp/child\"; exec sleep 1000" &&
    read -r -d " " command <"/proc/$supervisor/task/$supervisor/children" && test_wait "grep -q sleep /proc/$command/comm" &&
    test_cmp "/proc/$pid/cgroup" "/proc/$command/cgroup" && test_cmp "/proc/$pid/cgroup" "/proc/$command/root/tmp/child" &&
    ! cmp -s "/proc/$pid/cgroup" /proc/self/cgroup && test_cmp /proc/self/cgroup "/proc/$supervisor/cgroup" && test_cmp /proc/self/cgroup "/proc/$holder/cgroup"
'

test_expect RUNC,JQ 'afterwards the cgroups have the container'"'"'s processes, limits and directories as before' '
    cdebug --stop "$id" && ended && members | test_cmp before - && settings | test_cmp limits - &&
    test_status 3 debug -q --share-cgroup "$web" -- sh -c "exit 3" && members | test_cmp before -
'

test_expect RUNC 'it warns, --dry-run says it, and -q is silent' '
    debug --share-cgroup "$web" -- true 2>err && test_grep "counts against the container.s limits" err && test_grep "^hint: without --share-cgroup" err &&
    debug -q --share-cgroup "$web" -- true 2>err && test_empty err && debug -q --dry-run --share-cgroup "$web" >actual && test_grep "^cgroup  *the container.s own" actual
'

test_expect RUNC,JQ 'kill -9 of cdebug leaves nobody there' '
    started --store "runc=$OCI_DIR/state" --share-cgroup "$web" -- sh -c "setsid -f setsid sleep 7$$; exec sleep 1000" && test_wait "pgrep -f \"^sleep 7$$\"" &&
    kill -KILL "$holder" && test_wait "! pgrep -f \"sleep 7$$\"" && cdebug --list >/dev/null && ended && members | test_cmp before -
'

test_expect RUNC 'a paused container is refused: what joins would be, too' '
    rt pause "$web" && { test_status 125 timeout 10 cdebug --store "runc=$OCI_DIR/state" --share-cgroup "$web" -- true 2>err; r=$?; rt resume "$web"; [ $r = 0 ]; } && test_grep "is paused" err
'

test_expect RUNC,JQ 'the end of the container ends the session, and its cgroups can be removed' '
    started --store "runc=$OCI_DIR/state" --share-cgroup "$web" -- sleep 1000 && path=$(sed -n "s/.*:pids://p" "/proc/$pid/cgroup") && kill -KILL "$pid" && ended &&
    test_wait "! grep -qs . /sys/fs/cgroup/pids$path/cgroup.procs"
'

test_done
