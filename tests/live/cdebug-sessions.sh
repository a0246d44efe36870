#!/bin/bash
# Sessions without a terminal: cdebug -d, --list, --attach, --stop, beside a process that no engine knows.
# lane 2
. "$(dirname "$0")/../lib/own-run.sh"
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/session.sh"
test_engine bare
target='' id='' holder='' supervisor='' command='' one='' deaf='' dying=''

user() { tmux -S "$TRASH/tmux" -f /dev/null "$@"; }
types() { user send-keys -t "${2-0}" -l "$1" && user send-keys -t "${2-0}" Enter; }
sees() { test_wait "user capture-pane -t ${2-0} -p | grep -q -e '$1'" || { user capture-pane -t "${2-0}" -p; return 1; }; }
test_cleanup 'user kill-server 2>/dev/null || true'

# state: what a session could leave on the target
state() { cat "/proc/$target/mountinfo" "/proc/$target/cgroup"; readlink "/proc/$target/ns"/*; nsenter -t "$target" -p -m ls /proc | grep -c '^[0-9]'; }

test_expect UNSHARE,JQ '-d prints an id and returns; the command is beside the target' '
    bare_up && bare_run web && target=$(bare_pid web) && state >before &&
    started "pid:$target" -- sh -c "readlink /proc/self/ns/pid; tty; exec sleep 1000" &&
    readlink "/proc/$target/ns/pid" >expect && { timeout 2 cdebug --attach "$id" </dev/null >actual; [ $? = 124 ]; } &&
    tr -d "\r" <actual >lines && head -n 1 lines | test_cmp expect - && test_grep "^/dev/pts/" lines &&
    ! grep -q "$(readlink /proc/self/ns/mnt)" <(readlink "/proc/$supervisor/ns/mnt")
'

test_expect UNSHARE,JQ,PYTHON '--list has it, as a table and as JSON of the documented form' '
    cdebug --list >actual && test_grep "^$id  bare:sleep-$target .* running .* sh -c readlink" actual &&
    cdebug --list --json >actual && python3 "$SONDE_SOURCE/tests/lint/schema.py" "$SONDE_SOURCE/docs/json/cdebug-sessions.schema.json" actual &&
    [ "$(list_field holder)" = "$holder" ] && [ "$(list_field state)" = running ] && [ "$(list_field attached)" = 0 ] &&
    [ "$(stat -c "%a %u" "$SESSIONS" "$SESSIONS/$id" | sort -u)" = "700 0" ]
'

test_expect UNSHARE,JQ '--stop takes the beginning of an id, and ends every process of the session' '
    started "pid:$target" -- sh -c "setsid -f sh -c \"exec setsid sleep 4$$\"; chroot /target /bin/sleep 5$$ & exec sleep 1000" &&
    test_wait "pgrep -f \"^sleep 4$$\" && pgrep -f \"^/bin/sleep 5$$\"" &&
    cdebug --stop "${id:0:11}" && ended && ! pgrep -f "sleep [45]$$" && test_status 125 cdebug --stop "$id" 2>err && test_grep "no session .$id" err
'

test_expect UNSHARE,JQ 'who attaches sees what was before, types, and gets the status of the command' '
    started "pid:$target" -- sh -c "echo was before; read -r line; echo got \$line; exit 7" &&
    { echo typed | test_status 7 timeout 10 cdebug --attach "$id" >actual; } && test_grep "^was before" actual && test_grep "^got typed" actual && ended
'

test_expect UNSHARE,JQ 'what no terminal takes is not lost: 300,000 lines arrive whole and in order' '
    started "pid:$target" -- sh -c "stty -echo; read -r line; seq 300000; exit 3" &&
    { echo go | test_status 3 timeout 60 cdebug --attach "$id" >actual; } && tr -d "\r" <actual >lines && seq 300000 | test_cmp - lines && ended
'

# three: attached to $id are the pid $one, which writes to the file one, and $deaf, which reads nothing
three()
{
    rm -f deaf one && mkfifo deaf && exec 8<>deaf
    cdebug --attach "$id" </dev/null >one 2>one.err &
    one=$!
    cdebug --attach "$id" </dev/null >deaf 2>/dev/null &
    deaf=$!
    disown "$deaf"
    test_wait '[ "$(list_field attached)" = 2 ]'
}

test_expect UNSHARE,JQ 'two that are attached see the same; one that takes nothing is let go, and the command goes on' '
    started "pid:$target" -- sh -c "stty -echo; read -r line; seq 60000; sleep 1; exit 4" && three && start=$SECONDS &&
    { echo go | test_status 4 timeout 60 cdebug --attach "$id" >two; } && test_status 4 wait $one && [ $((SECONDS - start)) -ge 8 ] &&
    tr -d "\r" <one >lines && seq 60000 | test_cmp - lines && tr -d "\r" <two >lines && seq 60000 | test_cmp - lines && kill -KILL $deaf && exec 8>&- && ended
'

test_expect UNSHARE,JQ 'a command that is not there is said, 127, and no session stays' '
    ls "$SESSIONS" >before.ids && test_status 127 cdebug -q -d "pid:$target" -- nope >out 2>err && test_empty out && test_grep "run .nope" err &&
    test_status 125 cdebug -q -d -w /no/such "pid:$target" -- true >out 2>err && test_empty out && test_grep "/no/such" err &&
    ls "$SESSIONS" | test_cmp before.ids -
'

test_expect UNSHARE,JQ 'who started it need not wait: neither a pipe nor a directory of his is held' '
    { timeout 20 cdebug -q -d "pid:$target" -- sleep 1000 2>&1 | cat >id.out; } && id=$(cat id.out) && session_ids+=("$id") && holder=$(field holder) &&
    [ "$(readlink "/proc/$holder/cwd")" = / ] && ! ls -l "/proc/$holder/fd" | grep -q "pipe.*[012] ->" &&
    [ "$(readlink "/proc/$holder/fd/0" "/proc/$holder/fd/1" "/proc/$holder/fd/2" | sort -u)" = /dev/null ] && cdebug --stop "$id" && ended
'

test_expect UNSHARE,JQ,TMUX 'at a terminal: its size, ctrl-p ctrl-q, and attached again; the terminal is as it was' '
    started "pid:$target" -- sh &&
    user new-session -d -x 100 -y 30 "PS1=\"host> \" exec sh" && sees "host>" && types "PATH=$PATH; stty -a >$TRASH/modes" && test_wait "[ -s $TRASH/modes ]" &&
    types "cdebug --attach $id" && types "stty size" && sees "^30 100" && user resize-window -x 90 -y 25 && types "stty size" && sees "^25 90" &&
    types "mark=kept" && user send-keys C-p x && user send-keys C-u && user send-keys C-p C-q && sees "goes on" && types "echo status \$?" && sees "^status 0" &&
    types "stty -a >$TRASH/modes.after" && test_wait "[ -s $TRASH/modes.after ]" &&
    sed "s/rows [0-9]*; columns [0-9]*//" modes >expect && sed "s/rows [0-9]*; columns [0-9]*//" modes.after >actual && test_cmp expect actual &&
    types "cdebug --attach $id" && types "echo is=\$mark" && sees "^is=kept" && types "exit 9" && test_wait "! [ -e $SESSIONS/$id ]" && sleep 0.3 && types "echo status \$?" && sees "^status 9" && ended
'

test_expect UNSHARE,JQ,TMUX 'it survives the terminal that it was started in, and the one that was attached' '
    rm -f id.out && types "cdebug -q -d pid:$target -- sh -c \"echo a\"\"live; exec cat\" >$TRASH/id.out" && test_wait "[ -s $TRASH/id.out ]" && id=$(cat id.out) &&
    session_ids+=("$id") && types "cdebug --attach $id" && sees "^alive" && user kill-server && sleep 0.5 && listed "$id" &&
    test_wait "[ \"\$(list_field attached)\" = 0 ]" && { echo there | timeout 2 cdebug --attach "$id" >actual; [ $? = 124 ]; } && test_grep "^there" actual &&
    holder=$(field holder) && cdebug --stop "$id" && ended
'

test_expect UNSHARE,JQ 'the end of the target is told to who is attached, and ends the session' '
    bare_run dying && dying=$(bare_pid dying) && started "pid:$dying" -- sleep 1000 && { cdebug --attach "$id" </dev/null >out 2>err & front=$!; } && test_wait "[ \"\$(list_field attached)\" = 1 ]" &&
    kill -KILL "$dying" && test_status 137 wait $front && test_grep "first process $dying has ended" err && ended
'

test_expect UNSHARE 'a session out of its pid namespace outlives the target: its files stay, the status is the command'"'"'s, and it is said' '
    bare_run short && short=$(bare_pid short) && mkfifo go &&
    { cdebug --ns net,ipc,uts "pid:$short" -- sh -c "echo ready; read -r line <$PWD/go; cat /target/etc/motd; exit 5" >out 2>err & front=$!; } &&
    test_wait "grep -q ready out" && kill -KILL "$short" && test_wait "! runs $short" && echo on >go && test_status 5 wait $front &&
    test_grep "welcome to the test image" out && test_grep "first process $short has ended meanwhile" err && test_grep "^hint: its files" err
'

test_expect UNSHARE,JQ 'the target is as it was; what follows leaves it zombies: a killed supervisor has none who waits for its children' '
    for one in "${session_ids[@]}"; do [ ! -e "$SESSIONS/$one" ] || cdebug --stop "$one" || return 1; done &&
    test_wait "state | cmp before -" && state | test_cmp before -
'

# wide: a session with a cgroup, and with a process that is nobody's child any more; $command is its command
wide()
{
    started --pids 50 "pid:$target" -- sh -c "setsid -f setsid sleep 6$$; exec sleep 1000" &&
        read -r -d ' ' command <"/proc/$supervisor/task/$supervisor/children" && test_wait "pgrep -f '^sleep 6$$'"
}

test_expect UNSHARE,JQ 'kill -9 of the holder, of the supervisor, of the command: nothing is left' '
    wide && kill -KILL "$holder" && test_wait "! pgrep -f \"sleep 6$$\"" && cdebug --list >actual && test_grep -v "$id" actual && ended &&
    wide && kill -KILL "$supervisor" && test_wait "! pgrep -f \"sleep 6$$\"" && ended &&
    wide && kill -KILL "$command" && test_wait "! pgrep -f \"sleep 6$$\"" && ended
'

test_expect UNSHARE,JQ 'kill -9 of both: what is left --list shows, and --stop ends' '
    wide && kill -STOP "$holder" && kill -KILL "$supervisor" && kill -KILL "$holder" && test_wait "! runs $holder" && test_wait "[ \"\$(list_field state)\" = killed ]" && [ "$(list_field processes)" -ge 1 ] &&
    cdebug --list >actual && test_grep "^$id .*killed, [0-9]* left" actual &&
    test_status 125 cdebug --attach "$id" 2>err && test_grep "holder $holder was killed" err && test_grep "^hint: .*--stop $id" err &&
    cdebug --stop "$id" && ! pgrep -f "sleep 6$$" && ended
'

test_expect UNSHARE,JQ 'a holder that is stopped does not keep --stop from ending it' '
    wide && kill -STOP "$holder" && cdebug --stop "$id" && ! pgrep -f "sleep 6$$" && ended
'

test_expect UNSHARE,JQ 'without a session, or a directory for them, the list is empty' '
    unshare --mount sh -c "mount -t tmpfs none /run && cdebug --list && cdebug --list --json && ls /run" >actual &&
    test_grep "^ID  *CONTAINER" actual && [ "$(wc -l <actual)" = 2 ] && sed 1d actual | test_json .sessions "[]" -
'

test_done
