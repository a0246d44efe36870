#!/bin/bash
# cps against a dockerd whose containerd is not its child, as systemd starts them.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
DOCKER_CONTAINERD=own
test_engine docker
test_names web done7 held

test_expect DOCKER 'setup: a dockerd that uses a containerd of its own' '
    docker_up &&
    daemon_alive "$DOCKER_DIR/containerd.noted" &&
    dk run -d --name $web "$IMAGE" &&
    { dk run --name $done7 "$IMAGE" sh -c "exit 7"; [ $? = 7 ]; } &&
    dk run -d --name $held "$IMAGE" && dk pause $held
'

test_expect DOCKER 'cps -a says of every container what docker says' '
    records_of_docker >expect && records_of_cps expect >actual && test_cmp expect actual
'

test_expect DOCKER 'after kill -9 of dockerd, with containerd alive, they are listed as they were' '
    docker_kill && daemon_alive "$DOCKER_DIR/containerd.noted" &&
    records_of_cps expect --store "docker=$DOCKER_DATA" >actual && test_cmp expect actual
'

# containerd notes the end, dockerd's record does not
test_expect DOCKER 'a container that died since is exited' '
    pid=$(cps_field $web .pid --store "docker=$DOCKER_DATA") &&
    kill -KILL "$pid" && test_wait "! [ -e /proc/$pid/ns/pid ]" &&
    cps_field $web "{ status, pid }" --store "docker=$DOCKER_DATA" >actual &&
    test_json . "{\"status\":\"exited\",\"pid\":null}" actual
'

test_done
