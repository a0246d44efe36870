#!/bin/bash
# What a program of the container can reach without any fd of the host's: the session and process group that it was
# started in (/dev/tty, kill(0, ...)), the host's uid 0, and the way that its environment shows to the host's programs.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
test_prereq SCRIPT 'have_all script setsid'

up()
{
    bare_up && { [ -d "$BARE_DIR/web" ] || {
        bare_run web && mknod -m 666 "/proc/$(bare_pid web)/root/dev/tty" c 5 0; }; }
}

# survives COMMAND...: whether a script of the host that runs it gets beyond it
survives()
{
    rm -f survived
    printf '%s </dev/null >/dev/null 2>&1\ntouch survived\n' "$*" >caller
    setsid -w sh caller
    test -e survived
}

kill_all="/bin/sh -c 'kill -TERM 0'"

test_expect UNSHARE 'naive: kill(0, ...) inside ends the script that called' '
    up && ! survives nsenter -t "$(bare_pid web)" -m -p -- "$kill_all"
'

test_expect UNSHARE 'kill(0, ...) under cnsenter and cdebug reaches nobody outside' '
    up && pid=$(bare_pid web) &&
    survives cnsenter "pid:$pid" "$kill_all" &&
    survives cnsenter -m "pid:$pid" "$kill_all" &&
    survives cdebug "pid:$pid" -- "$kill_all"
'

# seen_on_tty COMMAND...: what of it came to the terminal, though none of 0, 1, 2 is one
seen_on_tty() { script -qec "$* </dev/null >/dev/null 2>&1" /dev/null </dev/null | grep -o STOLEN; }

test_expect UNSHARE,SCRIPT 'naive: /dev/tty is the terminal of the caller, also when nothing is connected to it' '
    up && seen_on_tty nsenter -t "$(bare_pid web)" -m -p -- "/bin/sh -c \"echo STO\$(echo LEN) >/dev/tty\""
'

test_expect UNSHARE,SCRIPT '/dev/tty under cnsenter and cdebug is not the terminal of the caller' '
    up && pid=$(bare_pid web) && write="/bin/sh -c \"echo STO\$(echo LEN) >/dev/tty\"" &&
    ! seen_on_tty cnsenter "pid:$pid" "$write" &&
    ! seen_on_tty cnsenter -m "pid:$pid" "$write" &&
    ! seen_on_tty cdebug "pid:$pid" -- "$write"
'

test_prereq KEYS '"$HELPERS/with-key" sonde-probe "$HELPERS/with-key" sonde-probe'
keyed() { "$HELPERS/with-key" sonde-secret "$@" /bin/with-key sonde-secret; }

test_expect UNSHARE,KEYS 'naive: a key of the caller, which is in his session keyring, can be read inside' '
    up && bare_put web "$HELPERS/with-key" &&
    keyed nsenter -t "$(bare_pid web)" -m -p -- >actual && test_grep "read secret" actual
'

test_expect UNSHARE,KEYS 'no key in the session keyring of the caller can be read under cnsenter' '
    up && bare_put web "$HELPERS/with-key" &&
    test_status 1 keyed cnsenter "pid:$(bare_pid web)" &&
    test_status 1 keyed cnsenter -m "pid:$(bare_pid web)"
'

# Its init has a PATH that leads the host into the container.
led_astray()
{
    [ -d "$BARE_DIR/path" ] || bare_run path /bin/sh -c 'printf "#!/bin/sh\necho PWNED\n" >/bin/evil &&
        chmod 755 /bin/evil; exec env PATH=/proc/$(cat /hostpid)/root/bin:/bin:/usr/bin sleep 1000000'
}

test_expect UNSHARE 'the environment of the container is not handed to programs of the host' '
    up && led_astray && pid=$(bare_pid path) && root=/proc/$pid/root/bin &&
    PATH=$root evil >actual && test_grep PWNED actual &&
    test_status 125 cnsenter -n -e "pid:$pid" evil >actual 2>err &&
    test_grep -v PWNED actual && test_grep "its environment" err &&
    cnsenter -n --as-target "pid:$pid" /usr/bin/env >actual && test_grep -v "^PATH=/proc" actual &&
    cnsenter -m -e "pid:$pid" /bin/env >actual && test_grep "^PATH=/proc" actual
'

# A container of an ordinary user, with a /proc/sys that the host has not made read-only.
users_up()
{
    bare_up && [ -n "${theirs-}" ] && return 0
    setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user --mount --pid --fork \
        --kill-child sh -c 'mount -t proc proc /proc && exec sleep 1000000' >users.out 2>&1 &
    users=$!
    disown $users
    test_wait 'read -r -d " " theirs <"/proc/$users/task/$users/children"' &&
        test_wait '[ "$(cat "/proc/$theirs/comm")" = sleep ]'
}
test_cleanup '[ -z "${users-}" ] || kill -KILL "$users" 2>/dev/null || true'

# Writes what is there already.
rewrite='v=$(cat /proc/sys/kernel/core_pattern) && echo "$v" >/proc/sys/kernel/core_pattern && echo WRITTEN'

test_expect UNSHARE,USERNS "naive: the host's uid 0 in a user's container writes the host's settings" '
    users_up && { nsenter -t "$theirs" -m -- sh -c "$rewrite" >actual 2>&1 || cat actual; } && test_grep WRITTEN actual
'

test_expect UNSHARE,USERNS "cnsenter without the user namespace is not the host's uid 0 in a user's container" '
    users_up &&
    { cnsenter -m "pid:$theirs" /bin/sh -c "id -u; $rewrite" >actual 2>&1 || true; } &&
    test_grep "^65534" actual && test_grep -v WRITTEN actual &&
    { cnsenter -m -p "pid:$theirs" /bin/sh -c "id -u; $rewrite" >actual 2>&1 || true; } &&
    test_grep "^65534" actual && test_grep -v WRITTEN actual &&
    test "$(cnsenter "pid:$theirs" /bin/sh -c "id -u")" = 0
'

test_done
