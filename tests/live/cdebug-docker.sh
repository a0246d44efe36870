#!/bin/bash
# cdebug beside docker's containers: limits, and a daemon that is dead.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine docker
pid=''

debug() { cdebug --store "docker=$DOCKER_DATA" "$@"; }

# What the kernel counted in the container's memory cgroup: its limit's OOM kills.
oom_kills()
{
    local path file
    path=$(sed -n 's/^[0-9]*:\(memory\|\):\(.*docker.*\)/\2/p' "/proc/$pid/cgroup" | head -n 1)
    file=$(find /sys/fs/cgroup -maxdepth 6 \( -path "*$path/memory.events" -o -path "*$path/memory.oom_control" \) | head -n 1)
    [ -n "$file" ] && sed -n 's/^oom_kill //p' "$file"
}

# A program that holds 200 MiB: one line of that length.
hungry='head -c 200M /dev/zero | tail | wc -c'

test_expect DOCKER 'setup: a container with 32 MiB of memory' '
    docker_up && dk run -d --name small --memory 32m --memory-swap 32m "$IMAGE" sleep 1000000 >/dev/null &&
    pid=$(dk inspect -f "{{.State.Pid}}" small) && [ "$pid" -gt 1 ]
'

test_expect DOCKER 'a container with 32 MiB survives a session that uses 200 MiB' '
    [ "$(oom_kills)" = 0 ] && debug docker:small -- sh -c "$hungry" >actual &&
    echo 209715200 >expect && test_cmp expect actual &&
    [ "$(oom_kills)" = 0 ] && [ "$(dk inspect -f "{{.State.Pid}} {{.State.OOMKilled}}" small)" = "$pid false" ]
'

test_expect DOCKER 'and what uses 200 MiB inside such a container is killed: the limit is real' '
    dk run --rm "$IMAGE" dd if=/dev/zero of=/dev/null bs=200M count=1 &&
    test_status 137 dk run --rm --memory 32m --memory-swap 32m "$IMAGE" dd if=/dev/zero of=/dev/null bs=200M count=1
'

test_expect DOCKER 'with --memory the session is limited, and the container not harmed' '
    debug --memory 400M docker:small -- sh -c "$hungry" >actual && test_grep 209715200 actual &&
    debug --memory 64M docker:small -- sh -c "$hungry || true" >actual 2>err &&
    test_grep -v 209715200 actual &&
    [ "$(oom_kills)" = 0 ]
'

test_expect DOCKER 'with --pids no more processes are to be had, with --cpus no more time' '
    test_status 2 debug --pids 5 docker:small -- dash -c "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done" 2>err &&
    test_grep "Cannot fork" err &&
    debug --cpus 0.5 docker:small -- sh -c "
        find /sys/fs/cgroup -path \"*/sonde-*\" \( -name cpu.max -o -name cpu.cfs_quota_us \) -exec cat {} +
    " >actual && test_grep "^50000" actual
'

test_expect DOCKER 'a session is in the caller'"'"'s cgroup, not in the container'"'"'s' '
    debug docker:small -- cat /proc/self/cgroup >actual && test_grep -v docker actual && cat /proc/self/cgroup >expect &&
    test_cmp expect actual
'

test_expect DOCKER 'after kill -9 of dockerd it works on' '
    docker_kill && ! dk version >/dev/null 2>&1 &&
    debug docker:small -- sh -c "cat /target/etc/motd; cat /proc/1/comm" >actual &&
    printf "welcome to the test image\nsleep\n" >expect && test_cmp expect actual
'

test_expect DOCKER 'of a container that died since the files are there, and not to be written to while docker has them mounted' '
    kill -9 "$pid" && test_wait "! [ -e /proc/$pid/ns/pid ]" &&
    debug docker:small -- sh -c "cat /target/etc/motd; rm /target/etc/motd; cat /proc/1/comm" >actual &&
    printf "welcome to the test image\ncdebug\n" >expect && test_cmp expect actual &&
    test_status 125 debug --write docker:small -- rm /target/etc/motd 2>err && test_grep "files are mounted at" err
'

test_done
