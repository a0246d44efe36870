#!/bin/bash
# cnsenter in containers of runc, and in processes with namespaces, a user namespace or a root of their own.
. "$(dirname "$0")/../lib/harness.sh"
test_engine runc
test_engine bare
web='' pid='' # the container, its init

# enter ARGUMENT...: cnsenter on runc's own root
enter() { cnsenter --store "runc=$OCI_DIR/state" "$@"; }

# A background job of a function is a subshell around it: there cnsenter is run directly, on $pid.

# command_of FRONT: the pid of its command: its child, or itself where there is no fork
command_of()
{
    local child
    child=$(tr -d ' ' <"/proc/$1/task/$1/children") && echo "${child:-$1}"
}

# runs_as FRONT COMM: the command has been executed
runs_as() { [ "$(cat "/proc/$(command_of "$1")/comm")" = "$2" ]; }

# ns_of PID: its namespaces, one a line
ns_of()
{
    local type
    for type in mnt pid net ipc uts cgroup user; do
        echo "$type $(readlink "/proc/$1/ns/$type")"
    done
}

# expect_ns TARGET TYPES: the target's namespaces of these types, ours of the others
expect_ns()
{
    local type
    for type in mnt pid net ipc uts cgroup user; do
        case " $2 " in
        *" $type "*) echo "$type $(readlink "/proc/$1/ns/$type")" ;;
        *)           echo "$type $(readlink "/proc/self/ns/$type")" ;;
        esac
    done
}

# joins TYPES OPTION...: what a command in $web joins with these options
joins()
{
    local types=$1 front status=0
    shift
    cnsenter --store "runc=$OCI_DIR/state" "$@" "$web" sleep 1000 & front=$!
    test_wait "runs_as $front sleep" && ns_of "$(command_of "$front")" >actual &&
        expect_ns "$pid" "$types" >expect && test_cmp expect actual || status=1
    kill "$front"; wait "$front"
    return $status
}

# What we mount, and where: other tests make mounts of their own meanwhile.
host_mounts() { cut -d" " -f4- /proc/self/mountinfo | grep -E "^[^ ]+ /(etc|proc|sys|tmp)[/ ]|memfd|sonde [^ ]*size=4096k"; }

# gone PID: it has ended
gone() { ! [ -e "/proc/$1" ] || [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = Z ]; }

test_expect RUNC 'setup: a container' '
    runc_up && oci_run web sleep 1000000 &&
    web=$(oci_id web) && pid=$(oci_pid web) && [ "$pid" -gt 1 ] &&
    find "$OCI_DIR/bundles/web/upper" | sort >upper.before &&
    cut -d" " -f4- "/proc/$pid/mountinfo" >mounts.before && host_mounts >host.before
'

test_expect RUNC 'every letter joins that namespace and no other; -n gives a mount namespace of its own' '
    joins "uts" -u && joins "ipc" -i && joins "mnt" -m && joins "cgroup" -C &&
    joins "mnt pid net ipc uts cgroup" -a && joins "mnt uts net" -mun &&
    enter -n "$web" readlink /proc/self/ns/net /proc/self/ns/mnt >actual &&
    readlink "/proc/$pid/ns/net" >expect && sed 1q actual >net && test_cmp expect net &&
    test_grep -v "$(readlink /proc/self/ns/mnt | tr -cd 0-9)" actual &&
    test_grep -v "$(readlink "/proc/$pid/ns/mnt" | tr -cd 0-9)" actual
'

test_expect RUNC 'without letters all are joined, also by an id prefix and by pid' '
    joins "mnt pid net ipc uts cgroup" && cat expect >all &&
    enter "runc:$web" hostname >actual && echo web >expect && test_cmp expect actual &&
    enter -t "$pid" hostname >actual && test_cmp expect actual &&
    enter "pid:$pid" hostname >actual && test_cmp expect actual &&
    enter "$web" -u cat /proc/self/comm >actual && echo cat >expect && test_cmp expect actual
'

test_expect RUNC 'statuses are the command'"'"'s own, 126, 127 and 128+N' '
    test_status 0 enter "$web" true && test_status 7 enter "$web" sh -c "exit 7" &&
    test_status 127 enter "$web" nope 2>err && test_grep "run .nope.: No such" err &&
    test_grep "^hint: .*cdebug $web" err &&
    test_status 126 enter "$web" /etc/passwd 2>err && test_grep "Permission denied" err &&
    test_status 137 enter "$web" sh -c "kill -9 \$\$" &&
    test_status 143 enter "$web" sh -c "kill \$\$"
'

test_expect RUNC 'the command sees the container'"'"'s root, starts in /, and nothing of the host above it' '
    enter "$web" sh -c "pwd; cat /etc/motd; ls /proc/self/fd" 9</ >actual &&
    printf "/\nwelcome to the test image\n0\n1\n2\n3\n" >expect && test_cmp expect actual &&
    enter -w/srv "$web" pwd >actual && echo /srv >expect && test_cmp expect actual &&
    enter -W /home/app "$web" pwd >actual && echo /home/app >expect && test_cmp expect actual &&
    test_status 125 enter -w/nope "$web" pwd 2>err && test_grep "/nope" err
'

test_expect RUNC 'the command has the capabilities of the container, not more; --privileged keeps all' '
    enter "$web" grep -E "CapBnd|CapEff|CapPrm|NoNewPrivs" /proc/self/status >actual &&
    grep -E "CapBnd|CapEff|CapPrm|NoNewPrivs" "/proc/$pid/status" >expect && test_cmp expect actual &&
    enter --privileged "$web" grep -E "CapBnd|NoNewPrivs" /proc/self/status >actual &&
    grep -E "CapBnd|NoNewPrivs" /proc/self/status >expect && test_cmp expect actual &&
    enter -u "$web" grep CapBnd /proc/self/status >actual &&
    grep CapBnd /proc/self/status >expect && test_cmp expect actual
'

test_expect RUNC 'the caller'"'"'s environment stays outside, but for TERM' '
    TOKEN=secret TERM=vt100 enter "$web" env >actual &&
    test_grep -v TOKEN actual && test_grep "^TERM=vt100$" actual && test_grep "^HOME=/root$" actual &&
    test_grep "^PATH=/usr/local/sbin:" actual &&
    enter -S 1000 "$web" env >actual && test_grep "^HOME=/home/app$" actual &&
    TOKEN=secret enter --preserve-env "$web" env >actual && test_grep "^TOKEN=secret$" actual &&
    TOKEN=secret enter --env ONE=1 --env TOKEN=mine "$web" env >actual &&
    test_grep "^ONE=1$" actual && test_grep "^TOKEN=mine$" actual &&
    TOKEN=secret enter -u "$web" env >actual && test_grep "^TOKEN=secret$" actual
'

test_expect RUNC '-S and -G set ids; the groups of the caller stay outside' '
    enter -S 1000 -G 1000 "$web" id >actual && test_grep "uid=1000(app) gid=1000(app)" actual &&
    for ids in "" "-S 1000 -G 1000"; do
        setpriv --groups 4,5 cnsenter $ids -t "$pid" grep Groups /proc/self/status >actual &&
        test_grep -v "[0-9]" actual || return 1
    done &&
    setpriv --groups 4,5 cnsenter --preserve-credentials -t "$pid" grep Groups /proc/self/status >actual &&
    test_grep "4 5" actual && enter -S 1000 "$web" grep CapEff /proc/self/status >actual &&
    test_grep 0000000000000000 actual
'

test_expect RUNC '--as-target is who and where the container'"'"'s init is, with its environment' '
    oci_bundle app sleep 1000001 && cd "$OCI_DIR/bundles/app" &&
    jq ".process.user = { uid: 1000, gid: 1000, additionalGids: [7, 9] } | .process.cwd = \"/srv\" |
        .process.env += [\"APP=yes\"]" config.json >new && mv new config.json && cd "$TRASH" && oci_start app &&
    app=$(oci_pid app) &&
    enter --as-target "$(oci_id app)" sh -c \
        "pwd; echo \$APP; grep -E \"^(Uid|Gid|Groups|Cap|NoNew)\" /proc/self/status" >actual &&
    { echo /srv && echo yes && grep -E "^(Uid|Gid|Groups|Cap|NoNew)" "/proc/$app/status"; } >expect &&
    test_cmp expect actual &&
    enter -S follow -G follow "$(oci_id app)" id -u >actual && echo 1000 >expect && test_cmp expect actual &&
    enter -e "$(oci_id app)" env >actual && test_grep "^APP=yes$" actual
'

test_expect RUNC '-p without -m shows the container'"'"'s processes in a fresh /proc, the host'"'"'s stays' '
    { mount | grep -c " /proc "; } >before &&
    enter -p "$web" sh -c "cat /proc/1/cmdline | tr \"\\0\" \" \"; ls -d /proc/[0-9]* | wc -l; test -d /work -o -d /usr" >actual &&
    test_grep "^sleep 1000000" actual &&
    { mount | grep -c " /proc "; } >after && test_cmp before after
'

test_expect RUNC '-n without -m brings the container'"'"'s resolv.conf, hosts and devices, as copies' '
    root=/proc/$pid/root &&
    echo "nameserver 192.0.2.53" >"$root/etc/resolv.conf" && echo "192.0.2.1 inside" >"$root/etc/hosts" &&
    enter -n "$web" sh -c "cat /etc/resolv.conf /etc/hosts; ls /sys/class/net" >actual &&
    printf "nameserver 192.0.2.53\n192.0.2.1 inside\nlo\n" >expect && test_cmp expect actual &&
    enter -n "$web" sh -c "echo changed >/etc/resolv.conf" &&
    test_grep "nameserver 192.0.2.53" "$root/etc/resolv.conf" &&
    test_grep -v changed /etc/resolv.conf
'

test_expect RUNC 'a resolv.conf that is a FIFO, a link to the host or 10 GiB costs one warning' '
    etc=/proc/$pid/root/etc && rm "$etc/resolv.conf" && mkfifo "$etc/resolv.conf" &&
    timeout 10 cnsenter -n -t "$pid" cat /etc/resolv.conf >actual 2>err &&
    test_cmp /etc/resolv.conf actual && [ "$(grep -c "resolv.conf" err)" = 1 ] &&
    rm "$etc/resolv.conf" && ln -s "$TRASH/secret" "$etc/resolv.conf" && echo secret >secret &&
    timeout 10 cnsenter -n -t "$pid" cat /etc/resolv.conf >actual && test_cmp /etc/resolv.conf actual &&
    rm "$etc/resolv.conf" && truncate -s 10G "$etc/resolv.conf" &&
    timeout 10 cnsenter -n -t "$pid" cat /etc/resolv.conf >actual 2>err &&
    test_cmp /etc/resolv.conf actual && [ "$(grep -c "resolv.conf" err)" = 1 ] &&
    rm "$etc/resolv.conf" && : >"$etc/resolv.conf"
'

test_expect RUNC 'signals of the front reach the command' '
    { cnsenter -t "$pid" sh -c "trap \"exit 3\" USR1; echo ready >/tmp/ready; while :; do sleep 0.1; done" &
        front=$!; } &&
    test_wait "[ -e /proc/$pid/root/tmp/ready ]" && rm "/proc/$pid/root/tmp/ready" &&
    kill -USR1 $front && test_status 3 wait $front &&
    { cnsenter -t "$pid" sleep 1000 & front=$!; } && test_wait "runs_as $front sleep" &&
    kill -TERM $front && test_status 143 wait $front
'

test_expect RUNC 'kill -9 of the front ends the command' '
    { cnsenter -t "$pid" sleep 1234567 & front=$!; } && test_wait "runs_as $front sleep" &&
    child=$(command_of $front) && [ "$child" != "$front" ] &&
    kill -9 $front && test_wait "gone $child"
'

test_expect RUNC,TMUX 'at a terminal the command has a pty of its own, of its size, and it follows' '
    tmux -S "$TRASH/tmux" new-session -d -x 97 -y 31 \
        "cnsenter -t $pid sh -c \"stty size >/tmp/size; tty >>/tmp/size; trap \\\"stty size >/tmp/resized\\\" WINCH;
            while :; do sleep 0.1; done\"" &&
    test_cleanup "tmux -S $TRASH/tmux kill-server 2>/dev/null; true" &&
    test_wait "[ \$(wc -l </proc/$pid/root/tmp/size) = 2 ]" &&
    test_grep "31 97" "/proc/$pid/root/tmp/size" &&
    tmux -S "$TRASH/tmux" resize-window -x 80 -y 20 && test_wait "grep \"20 80\" /proc/$pid/root/tmp/resized" &&
    front=$(tmux -S "$TRASH/tmux" list-panes -F "#{pane_pid}") && test_wait "runs_as $front sh" &&
    child=$(command_of "$front") && [ "$child" != "$front" ] &&
    ls -l "/proc/$child/fd/" >fds && test_grep -v "$(tmux -S "$TRASH/tmux" list-panes -F "#{pane_tty}")" fds &&
    tmux -S "$TRASH/tmux" kill-server && test_wait "gone $child" &&
    rm "/proc/$pid/root/tmp/size" "/proc/$pid/root/tmp/resized"
'

test_expect RUNC 'a container without a shell is said to have none, with what brings one' '
    mv "/proc/$pid/root/bin/sh" "/proc/$pid/root/bin/was-sh" &&
    { test_status 127 enter "$web" 2>err; r=$?; mv "/proc/$pid/root/bin/was-sh" "/proc/$pid/root/bin/sh"; test $r = 0; } &&
    test_grep "run ./bin/sh." err && test_grep "hint: .*cdebug $web" err
'

test_expect RUNC 'without a command it is a shell' '
    echo "cat /etc/motd" | enter "$web" >actual && echo "welcome to the test image" >expect && test_cmp expect actual
'

test_expect RUNC 'on a kernel without one call or another it is done in another way' '
    for call in pidfd_open setns-many=EINVAL close_range openat2 sendfile=EINVAL copy_file_range memfd_create \
        memfd_create=EPERM statx; do
        "$HELPERS/deny-syscall" "$call" -- cnsenter -t "$pid" sh -c "hostname; ls /proc/self/fd | wc -l" \
            5</etc/passwd >actual || { echo "without $call"; return 1; }
        printf "web\n4\n" >expect && test_cmp expect actual || { echo "without $call"; return 1; }
    done &&
    test_status 125 "$HELPERS/deny-syscall" setns=EPERM -- cnsenter -t "$pid" true 2>err &&
    test_grep "Operation not permitted" err && test_grep "hint: .*root" err
'

test_expect RUNC 'where memory files are forbidden it runs from a read-only mount; where both are, it does not' '
    { "$HELPERS/deny-syscall" memfd_create=EPERM -- cnsenter -t "$pid" sleep 1000 & front=$!; } &&
    test_wait "runs_as $front sleep" &&
    exec 9<"/proc/$front/exe" && kill $front && test_status 143 wait $front &&
    ! { : >>/proc/self/fd/9; } 2>err && exec 9<&- && test_grep "Read-only file system" err &&
    test_status 125 "$HELPERS/deny-syscall" memfd_create,open_tree -- cnsenter -t "$pid" true 2>err &&
    test_grep "sealed copy" err &&
    mkdir tmpfs && unshare -m sh -c "mount -t tmpfs none tmpfs && cp \"\$@\" tmpfs/ &&
        tmpfs/deny-syscall memfd_create=EPERM -- tmpfs/cnsenter -t $pid hostname" \
        sh "$SONDE_BUILD/cnsenter" "$HELPERS/deny-syscall" >actual && echo web >expect && test_cmp expect actual
'

test_expect RUNC 'the front runs from a sealed memory file' '
    { cnsenter -t "$pid" sleep 1000 & front=$!; } && test_wait "runs_as $front sleep" &&
    readlink "/proc/$front/exe" >actual && test_grep "memfd:cnsenter" actual &&
    echo cnsenter >expect && test_cmp expect "/proc/$front/comm" &&
    kill $front
'

test_expect RUNC 'a program on a read-only file system runs from a sealed copy too: it may be remounted' '
    mkdir ro && { unshare -m sh -c "mount -t ramfs none ro && cp \"\$1\" ro/ && mount -o remount,bind,ro ro &&
        exec ro/cnsenter -t \"\$2\" sleep 1000" sh "$SONDE_BUILD/cnsenter" "$pid" & front=$!; } &&
    test_wait "runs_as $front sleep" &&
    readlink "/proc/$front/exe" >actual && test_grep "memfd:cnsenter" actual &&
    kill $front
'

test_expect RUNC 'nothing of the container, its mounts or the host'"'"'s mounts has changed' '
    find "$OCI_DIR/bundles/web/upper" | sort >upper.after &&
    diff <(grep -vE "/(etc|tmp|bin)(/|$)|/upper$" upper.before) <(grep -vE "/(etc|tmp|bin)(/|$)|/upper$" upper.after) &&
    cut -d" " -f4- "/proc/$pid/mountinfo" >mounts.after && test_cmp mounts.before mounts.after &&
    host_mounts >host.after && test_cmp host.before host.after
'

test_expect RUNC,USERNS 'without privileges it says what is needed, in one line and a hint' '
    cp "$SONDE_BUILD/cnsenter" "$SONDE_TEST_DIR/cnsenter" && chmod 755 "$SONDE_TEST_DIR/cnsenter" &&
    test_status 125 setpriv --reuid 65534 --regid 65534 --clear-groups "$SONDE_TEST_DIR/cnsenter" -t "$pid" true 2>err &&
    cat err && [ "$(grep -vc ^hint: err)" = 1 ] && test_grep "hint: .*root" err
'

test_expect USERNS,ROOT 'a user can enter a user namespace of his own, as its root' '
    { setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user --mount --uts \
        sleep 1000 & inner=$!; } &&
    test_cleanup "kill $inner" && test_wait "[ \"\$(cat /proc/$inner/comm)\" = sleep ]" &&
    setpriv --reuid 65534 --regid 65534 --clear-groups "$SONDE_TEST_DIR/cnsenter" -t $inner sh -c \
        "id -u; readlink /proc/self/ns/user" >actual &&
    { echo 0 && readlink "/proc/$inner/ns/user"; } >expect && test_cmp expect actual &&
    cnsenter -t $inner id -u >actual && echo 0 >expect && test_cmp expect actual &&
    for call in pidfd_open setns-many=EINVAL; do
        "$HELPERS/deny-syscall" $call -- cnsenter -t $inner readlink /proc/self/ns/user >actual &&
        readlink "/proc/$inner/ns/user" >expect && test_cmp expect actual || return 1
    done
'

test_expect ROOT '-r enters the root of a process that is only chroot-ed' '
    bare_up && rootfs=$(image_dir)/rootfs &&
    { chroot "$rootfs" /bin/sleep 1000 & jailed=$!; } && test_cleanup "kill $jailed" && test_wait "[ \"\$(cat /proc/$jailed/comm)\" = sleep ]" &&
    cnsenter -r -t $jailed cat /etc/motd >actual && echo "welcome to the test image" >expect &&
    test_cmp expect actual &&
    cnsenter "-r$rootfs" -t $$ cat /etc/motd >actual && test_cmp expect actual
'

test_expect RUNC 'a stopped container is named with its state, and where to look' '
    rt kill "$web" KILL && test_wait "gone $pid" &&
    test_status 125 enter "$web" true 2>err &&
    test_grep "container $web is exited.*no namespaces to enter" err && test_grep "hint: .cps -a. shows stopped" err
'

test_done
