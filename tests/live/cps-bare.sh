#!/bin/bash
# cps and containers that no engine knows.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
test_engine bare

# entry PID: the container of cps' list with that init
entry()
{
    cps_list json.list --json --no-trunc && jq -c --argjson pid "$1" '.containers[] | select(.pid == $pid)' json.list
}

test_expect UNSHARE 'setup: two bare containers' '
    bare_up &&
    bare_run one sh -c "sleep 1000000 & sleep 1000001" &&
    bare_run two &&
    [ "$(bare_pid one)" != "$(bare_pid two)" ]
'

test_expect UNSHARE 'namespaces that no store claims are listed as bare, with the pid of their init' '
    entry "$(bare_pid one)" >actual &&
    test_json "[.engine, .status]" "[\"bare\", \"running\"]" actual &&
    entry "$(bare_pid two)" >actual &&
    test_json .engine bare actual
'

test_expect UNSHARE 'what is not known is null, not guessed' '
    entry "$(bare_pid one)" >actual &&
    test_json "[.image, .exit_code]" "[null, null]" actual
'

test_expect UNSHARE 'its name can be given back to cps, which pairs each process with its pid inside' '
    name=$(entry "$(bare_pid one)" | jq -r .name) &&
    ns_pids $(same_pidns "$(bare_pid one)") >expect &&
    [ "$(wc -l <expect)" = 2 ] &&
    cps --no-headings -o PID,NSPID "$name" | awk "{ print \$1, \$2 }" >actual &&
    test_cmp expect actual
'

test_expect UNSHARE 'cps -p and pid:N find it by any of its processes' '
    name=$(entry "$(bare_pid one)" | jq -r .name) &&
    child=$(same_pidns "$(bare_pid one)" | tail -n 1) &&
    cps -p "$child" >actual && test_grep "$name" actual &&
    cps --no-headings -o PID "pid:$child" >actual && test_grep "^ *$child$" actual
'

test_expect UNSHARE 'cps --ns tells every namespace of it, with its processes and its owner' '
    name=$(entry "$(bare_pid one)" | jq -r .name) &&
    ino=$(readlink "/proc/$(bare_pid one)/ns/pid" | tr -cd 0-9) &&
    cps_list json --ns --json &&
    test_json "[.namespaces[] | select(.type == \"pid\" and .ns == $ino) | .procs, .pid]" \
        "[2, $(bare_pid one)]" json &&
    cps_list table --ns && test_grep "$ino.*$name" table
'

test_expect UNSHARE,USERNS 'a user without privileges is shown a container of its own' '
    daemon_start "$TRASH/users" "$TRASH/log" setpriv --reuid 65534 --regid 65534 --clear-groups \
        unshare --user --map-root-user --mount --pid --fork --kill-child sleep 1000003 &&
    test_cleanup "daemon_signal $TRASH/users KILL" &&
    test_wait "pgrep --parent $(daemon_pid "$TRASH/users") --full \"^sleep 1000003\"" &&
    init=$(pgrep --parent "$(daemon_pid "$TRASH/users")") &&
    { as_nobody cps --json >json 2>err; [ $? != 1 ]; } &&
    test_json ".containers[] | select(.pid == $init) | [.engine, .command]" "[\"bare\", \"sleep 1000003\"]" json
'

# bare_row VARIANT PREREQ PID UPPER LOWERS: the rest of a row; the truth is /proc, and how it was started
bare_row()
{
    row_pid=$3 row_upper=$4 row_lowers=$5

    matrix_yes running "$2" "$1: listed, running" '
        entry "$row_pid" >row && test_json "[.engine, .status]" "[\"bare\", \"running\"]" row
    '
    matrix_unknown stopped 'there is no file: what has ended is gone' "$2" "$1: only what lives has a start time" '
        test_json "[.pid, .finished]" "[$row_pid, null]" row
    '
    matrix_yes name "$2" "$1: has a name that can be given back" '
        cps_list pids --no-headings -o PID "$(jq -r .name row)" && test_grep "^ *$row_pid$" pids
    '
    matrix_unknown image 'nobody knows what its root was made from' "$2" "$1: no image" 'test_json .image null row'
    matrix_yes status "$2" "$1: its status is what the kernel says" '
        [ -d "/proc/$row_pid" ] && test_json .status running row
    '
    matrix_unknown exit 'there is no file' "$2" "$1: no exit code" 'test_json .exit_code null row'
    matrix_yes layers "$2" "$1: its root is where it was made" '
        test_json "[.layers.upper, .layers.lowers]" "[\"$row_upper\", $row_lowers]" row
    '
    matrix_yes entered "$2" "$1: cnsenter runs a command in it" '
        cnsenter "$(jq -r .name row)" cat /etc/motd >actual && test_cmp "$(image_dir)/rootfs/etc/motd" actual
    '
    [ "$row_lowers" != '[]' ] || files_plain
    matrix_files "$2" "$1" "bare:$(jq -r .name row)" "$row_pid" '' ''
    files_absent stopped 'there is no file: what has ended is gone' "$2" "$1: one that has ended cannot be named" '
        for tool in cdiff cexport; do files_refused $tool "$ended" || return 1; done && files_refused ccp "$ended:/etc/motd" copied
    '
}

test_expect UNSHARE 'setup: one that has ended' '
    bare_run short && ended=bare:$(entry "$(bare_pid short)" | jq -r .name) && pid=$(bare_pid short) && kill -KILL "$pid" &&
    test_wait "! [ -e /proc/$pid/ns/pid ]"
'

matrix_row bare 'unshare, pivot_root, overlay'
test_have UNSHARE && bare_row 'unshare' UNSHARE "$(bare_pid one)" "$BARE_DIR/one/upper" "[\"$(image_dir)/rootfs\"]"

test_expect UNSHARE 'setup: a chroot' 'bare_chroot jail'
matrix_row bare chroot
test_have UNSHARE && bare_row chroot UNSHARE "$(daemon_pid "$BARE_DIR/jail/init")" "$BARE_DIR/jail/root" '[]'

test_expect UNSHARE 'whose process it is, and which are its processes, is told of a chroot by its root directory' '
    init=$(daemon_pid "$BARE_DIR/jail/init") && name=$(entry "$init" | jq -r .name) &&
    daemon_start second log nsenter -t "$init" --root --wd sleep 1000077 && test_cleanup "daemon_signal $TRASH/second KILL" &&
    second=$(daemon_pid second) && test_wait "! [ /proc/self/root -ef /proc/$second/root ]" &&
    cps -p "$second" >actual && test_grep "$name" actual &&
    cps --no-headings -o PID "bare:$name" | tr -d " " | sort >actual && printf "%s\n" "$init" "$second" | sort >expect &&
    test_cmp expect actual
'

test_expect UNSHARE 'a chroot without programs is no container' '
    mkdir -p empty/run && cp "$(image_dir)/rootfs/bin/busybox" empty/run/sleep &&
    daemon_start noted log chroot empty /run/sleep 1000000 &&
    test_cleanup "daemon_signal $TRASH/noted KILL" &&
    test_wait "[ \"\$(readlink /proc/$(daemon_pid noted)/root)\" = $TRASH/empty ]" &&
    entry "$(daemon_pid noted)" >actual && test_empty actual
'

test_expect BWRAP 'setup: bubblewrap' 'bare_bwrap wrapped'
matrix_row bare bwrap
test_have BWRAP && bare_row bwrap BWRAP "$(cat "$BARE_DIR/wrapped/bwrap")" "$BARE_DIR/wrapped/root" '[]'

test_expect UNSHARE 'a bare container that ended is gone from the list' '
    pid=$(bare_pid two) &&
    kill -KILL "$pid" && test_wait "! [ -e /proc/$pid/ns/pid ]" &&
    entry "$pid" >actual &&
    test_empty actual
'

test_done
