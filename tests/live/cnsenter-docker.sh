#!/bin/bash
# cnsenter beside docker exec, and with a dockerd that is dead.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine docker
test_names web done7

# enter ARGUMENT...
enter() { cnsenter --store "docker=$DOCKER_DATA" "$@"; }

# what a command sees of itself
# shellcheck disable=SC2016 # for the container's shell
peek='id -u; id -g; hostname; pwd; grep -E "^(Cap|NoNewPrivs)" /proc/self/status; for t in mnt pid net ipc uts cgroup user; do
    readlink /proc/self/ns/$t; done; cat /etc/resolv.conf /etc/hosts; ls /proc/self/fd'

test_expect DOCKER 'setup: a container that runs and one that does not' '
    docker_up && dk run -d --name $web --workdir / "$IMAGE" sleep 1000000 &&
    { dk run --name $done7 "$IMAGE" sh -c "exit 7"; [ $? = 7 ]; }
'

test_expect DOCKER 'a command has the ids, capabilities, namespaces and files that docker exec gives it' '
    dk exec $web sh -c "$peek" >expect && enter $web sh -c "$peek" >actual && test_cmp expect actual
'

test_expect DOCKER '-n brings the names of the container to the host'"'"'s programs' '
    { dk exec $web cat /etc/resolv.conf /etc/hosts && dk exec $web ls /sys/class/net; } >expect &&
    enter -n $web sh -c "cat /etc/resolv.conf /etc/hosts; ls /sys/class/net" >actual && test_cmp expect actual
'

test_expect DOCKER 'docker sees no change from it' '
    dk diff $web >before && enter $web true && enter -p -n $web true && dk diff $web >after && test_cmp before after
'

test_expect DOCKER 'a stopped container is named with its exit code' '
    test_status 125 enter $done7 true 2>err &&
    test_grep "container $done7 is exited (7), it has no namespaces to enter" err
'

test_expect DOCKER 'it works on when dockerd was killed' '
    enter $web sh -c "$peek" >expect && docker_kill &&
    enter $web sh -c "$peek" >actual && test_cmp expect actual
'

test_done
