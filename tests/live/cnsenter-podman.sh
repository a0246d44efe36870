#!/bin/bash
# cnsenter in containers with a user namespace: rootless podman's, entered by root and by their owner.
. "$(dirname "$0")/../lib/harness.sh"
test_engine podman-rootless
test_names web app done7

pid_of() { pmu inspect --format '{{.State.Pid}}' "$1"; }

# The tool where the user may run it.
user_enter() { as_user "$SONDE_TEST_DIR/cnsenter" "$@"; }

test_expect PODMAN_ROOTLESS 'setup: containers of a user of our own' '
    podman_rootless_up && cp "$SONDE_BUILD/cnsenter" "$SONDE_TEST_DIR/" &&
    pmu run -d --name $web "$IMAGE" sleep 1000000 &&
    pmu run -d --name $app --user 1000:1000 "$IMAGE" sleep 1000002 &&
    { pmu run --name $done7 "$IMAGE" sh -c "exit 7"; [ $? = 7 ]; }
'

test_expect PODMAN_ROOTLESS 'root is root of the user namespace in there, as podman exec is' '
    peek="id -u; id -g; grep -E \"^(Uid|Gid|CapBnd|CapEff|CapInh|CapAmb|NoNewPrivs)\" /proc/self/status" &&
    pmu exec $web sh -c "$peek" >expect && cnsenter podman:$web sh -c "$peek" >actual &&
    test_cmp expect actual &&
    for type in mnt pid net ipc uts cgroup user; do
        cnsenter podman:$web readlink /proc/self/ns/$type >actual &&
        readlink /proc/$(pid_of $web)/ns/$type >expect && test_cmp expect actual || return 1
    done
'

test_expect PODMAN_ROOTLESS 'without the user namespace no capability is left' '
    cnsenter -m -p podman:$web grep -E "^Cap(Bnd|Eff|Prm)" /proc/self/status >actual &&
    test_grep -v "[1-9a-f][0-9a-f]*$" actual
'

test_expect PODMAN_ROOTLESS '-S is a user as the namespace counts, --as-target the user of the container' '
    cnsenter -S 1000 -G 1000 podman:$web id >actual &&
    test_grep "uid=1000(app) gid=1000(app)" actual &&
    cnsenter --as-target podman:$app sh -c "id -u; pwd; echo \$APP" >actual &&
    printf "1000\n/srv\nyes\n" >expect && test_cmp expect actual &&
    cnsenter -S follow -G follow podman:$app id -u >actual && echo 1000 >expect && test_cmp expect actual
'

test_expect PODMAN_ROOTLESS '-p, -n and -U without -m keep the files of the host, with a fresh /proc' '
    cnsenter -U -p -n podman:$web sh -c "tr \"\\0\" \" \" </proc/1/cmdline; id -u; ls /sys/class/net" >actual &&
    test_grep "^sleep 1000000" actual &&
    cnsenter -U -p podman:$web readlink /proc/self/ns/user >actual &&
    readlink "/proc/$(pid_of $web)/ns/user" >expect && test_cmp expect actual
'

test_expect PODMAN_ROOTLESS 'without setns() of a pidfd the order is right, too' '
    for call in pidfd_open setns-many=EINVAL; do
        "$HELPERS/deny-syscall" $call -- cnsenter podman:$web sh -c "readlink /proc/self/ns/user; readlink /proc/self/ns/net" >actual &&
        readlink "/proc/$(pid_of $web)/ns/user" "/proc/$(pid_of $web)/ns/net" >expect && test_cmp expect actual ||
            return 1
    done
'

test_expect PODMAN_ROOTLESS 'the owner enters his own containers' '
    user_enter -t "$(pid_of $web)" sh -c "id -u; cat /etc/motd" >actual &&
    printf "0\nwelcome to the test image\n" >expect && test_cmp expect actual
'

test_expect PODMAN_ROOTLESS 'a stopped container is named with its exit code, and where to look' '
    test_status 125 cnsenter podman:$done7 true 2>err &&
    test_grep "container $done7 is exited (7), it has no namespaces to enter" err &&
    test_grep "hint: .cps -a. shows stopped containers" err
'

test_done
