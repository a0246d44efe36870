#!/bin/bash
# CVE-2024-9676 (containers/storage), CVE-2024-9341, CVE-2019-10152: the files of a container that a tool reads on
# its behalf (/etc/passwd, /etc/resolv.conf, /etc/hosts) are replaced: by a FIFO that blocks, a link that names a file
# of the host, a device or a file without an end, a directory, a file system that never answers; or one after the
# other while the tool looks. No tool hangs, none shows the host's file, and none says more than a line about it.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare

# A passwd file, and a resolv.conf, of the host that must not be shown. /etc/hosts alike.
canary=$TRASH/canary
printf 'HOSTCANARY:x:0:0::/:/bin/sh\nnameserver 192.0.2.99\n# HOSTCANARY\n' >"$canary"
chmod 644 "$canary"

up() { bare_up && { [ -d "$BARE_DIR/web" ] || { bare_run web && bare_put web "$HELPERS/swap-race" "$HELPERS/stall"; }; }; }

# replace KIND FILE...: each file of the container becomes that; by a shell inside
replace()
{
    local kind=$1 make
    shift
    case $kind in
    fifo)     make='mkfifo "$f"' ;;
    link)     make="ln -s '$canary' \"\$f\"" ;;
    dots)     make="ln -s '../../../../../../../../../..$canary' \"\$f\"" ;;
    procroot) make="ln -s '/proc/1/cwd/../../../..$canary' \"\$f\"" ;;
    device)   make='mknod -m 666 "$f" c 1 5' ;;
    dir)      make='mkdir "$f"' ;;
    sparse)   make='truncate -s 10G "$f"' ;;
    empty)    make=': >"$f"' ;;
    garbage)  make='cat /bin/stall >"$f"' ;;
    *)        return 1 ;;
    esac
    bare_do web /bin/sh -c 'for f; do rm -rf "$f"; '"$make"' || exit 1; done' sh "$@"
}

# fine COMMAND...: it ends in time, with status 0 (or 2: incomplete), shows nothing of the host, and
# complains in no more than a line and its hint about each of the two files it reads at most
fine()
{
    local status=0
    within 5 "$@" >actual 2>err || status=$?
    case $status in
    0 | 2) ;;
    137)   echo "hangs: $*"; return 1 ;;
    *)     echo "status $status: $*"; cat err; return 1 ;;
    esac
    ! grep -a 'HOSTCANARY\|192\.0\.2\.99' actual err || return 1
    # a warning of cdebug's that is none of theirs: these containers have every capability
    sed -i '/(CAP_SYS_PTRACE)/,+1d' err
    [ "$(wc -l <err)" -le 4 ] || { echo 'more than a line each:'; cat err; return 1; }
}

all_fine()
{
    local pid
    pid=$(bare_pid web)
    fine cps "pid:$pid" && test_grep sleep actual &&
        fine cps --json "pid:$pid" &&
        fine cnsenter -n "pid:$pid" /bin/cat /etc/resolv.conf /etc/hosts &&
        fine cdebug "pid:$pid" -- /bin/cat /etc/resolv.conf &&
        fine cnsenter --as-target "pid:$pid" /bin/true
}

test_expect UNSHARE 'naive: cat of /proc/PID/root/etc/passwd shows a file of the host, or hangs, or never ends' '
    up && root=/proc/$(bare_pid web)/root &&
    replace link /etc/passwd &&
    cat "$root/etc/passwd" >actual && test_grep HOSTCANARY actual &&
    replace fifo /etc/passwd &&
    test_status 137 within 2 cat "$root/etc/passwd" &&
    replace device /etc/passwd &&
    test_status 137 within 1 cat "$root/etc/passwd" >/dev/null &&
    replace sparse /etc/passwd &&
    test "$(head -c 100000000 "$root/etc/passwd" | wc -c)" = 100000000
'

for kind in fifo link dots procroot device dir sparse empty garbage; do
    test_expect UNSHARE "a target whose passwd, group, resolv.conf and hosts are: $kind" "
        up && replace $kind /etc/passwd /etc/group /etc/resolv.conf /etc/hosts &&
        all_fine
    "
done

# The canary must be what would have been found.
racing()
{
    bare_do web /bin/sh -c "cd /etc && rm -rf passwd resolv.conf x y &&
        echo 'inside:x:0:0::/:/bin/sh' >passwd && echo 'nameserver 192.0.2.1' >resolv.conf &&
        ln -s '$canary' x && ln -s '$canary' y" || return 1
    bare_start web /bin/swap-race /etc/passwd /etc/x && race1=$started || return 1
    bare_start web /bin/swap-race /etc/resolv.conf /etc/y && race2=$started
}

stop()
{
    kill -KILL "$@"
    return 0
}

naive_sees_both()
{
    local i
    for ((i = 0; i < 2000; i++)); do
        [ -L "$1" ] || cat "$1" 2>/dev/null
    done >actual
    grep -q HOSTCANARY actual
}

test_expect UNSHARE 'naive: to look first and open then is too late' '
    up && racing &&
    { naive_sees_both "/proc/$(bare_pid web)/root/etc/passwd"; r=$?; stop $race1 $race2; test $r = 0; }
'

test_expect UNSHARE 'files that are swapped with links all the time' '
    up && racing && pid=$(bare_pid web) &&
    { repeat 30 fine cps "pid:$pid" &&
        repeat 30 fine cnsenter -n "pid:$pid" /bin/cat /etc/resolv.conf &&
        repeat 15 fine cdebug "pid:$pid" -- /bin/cat /etc/resolv.conf &&
        repeat 15 fine cnsenter --as-target "pid:$pid" /bin/true; r=$?; stop $race1 $race2; test $r = 0; }
'

# Nothing below /etc can be opened, and what waits cannot be killed until the server is.
etc_stalls()
{
    bare_do web /bin/umount -l /etc >/dev/null 2>&1 # a dead one
    bare_start web /bin/stall files 9 /etc 9<>/dev/fuse >stall.out 2>&1 && stall=$started || return 1
    test_wait 'grep -q ready stall.out' || { cat stall.out; return 1; }
}

test_expect FUSE,UNSHARE 'naive: to open a file on the file system of a container that never answers hangs for ever' '
    up && etc_stalls &&
    { cat "/proc/$(bare_pid web)/root/etc/passwd" & } && cat=$! && sleep 0.5 && kill -KILL $cat && sleep 0.5 &&
    { grep "^State:.D" /proc/$cat/status; r=$?; stop $stall; test $r = 0; }
'

test_expect FUSE,UNSHARE 'an /etc that never answers costs a deadline' '
    up && etc_stalls && pid=$(bare_pid web) &&
    { fine cps "pid:$pid" && test_grep sleep actual &&
        fine cnsenter -n "pid:$pid" /bin/true &&
        fine cdebug "pid:$pid" -- /bin/true; r=$?; stop $stall; test $r = 0; }
'

# A reader that was left behind holds none of the fds of the tool: who waits for the end of its output would wait too.
test_expect FUSE,UNSHARE 'nobody waits for a reader that was left behind' '
    up && etc_stalls && pid=$(bare_pid web) &&
    { fine sh -c "cps pid:$pid | cat" && test_grep sleep actual &&
        fine sh -c "cnsenter -n pid:$pid /bin/true 2>&1 | cat" &&
        fine sh -c "cnsenter --as-target pid:$pid /bin/true 2>&1 | cat" &&
        fine sh -c "cdebug pid:$pid -- /bin/true 2>&1 | cat"; r=$?; stop $stall; test $r = 0; }
'

test_done
