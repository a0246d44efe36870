#!/bin/bash
# cdebug beside podman's containers, root's and an ordinary user's.
. "$(dirname "$0")/../lib/harness.sh"
test_engine podman-rootless
pid=''

test_expect PODMAN_ROOTLESS 'setup: a container of an ordinary user' '
    podman_rootless_up && pmu run -d --name mine "$IMAGE" sleep 1000000 >/dev/null &&
    pid=$(pmu inspect -f "{{.State.Pid}}" mine) && [ "$pid" -gt 1 ]
'

test_expect PODMAN_ROOTLESS 'root finds it by name, and the session is user 0 of its user namespace, not of the host' '
    cdebug mine -- sh -c "id -u; readlink /proc/self/ns/user /proc/self/ns/net; cat /target/etc/motd; cat /proc/1/comm
        cat /etc/shadow 2>&1 | grep -o denied" >actual &&
    { echo 0; readlink "/proc/$pid/ns/user" "/proc/$pid/ns/net"; echo welcome to the test image; echo sleep; echo denied; } >expect &&
    test_cmp expect actual
'

test_expect PODMAN_ROOTLESS 'a session leaves its files as they were' '
    upper=$(pmu inspect -f "{{.GraphDriver.Data.UpperDir}}" mine) && [ -d "$upper" ] && find "$upper" >/dev/null &&
    find "$upper" -printf "%p %i %m %U %s %A@ %T@ %C@\n" | sort >before && cat "/proc/$pid/mountinfo" >mounts &&
    cdebug mine -- sh -c "find /target -xdev -type f -exec cat {} + >/dev/null; ls -lR /target/etc >/dev/null" &&
    find "$upper" -printf "%p %i %m %U %s %A@ %T@ %C@\n" | sort >after && test_cmp before after &&
    test_cmp mounts "/proc/$pid/mountinfo"
'

test_expect PODMAN_ROOTLESS 'what is written with --write is its user 0'"'"'s' '
    cdebug --write mine -- sh -c "echo w >/target/written" && pmu exec mine stat -c "%u" /written >actual &&
    echo 0 >expect && test_cmp expect actual
'

test_done
