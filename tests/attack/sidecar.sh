#!/bin/bash
# What the root of a container can do to a cdebug session without tracing it: hide what it may do, stop or kill its
# processes, end its own first process, never answer. Nothing of the session stays, and nobody else is hit.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
. "$SONDE_SOURCE/tests/lib/isolated.sh"
test_engine bare
test_prereq SETPRIV 'have_all setpriv seq'

up() { bare_up && { [ -d "$BARE_DIR/$1" ] || bare_run "$@"; }; }

# A group list of 110 KB stands before NSpid, CapPrm and NoNewPrivs in /proc/PID/status.
many_groups()
{
    # one argument has at most 128 KiB
    isolated_by isolated_sleeps setpriv --groups "$(seq -s, 1000000000 1000010000)" unshare --mount --pid --fork --kill-child \
        -- 'exec sleep 1000000' && crowd=$init
}

test_expect UNSHARE,SETPRIV 'a target with 10,000 groups hides neither its pid nor its capabilities' '
    many_groups &&
    cdebug "pid:$crowd" -- /bin/sh -c "echo \$TARGET_PID" >actual 2>err &&
    test "$(cat actual)" = 1 && test_grep CAP_SYS_PTRACE err &&
    cnsenter --dry-run "pid:$crowd" >actual && test_grep -v "cut to 0000000000000000" actual &&
    cps --json "pid:$crowd" >actual && test_json ".processes[0].ns_pid" 1 actual
'

# A container of an ordinary user, whose root has every capability in its user namespace.
users_up() { isolated_user 'exec sleep 1000000' && theirs=$init; }

# looks_at SESSION-ARGUMENT...: what the root of theirs sees through the root directory of a session's command
looks_at()
{
    cdebug "$@" "pid:$theirs" -- /bin/sleep 1 >/dev/null 2>err &
    sleep 0.5
    nsenter -t "$theirs" -U -p -m -S 0 -G 0 sh -c 'for d in /proc/[2-9]* /proc/1[0-9]*; do
        [ "$(cat "$d/comm")" != sleep ] || ls -d "$d/root/target"; done' >actual 2>&1
    wait $!
}

test_expect UNSHARE,USERNS 'a container with a user namespace that can trace the session is warned of' '
    users_up &&
    looks_at && test_grep "^/proc/[0-9]*/root/target" actual && test_grep "take this session over" err &&
    looks_at --ns pid,net,ipc,uts && test_grep denied actual && test_empty err
'

# session NAME: a session in it; $front, and $supervisor as the host counts
session()
{
    cdebug "pid:$(bare_pid "$1")" -- /bin/sleep 4711 >session.out 2>&1 &
    front=$!
    supervisor='' sleeper=''
    test_wait session_runs
}

# The front's first child is another, and soon gone.
session_runs()
{
    read -r -d " " supervisor <"/proc/$front/task/$front/children" &&
        read -r -d " " sleeper <"/proc/$supervisor/task/$supervisor/children" &&
        [ "$(cat "/proc/$sleeper/comm")" = sleep ]
}

gone() { ! [ -e "/proc/$1" ] || grep -q "^State:.Z" "/proc/$1/status"; }

test_expect UNSHARE 'a supervisor that the container has stopped leaves nothing when the front is killed' '
    up web && session web &&
    kill -STOP "$supervisor" && kill -KILL "$front" &&
    { test_wait "gone $supervisor && gone $sleeper" 3 || { kill -KILL "$supervisor" "$sleeper"; false; }; }
'

# The number of the dead session's mount namespace goes to the next one that is made: a bystander's.
same_number()
{
    local i
    for i in {1..40}; do
        unshare --mount sleep 1000000 &
        bystander=$!
        disown "$bystander"
        test_wait '[ "$(cat "/proc/$bystander/comm")" = sleep ]' || return 1
        [ "$(readlink "/proc/$bystander/ns/mnt")" != "$1" ] || return 0
        others+=("$bystander")
    done
    bystander=
}
others=()
test_cleanup '[ ${#others[@]} = 0 ] || kill -KILL "${others[@]}"; [ -z "${bystander-}" ] || kill -KILL "$bystander"'

test_expect UNSHARE 'a container that ends makes cdebug kill nobody who got the number of its mount namespace' '
    up dying && session dying && ns=$(readlink "/proc/$supervisor/ns/mnt") &&
    kill -STOP "$front" && kill -KILL "$(bare_pid dying)" && test_wait "gone $supervisor && gone $sleeper" &&
    same_number "$ns" &&
    kill -CONT "$front" && { wait "$front" || true; } &&
    { [ -z "$bystander" ] || kill -0 "$bystander"; }
'

etc_stalls()
{
    bare_put web "$HELPERS/stall" && bare_start web /bin/stall files 9 /etc 9<>/dev/fuse >stall.out 2>&1 &&
        stall=$started && test_wait 'grep -q ready stall.out'
}

test_expect FUSE,UNSHARE 'an /etc that never answers does not keep the reader of a pipe waiting' '
    up web && etc_stalls &&
    { within 8 bash -c "cdebug pid:$(bare_pid web) -- /bin/echo done 2>/dev/null | cat" >actual; r=$?; kill -KILL $stall; test $r = 0; } &&
    test_grep done actual
'

test_done
