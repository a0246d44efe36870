#!/bin/bash
# cdebug beside containers of runc and of nobody: what the session sees, and that the target is left as it was.
. "$(dirname "$0")/../lib/harness.sh"
test_engine runc
test_engine bare
web='' pid='' # the container, its init

# debug ARGUMENT...: cdebug on runc's own root
debug() { cdebug --store "runc=$OCI_DIR/state" "$@"; }

# ns_of PID; expect_ns TARGET TYPES: the target's namespaces of these types, ours of the others
ns_of()
{
    local type
    for type in pid net ipc uts cgroup user; do
        echo "$type $(readlink "/proc/$1/ns/$type")"
    done
}
expect_ns()
{
    local type
    for type in pid net ipc uts cgroup user; do
        case " $2 " in
        *" $type "*) echo "$type $(readlink "/proc/$1/ns/$type")" ;;
        *)           echo "$type $(readlink "/proc/self/ns/$type")" ;;
        esac
    done
}
# shellcheck disable=SC2016 # for the session
ns_script='for t in pid net ipc uts cgroup user; do echo "$t $(readlink /proc/self/ns/$t)"; done'

# joins TYPES OPTION...: what a session with these options joins, besides a mount namespace of its own
joins()
{
    local types=$1
    shift
    debug "$@" "$web" -- sh -c "$ns_script; readlink /proc/self/ns/mnt" >actual || return 1
    tail -n 1 actual >mnt && sed -i '$d' actual && expect_ns "$pid" "$types" >expect && test_cmp expect actual &&
        ! grep -qF -e "$(readlink "/proc/$pid/ns/mnt")" -e "$(readlink /proc/self/ns/mnt)" mnt
}

# state_of NAME: all that a session could leave on a container. Reading a directory may change its access time,
# once: the first listing is thrown away.
state_of()
{
    find "$OCI_DIR/bundles/$1/upper" >/dev/null
    find "$OCI_DIR/bundles/$1/upper" -printf '%p %i %m %U %G %s %A@ %T@ %C@\n' | sort
    cat "/proc/$pid/mountinfo" "/proc/$pid/cgroup" "/proc/$pid/status" | grep -vE '^(vol|nonvol)untary_ctxt|^Vm|^Rss|^SigQ'
    cgroup_procs_of "$pid"
}

# The processes in each of its cgroups.
cgroup_procs_of()
{
    local line path
    while read -r line; do
        path=${line##*:}
        find /sys/fs/cgroup -maxdepth 6 -path "*$path/cgroup.procs" -exec sort {} + 2>/dev/null
    done <"/proc/$1/cgroup"
}

# front ARGUMENT...: cdebug in the background; its pid is $front. Not a background job of the test's own && chain,
# which would be a subshell around it.
front()
{
    cdebug --store "runc=$OCI_DIR/state" "$@" >actual 2>err &
    front=$!
}

# front_gone STATUS: it ends so
front_gone()
{
    local status=0
    wait "$front" || status=$?
    [ "$status" = "$1" ] || { echo "status $status, expected $1"; return 1; }
}

# left_over MARK: processes that have it in their command line
left_over() { pgrep -f -- "$1"; }

our_cgroups() { find /sys/fs/cgroup -type d -name "sonde-$1-*"; }

test_expect RUNC 'setup: a container with a file of its own' '
    runc_up && oci_run web sh -c "echo made >/made; exec sleep 1000000" &&
    web=$(oci_id web) && pid=$(oci_pid web) && [ "$pid" -gt 1 ] &&
    test_wait "[ -s $OCI_DIR/bundles/web/upper/made ]"
'

test_expect RUNC 'it joins pid, net, ipc and uts; --ns selects; the mount namespace is never joined' '
    joins "pid net ipc uts" && joins "net" --ns net && joins "pid uts" --ns pid,uts &&
    joins "cgroup" --ns cgroup && joins "" --ns none &&
    debug "$web" -- uname -n >actual && echo web >expect && test_cmp expect actual
'

test_expect RUNC 'the host is at /, read-only; the container at /target; /tmp and home are writable and gone after' '
    debug "$web" -- sh -c "
        cat /target/made && cat /target/etc/motd &&
        ! touch /usr/x 2>/dev/null && ! touch /x 2>/dev/null && ! touch /etc/x 2>/dev/null &&
        ! touch /target/x 2>/dev/null && ! touch /target/dev/x 2>/dev/null &&
        echo 1 >/tmp/cdebug-test-$$ && echo 1 >~/cdebug-test-$$ && ls /usr/bin/env
    " >actual && printf "made\nwelcome to the test image\n/usr/bin/env\n" >expect && test_cmp expect actual &&
    [ ! -e "/tmp/cdebug-test-$$" ] && [ ! -e ~/cdebug-test-$$ ] && [ ! -e "$OCI_DIR/bundles/web/upper/x" ]
'

test_expect RUNC '/proc has the container'"'"'s processes, /sys its network' '
    debug "$web" -- sh -c "cat /proc/1/comm; ls /sys/class/net; test -d /sys/fs/cgroup && ! touch /sys/fs/cgroup/x 2>/dev/null" >actual &&
    printf "sleep\nlo\n" >expect && test_cmp expect actual &&
    debug --ns none "$web" -- sh -c "cat /proc/$pid/comm" >actual && echo sleep >expect && test_cmp expect actual
'

test_expect RUNC 'TARGET and TARGET_PID name the container and its first process; the rest of the environment stays outside' '
    SECRET=1 TERM=vt100 debug -e ONE=1 -e TERM=dumb "$web" -- env >actual &&
    test_grep "^TARGET=$web$" actual && test_grep "^TARGET_PID=1$" actual && test_grep "^ONE=1$" actual &&
    test_grep "^TERM=dumb$" actual && test_grep -v SECRET actual &&
    debug --ns net "$web" -- sh -c "echo \$TARGET_PID" >actual && echo "$pid" >expect && test_cmp expect actual
'

test_expect RUNC 'statuses are the command'"'"'s own, 126, 127 and 128+N' '
    test_status 0 debug "$web" -- true && test_status 7 debug "$web" -- sh -c "exit 7" &&
    test_status 127 debug "$web" -- nope 2>err && test_grep "run .nope.: No such" err &&
    test_status 126 debug "$web" -- /etc/passwd 2>err && test_grep "Permission denied" err &&
    test_status 137 debug "$web" -- sh -c "kill -9 \$\$" &&
    test_status 143 debug "$web" -- sh -c "kill \$\$" &&
    test_status 3 debug "$web" sh -c "exit 3"
'

test_expect RUNC 'redirections are the command'"'"'s: bytes in, bytes out, errors apart' '
    printf "a\0b" | debug "$web" -- cat >actual 2>err && printf "a\0b" >expect && cmp expect actual &&
    test_empty err && debug "$web" -- sh -c "echo out; echo err >&2" >actual 2>err &&
    echo out >expect && test_cmp expect actual && echo err >expect && test_cmp expect err
'

test_expect RUNC 'the session has all capabilities, and none that were dropped' '
    debug "$web" -- grep -E "CapEff|CapBnd" /proc/self/status >actual &&
    grep -E "CapEff|CapBnd" /proc/self/status >expect && test_cmp expect actual &&
    debug -q --cap-drop ALL "$web" -- grep Cap /proc/self/status >actual &&
    sed "s/[1-9a-f]/0/g" actual | grep -c 0000000000000000 >n && grep -c 0000000000000000 actual | cmp n &&
    debug --cap-drop sys_admin,CAP_NET_RAW "$web" -- grep CapBnd /proc/self/status >actual &&
    printf "CapBnd:\t%016x\n" $((0x$(sed -n "s/^CapBnd:\t//p" /proc/self/status) & ~((1 << 21) | (1 << 13)))) >expect &&
    test_cmp expect actual
'

test_expect RUNC 'a container that may trace processes gets a warning, another none' '
    debug "$web" -- true 2>err && test_empty err &&
    debug --cap-drop ALL "$web" -- true 2>err && test_grep "can trace this session" err &&
    debug -q --cap-drop ALL "$web" -- true 2>err && test_empty err &&
    debug --ns net --cap-drop ALL "$web" -- true 2>err && test_empty err
'

test_expect RUNC 'the container'"'"'s resolv.conf and hosts are used when its network is' '
    cat /etc/hosts >expect && debug --ns pid "$web" -- cat /etc/hosts >actual && test_cmp expect actual &&
    echo "nameserver 10.9.8.7" >"/proc/$pid/root/etc/resolv.conf" && echo "10.1.2.3 marked" >"/proc/$pid/root/etc/hosts" &&
    debug "$web" -- cat /etc/resolv.conf /etc/hosts >actual &&
    printf "nameserver 10.9.8.7\n10.1.2.3 marked\n" >expect && test_cmp expect actual
'

test_expect RUNC 'a resolv.conf that is a FIFO, a link out of the container or endless costs one warning' '
    root=/proc/$pid/root && rm "$root/etc/resolv.conf" "$root/etc/hosts" &&
    mkfifo "$root/etc/resolv.conf" && debug "$web" -- echo on >actual 2>err && echo on >expect && test_cmp expect actual &&
    test_grep "resolv.conf.* no regular file" err && [ "$(grep -c resolv err)" = 1 ] &&
    rm "$root/etc/resolv.conf" && truncate -s 10G "$root/etc/resolv.conf" &&
    debug "$web" -- echo on >actual 2>err && test_cmp expect actual && test_grep "resolv.conf.*too large" err &&
    rm "$root/etc/resolv.conf" && ln -s /../../../../../../etc/shadow "$root/etc/resolv.conf" &&
    debug "$web" -- cat /etc/resolv.conf >actual 2>err && cat /etc/resolv.conf >expect && test_cmp expect actual &&
    rm "$root/etc/resolv.conf"
'

test_expect RUNC 'a session leaves the container as it was: files and their times, mounts, cgroup' '
    state_of web >before &&
    debug "$web" -- sh -c "find /target -type f -xdev -exec cat {} + >/dev/null; ls -lR /target/etc /target/bin >/dev/null; ps ax >/dev/null 2>&1; true" &&
    state_of web >after && test_cmp before after
'

test_expect RUNC 'with --write /target can be written to' '
    debug --write "$web" -- sh -c "echo written >/target/written" &&
    echo written >expect && test_cmp expect "$OCI_DIR/bundles/web/upper/written"
'

test_expect RUNC 'what the command left running ends with it, also in a session of its own' '
    debug "$web" -- sh -c "setsid sleep 7531$$ & (setsid setsid sleep 7532$$ &) ; echo started" >actual &&
    echo started >expect && test_cmp expect actual && ! left_over "sleep 753[12]$$"
'

test_expect RUNC 'signals are passed on, and the status tells' '
    front "$web" -- sh -c "trap \"echo got; exit 9\" TERM; echo ready; while :; do sleep 0.1; done" &&
    test_wait "grep -q ready actual" && kill -TERM $front && front_gone 9 &&
    test_grep got actual
'

test_expect RUNC 'kill -9 of cdebug at any moment leaves no process, mount or cgroup, and the container as it was' '
    state_of web >before && n=0 &&
    for delay in 0 0.002 0.004 0.006 0.008 0.01 0.015 0.02 0.03 0.05 0.1 0.3; do
        front --memory 64M --pids 50 "$web" -- sh -c "setsid sleep 8642$$ & sleep 8642$$"
        sleep $delay; kill -9 $front; { wait $front; } 2>/dev/null
        test_wait "! left_over \"sleep 8642$$\"" || break
        test_wait "[ -z \"\$(our_cgroups $front)\" ]" || { our_cgroups $front; break; }
        n=$((n + 1))
    done && [ $n = 12 ] &&
    state_of web >after && test_cmp before after
'

test_expect RUNC 'the supervisor killed from outside: nothing stays either' '
    front --pids 50 "$web" -- sh -c "setsid sleep 8643$$ & echo ready; sleep 8643$$" &&
    test_wait "grep -q ready actual" && kill -9 "$(tr -d " " <"/proc/$front/task/$front/children")" &&
    front_gone 137 && test_grep "killed by signal 9" err &&
    ! left_over "sleep 8643$$" && [ -z "$(our_cgroups $front)" ]
'

test_expect RUNC 'the plan is printed and nothing done' '
    debug --dry-run --memory 64M "$web" -- touch /tmp/x >actual && test_grep "^join  *pid net ipc uts of process $pid$" actual &&
    test_grep "^mount .*/target (read-only)" actual && test_grep "^cgroup  *one of its own: 67108864 bytes" actual &&
    test_grep "^run  *touch /tmp/x$" actual
'

test_expect RUNC 'a container that ends takes the session with it, and is said to have ended' '
    oci_run brief sleep 1000000 && p=$(oci_pid brief) &&
    front "$(oci_id brief)" -- sh -c "echo ready; sleep 1000" &&
    test_wait "grep -q ready actual" && kill -9 "$(oci_pid brief)" &&
    front_gone 137 && test_grep "first process .* has ended" err
'

# user_namespace: a process in namespaces of an unprivileged user; $front is unshare, $p its pid 1
user_namespace()
{
    setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user --pid --fork --kill-child \
        --mount --net --uts --ipc --mount-proc sleep 1000000 &
    front=$!
    test_wait "pgrep -P $front" && p=$(pgrep -P "$front") && test_wait "[ \"\$(cat /proc/$p/comm)\" = sleep ]"
}

test_expect UNSHARE,USERNS 'in a container with a user namespace the session is its user 0, and may not harm the host' '
    user_namespace && cdebug "pid:$p" -- sh -c "
        id -u; readlink /proc/self/ns/user; cat /etc/shadow 2>&1 | grep -o denied
        echo 1 >/tmp/a && echo 1 >~/a && echo wrote
    " >actual && cdebug --ns net "pid:$p" -- readlink /proc/self/ns/user >out &&
    printf "0\n%s\ndenied\nwrote\n" "$(readlink "/proc/$p/ns/user")" >expect &&
    kill -9 "$p" && { wait "$front" || true; } && test_cmp expect actual && readlink /proc/self/ns/user | test_cmp - out
'

without() { "$HELPERS/deny-syscall" "$1" -- cdebug --store "runc=$OCI_DIR/state" "${@:2}"; }

test_expect RUNC 'without mount_setattr (Linux < 5.12) the same is read-only, and the rest not' '
    rm -f actual && for mode in "" --write; do
        without mount_setattr $mode "$web" -- sh -c "
            ! touch /usr/x && ! touch /x && ! touch /sys/fs/cgroup/x && touch /tmp/x ~/x &&
            { touch /target/tmp/x && echo writable; findmnt -n -o OPTIONS /target | grep -o nosuid,nodev,noatime; }
        " 2>/dev/null >>actual || return 1
    done && printf "nosuid,nodev,noatime\nwritable\nnosuid,nodev,noatime\n" >expect && test_cmp expect actual
'

test_expect RUNC 'without pidfds, setns of many, close_range or openat2 it works all the same' '
    echo sleep >expect && for call in pidfd_open pidfd_open,setns-many close_range openat2; do
        without $call "$web" -- cat /proc/1/comm >actual && test_cmp expect actual || return 1
    done
'

test_expect RUNC 'without open_tree (Linux < 5.2) it says which kernel it needs' '
    test_status 125 without open_tree "$web" -- true 2>err && test_grep "^hint: .*Linux 5.2" err
'

test_expect UNSHARE 'a container that no engine knows: its overlay, its host name' '
    bare_up && bare_run shop && p=$(bare_pid shop) &&
    cdebug -q "pid:$p" -- sh -c "uname -n; cat /target/etc/motd" >actual &&
    printf "shop\nwelcome to the test image\n" >expect && test_cmp expect actual
'

test_done
