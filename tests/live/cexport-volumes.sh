#!/bin/bash
# cexport --volumes beside what the container sees: docker's and podman's, running and stopped.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"
test_engine docker
test_engine podman
test_names web pod
name=$web
test_prereq VOLUMES 'have_all python3 setfattr'

# start COMMAND...: the engine's run, with a volume, one in it, binds, read-only, of a file, of a socket, through a link, and a tmpfs
start()
{
    rm -rf bind ro inner && mkdir -p bind/sub ro inner && echo b >bind/file && echo r >ro/file && ln ro/file ro/hard && echo single >single && chmod 640 single &&
        setfattr -n user.text -v value bind/file && truncate -s 1M bind/hole && chmod 2750 bind && touch -d '2001-02-03 04:05:06.123456789' bind/sub bind &&
        rm -f socket && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' &&
        "$@" -v "$PWD/bind:/data/bind" -v "named-$name:/vol" -v "$PWD/inner:/vol/in" -v "$PWD/ro:/ro:ro" -v "$PWD/single:/etc/single" -v "$PWD/socket:/run/socket" \
            -v "$PWD/ro:/var/run/app" --tmpfs /tm "$IMAGE" sh -c 'echo v >/vol/file; chown 12:34 /vol/file; echo i >/vol/in/file; echo t >/tm/file; echo l >/data/layer; : >/ready; exec sleep 1000000' >/dev/null
}

# seen PID: its files, with what start() mounts
seen()
{
    awk '$5 != "/" { print "--without=" $5 }' "/proc/$1/mountinfo" | grep -vxE -- '--without=/(data/bind|vol|vol/in|ro|etc/single|run/app|tm)' >mounts
    tree_facts "/proc/$1/root" --times --holes
}
ours() { export_unpack "$1" unpacked && tree_facts unpacked --times --holes; }

# volumes PREREQ ENGINE: after start, with out, init, halt, lose: removes the engine's volume
volumes()
{
    test_expect "$1" "$2: of a running container they are as it sees them" '
        test_wait "[ -e /proc/$(init)/root/ready ]" && out --volumes "$name" >running.tar 2>err && test_grep "/run/socket.: a socket is left out" err && [ "$(wc -l <err)" = 1 ] &&
        seen "$(init)" >expect && ours running.tar >actual && test_grep "^/data/bind/file .*user.text=value" expect && test_grep "^/vol/in/file" expect && test_grep "^/tm/file" expect &&
        test_grep "^/run/app/hard" expect && test_grep "^/etc/single .*mode=0640" expect && test_cmp expect actual
    '
    test_expect "$1" "$2: of a stopped one the same, but for the tmpfs" '
        halt && out --volumes "$name" >stopped.tar 2>err && test_grep "/tm.: a tmpfs, whose files went" err && [ "$(wc -l <err)" = 2 ] &&
        echo --without=/tm >>mounts && ours running.tar >expect && ours stopped.tar >actual && test_cmp expect actual && tar -tf stopped.tar | grep "^tm/" >actual && echo tm/ >expect && test_cmp expect actual
    '
    test_expect "$1" "$2: PATH and -x" '
        out --volumes "$name" -q /vol /var/run/app/file | tar -t >actual && printf "%s\n" vol/ vol/file vol/in/ vol/in/file run/app/file >expect && test_cmp expect actual &&
        out --volumes "$name" -q -x in /vol | tar -t >actual && printf "%s\n" vol/ vol/file >expect && test_cmp expect actual
    '
    test_expect "$1" "$2: what is lost is said in a line each, the status is 2, and the rest is there" '
        mv bind away && lose && test_status 2 out --volumes -q "$name" >lost.tar 2>err && [ "$(wc -l <err)" = 2 ] && test_grep "/data/bind.: open its volume .*/bind.: No such file" err &&
        test_grep "/vol.: open its volume .*No such file" err && printf "%s\n" --without=/data/bind --without=/vol >>mounts && ours running.tar >expect && ours lost.tar >actual && test_cmp expect actual &&
        tar -tf lost.tar | grep -E "^(vol|data/bind)/" >actual && printf "%s\n" data/bind/ vol/ vol/in/ vol/in/file >expect && test_cmp expect actual
    '
}

out() { cexport --docker-root "$DOCKER_DATA" "$@"; }
init() { dk inspect -f '{{.State.Pid}}' "$name"; }
halt() { dk kill "$name" >/dev/null; }
lose() { rm -rf "$DOCKER_DATA/volumes/named-$name/_data"; }
test_expect DOCKER,VOLUMES 'setup: docker' 'docker_up && start dk run -d --name "$name"'
volumes DOCKER,VOLUMES docker

name=$pod
out() { cexport --store "podman=$PODMAN_ROOT" "$@"; }
init() { pm inspect -f '{{.State.Pid}}' "$name"; }
halt() { pm kill "$name" >/dev/null && test_wait '[ "$(pm inspect -f "{{.State.Status}}" "$name")" = exited ]'; }
lose() { rm -rf "$PODMAN_ROOT/volumes/named-$name/_data"; }
test_expect PODMAN,VOLUMES 'setup: podman' 'podman_up && start pm run -d --name "$name"'
volumes PODMAN,VOLUMES podman

test_done
