#!/bin/bash
# CVE-2018-1120 (procps): a process decides when a read of its /proc/PID/cmdline ends. One that never ends
# costs cps its deadline and that one cell, not the list; one that is very long costs no memory.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare

up() { bare_up && { [ -d "$BARE_DIR/web" ] || { bare_run web && bare_put web "$HELPERS/stall"; }; }; }

# The server holds /dev/fuse; the victim is its child.
stall_up()
{
    up || return 1
    [ -z "${server-}" ] || return 0
    bare_start web /bin/stall cmdline 9 /mnt 9<>/dev/fuse >stall.out 2>&1 || return 1
    test_wait 'grep -q ready stall.out' || { cat stall.out; return 1; }
    server=$started
    read -r -d ' ' victim <"/proc/$server/task/$server/children" &&
        test_wait "grep -q '^State:.D' /proc/$victim/status"
}
# its death frees the victim, and whoever looks at it: pgrep, for one
stall_down() { [ -z "${server-}" ] || { kill -KILL "$server" && server=; }; }
test_cleanup stall_down

# the stores of this host may have gaps of their own
in_time() { within 5 "$@" >actual 2>err || [ $? = 2 ]; }

test_expect FUSE,UNSHARE 'naive: cat of the command line of such a process does not come back' '
    stall_up &&
    test_status 137 within 2 cat "/proc/$victim/cmdline" >actual &&
    test_empty actual
'

test_expect FUSE,UNSHARE 'cps CONTAINER lists a process whose command line never comes, and the others, in time' '
    stall_up &&
    test_status 2 within 5 cps "pid:$victim" >actual 2>err &&
    test_grep "^ *$victim .*stalled" actual &&
    test_grep "sleep 1000000" actual &&
    test "$(wc -l <err)" -le 2
'

test_expect FUSE,UNSHARE,JQ 'in JSON that command line is null, the rest is there' '
    stall_up &&
    test_status 2 within 5 cps --json "pid:$victim" >actual 2>err &&
    jq "[.. | objects | select(.pid? == $victim)][0]" actual >row &&
    test_json ".command" null row &&
    test_json ".comm" stalled row
'

test_expect FUSE,UNSHARE 'the other lists do not wait for it' '
    stall_up &&
    in_time cps && in_time cps -a --json && in_time cps --ns && in_time cps -p "$victim" && test_grep "$(bare_pid web)" actual
'

test_expect FUSE,UNSHARE 'cnsenter and cdebug enter a container that has one, by name or by that very process' '
    stall_up &&
    within 5 cnsenter "pid:$victim" /bin/true &&
    within 5 cnsenter -t "$victim" -a /bin/true &&
    within 5 cdebug "pid:$victim" -- /bin/true
'

# 1.2 MB of arguments; 8 such processes: cps may not keep all of that.
long_up()
{
    up && nsenter -t "$(bare_pid web)" -a -- /bin/sh -c '
        a=$(head -c 120000 /dev/zero | tr "\0" x)
        for i in 1 2 3 4 5 6 7 8; do sh -c "sleep 1000001; :" "$a" "$a" "$a" "$a" "$a" "$a" "$a" "$a" "$a" "$a" & done' </dev/null
}

test_expect UNSHARE,!SANITIZED 'command lines of a megabyte cost neither time nor memory' '
    stall_down && up && pid=$(bare_pid web) && long_up && test_wait "test \$(pgrep -c -f \"sleep 1000001; : xx\") -ge 8" &&
    head -c 3000000 "/proc/$(pgrep -o -f "sleep 1000001; : xx")/cmdline" | wc -c >naive &&
    test "$(cat naive)" -gt 1000000 &&
    in_time cps "pid:$pid" &&
    test "$(wc -c <actual)" -lt 200000 &&
    in_time "$HELPERS/peak-memory" peak cps --json "pid:$pid" && cat peak && test "$(cat peak)" -lt 8192
'

test_done
