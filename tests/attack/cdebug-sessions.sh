#!/bin/bash
# Detached sessions of cdebug, and who would like to be in them: another user, a container that has the host's /run, a false
# directory, a process that has the number of a dead one, an id that is a path.
# lane 2
. "$(dirname "$0")/../lib/own-run.sh"
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/session.sh"
target='' id='' holder='' supervisor='' bystander=''
test_prereq SETPRIV 'have_all setpriv python3'

bystanders=()
test_cleanup '[ ${#bystanders[@]} = 0 ] || kill -KILL "${bystanders[@]}" 2>/dev/null || true'

shell_up() { target_up && { { [ -n "$id" ] && listed "$id"; } || started "pid:$target" -- sh -c "echo secret; exec sh"; }; }
# inside COMMAND...: in the target, which sees the host's /run: its root is the same user
inside() { nsenter -t "$target" -m -p -- "$@"; }
# not_heard: the session did not hear what was typed there
not_heard() { { timeout 2 cdebug --attach "$id" </dev/null >heard || true; } && test_grep -v "taken over" heard; }

test_expect UNSHARE,JQ,SETPRIV 'naive: who reaches the socket as root of this host is in the session' '
    shell_up && session_client "$SESSIONS/$id/socket" >actual && test_grep secret actual && test_grep "^taken over" actual &&
    cdebug --stop "$id" && ended
'

test_expect UNSHARE,JQ,SETPRIV 'another user does not get to the socket, and where it could is let go without a byte' '
    shell_up && (cd / && setpriv --reuid 65534 --clear-groups /usr/bin/python3 - "$SESSIONS/$id/socket" <"$SONDE_SOURCE/tests/lib/session-client.py") >actual &&
    test_grep "^denied" actual && chmod 755 "$SESSIONS" "$SESSIONS/$id" && chmod 777 "$SESSIONS/$id/socket" &&
    { (cd / && setpriv --reuid 65534 --clear-groups /usr/bin/python3 - "$SESSIONS/$id/socket" <"$SONDE_SOURCE/tests/lib/session-client.py") >actual; true; } &&
    chmod 700 "$SESSIONS" "$SESSIONS/$id" && echo nothing >expect && test_cmp expect actual && not_heard
'

test_expect UNSHARE,JQ,SETPRIV 'the root of a container that has /run is let go without a byte, and cannot attach, list or stop' '
    shell_up && inside python3 "$SONDE_SOURCE/tests/lib/session-client.py" "$SESSIONS/$id/socket" >actual && echo nothing >expect && test_cmp expect actual &&
    not_heard && { inside "$SONDE_BUILD/cdebug" --attach "$id" </dev/null >out 2>err; [ $? = 125 ]; } && test_empty out &&
    test_status 125 inside "$SONDE_BUILD/cdebug" --stop "$id" 2>err && test_grep "another pid namespace" err &&
    test_status 2 inside "$SONDE_BUILD/cdebug" --list >out 2>err && test_grep -v "$id" out && test_grep "$id.*another pid namespace" err && listed "$id"
'

test_expect UNSHARE,JQ,SETPRIV 'nor one that shares the pid namespace, but has files of its own' '
    shell_up && unshare --mount python3 "$SONDE_SOURCE/tests/lib/session-client.py" "$SESSIONS/$id/socket" >actual && echo nothing >expect && test_cmp expect actual && not_heard
'

test_expect UNSHARE,JQ,SETPRIV 'who listens in the place of the holder is not talked to' '
    shell_up && { python3 "$SONDE_SOURCE/tests/lib/session-client.py" --listen "$SESSIONS/$id/socket" >listen.out & bystanders+=($!); } &&
    test_wait "grep -q listening listen.out" && test_status 125 timeout 10 cdebug --attach "$id" </dev/null >out 2>err && test_empty out &&
    test_grep "other end of the session" err && cdebug --stop "$id" && ended
'

# false_dir SCRIPT: cdebug --list, --attach, --stop and -d where SCRIPT has made /run/sonde, in a mount namespace of its own
false_dir()
{
    unshare --mount sh -c "mount -t tmpfs -o mode=755 none /run && $1 &&
        for o in '--list' '--attach 0123456789ab' '--stop 0123456789ab' '-q -d pid:$target -- true'; do
            cdebug \$o; echo status \$?; done; ls -A /run/elsewhere" >actual 2>&1 </dev/null
    printf 'status 125\n%.0s' 1 2 3 4 >expect && grep ^status actual | test_cmp expect - && [ "$(grep -c "not a directory of yours alone" actual)" = 4 ]
}

test_expect UNSHARE,JQ,SETPRIV 'a directory that is a link, of another user, or open to others is not used' '
    target_up && false_dir "mkdir -m 700 /run/elsewhere && ln -s elsewhere /run/sonde" &&
    false_dir "mkdir -m 700 /run/sonde && chown 65534 /run/sonde" && false_dir "mkdir /run/sonde && chmod 707 /run/sonde" &&
    false_dir "mkdir /run/sonde && chmod 770 /run/sonde" && false_dir ": >/run/sonde"
'

# entries_planted: beside the one of $id; listed, and stopped, and taken away again
entries_planted()
{
    local one status=0
    mkdir -m 700 theirs && cp "$SESSIONS/$id/session" theirs/ && ln -s "$PWD/theirs" "$SESSIONS/aaaaaaaaaaaa" &&
        mkdir -m 700 "$SESSIONS"/{bbbbbbbbbbbb,cccccccccccc,dddddddddddd} && cp theirs/session "$SESSIONS/bbbbbbbbbbbb" &&
        chown 65534 "$SESSIONS/bbbbbbbbbbbb" && mkfifo "$SESSIONS/cccccccccccc/session" && echo junk >"$SESSIONS/dddddddddddd/session" &&
        test_status 2 timeout 10 cdebug --list >out 2>err || status=1
    for one in aaaaaaaaaaaa bbbbbbbbbbbb cccccccccccc dddddddddddd; do test_status 125 timeout 10 cdebug --stop "$one" 2>/dev/null || status=1; done
    rm -rf "$SESSIONS"/{aaaaaaaaaaaa,bbbbbbbbbbbb,cccccccccccc,dddddddddddd}
    return "$status"
}

test_expect UNSHARE,JQ,SETPRIV 'an entry that is a link, of another user, or no entry is not believed, and its neighbours are listed' '
    shell_up && entries_planted && test_grep "^$id" out && test_grep -v "[abcd]\{12\}" out && [ "$(grep -c "^cdebug: read" err)" = 4 ] && listed "$id"
'

test_expect UNSHARE,JQ,SETPRIV 'a process that has the number of a dead holder is not the holder: it is neither asked nor killed' '
    shell_up && { sleep 1000 & bystander=$!; } && bystanders+=("$bystander") && disown "$bystander" &&
    tr "\0" "\n" <"$SESSIONS/$id/session" | sed "s/^holder=.*/holder=$bystander/" | tr "\n" "\0" >changed && cp changed "$SESSIONS/$id/session" &&
    cdebug --list --json >actual && test_json ".sessions[] | select(.id == \"$id\") | .state" killed actual && cdebug --stop "$id" && kill -0 "$bystander" && ended
'

# same_number INODE: mount namespaces are made until one has it, or for two seconds
same_number()
{
    local i
    for i in {1..20}; do
        unshare --mount sleep 1000 &
        bystanders+=($!)
        disown $!
        sleep 0.1
        [ "$(readlink "/proc/$!/ns/mnt")" != "$1" ] || break
    done
}

test_expect UNSHARE,JQ,SETPRIV 'a dead session whose namespace number is given again kills nobody' '
    shell_up && ino=$(readlink "/proc/$supervisor/ns/mnt") && cp "$SESSIONS/$id/session" kept && cdebug --stop "$id" && ended && same_number "$ino" &&
    mkdir -m 700 "$SESSIONS/$id" && cp kept "$SESSIONS/$id/session" && cdebug --stop "$id" && kill -0 "${bystanders[@]: -1}" && ended
'

test_expect UNSHARE,JQ,SETPRIV 'an id that is a path, a pattern, nothing, or long is refused in one line, and cannot write to the terminal' '
    shell_up && long=$(head -c 100000 /dev/zero | tr "\0" a) && esc=$(printf "\033]0;PWNED\a\r") &&
    for bad in "../$id" "$SESSIONS/$id" . .. "" "*" "$id/" "$id " "${id}0" ABCDEF "$esc" "$long" "-1"; do
        for how in --attach --stop; do
            test_status 125 cdebug "$how=$bad" </dev/null >out 2>err && test_empty out && test_grep "is no session.s id" err &&
                [ "$(wc -l <err)" = 2 ] && [ "$(wc -c <err)" -lt 500 ] && ! grep -q "$(printf "\033")" err || { echo "$how ${bad:0:40}"; return 1; }
        done
    done && listed "$id"
'

test_expect UNSHARE,JQ,SETPRIV 'a holder that is flooded with connections, and with what is no packet, goes on' '
    shell_up && timeout 60 python3 "$SONDE_SOURCE/tests/lib/session-client.py" --flood "$SESSIONS/$id/socket" >actual && echo flooded >expect && test_cmp expect actual &&
    test_wait "[ \"\$(list_field attached)\" = 0 ]" && { echo "echo still here" | timeout 3 cdebug --attach "$id" >actual; true; } && test_grep "^still here" actual
'

test_expect UNSHARE,JQ,SETPRIV 'who is not root is told so' '
    test_status 125 as_nobody cdebug --list >out 2>err && test_grep "sessions are root" err && test_status 125 as_nobody cdebug --stop 0123 2>err && test_grep "sessions are root" err
'

test_done
