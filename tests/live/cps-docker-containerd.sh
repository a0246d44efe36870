#!/bin/bash
# cps against a dockerd whose containerd is not its child, as systemd starts them.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/docker-rows.sh"
test_engine docker
docker_row_names

# containerd notes the end, dockerd's record does not
docker_row_last()
{
    test_expect "$prereq" "$variant: containerd has outlived its dockerd; a container that died since is exited" '
        daemon_alive "$DOCKER_DIR/containerd.noted" &&
        pid=$(docker_cps .pid $web) && kill -KILL "$pid" && test_wait "! [ -e /proc/$pid/ns/pid ]" &&
        docker_cps "{ status, pid }" $web >actual && test_json . "{\"status\":\"exited\",\"pid\":null}" actual
    '
}

docker_row DOCKER 20.10.24 "overlay2, the system's containerd" DOCKER_CONTAINERD=own
docker_row DOCKER,TRIXIE 26.1.5 "the system's containerd's image store" \
    DOCKER_SUITE=trixie DOCKER_DRIVER=containerd DOCKER_CONTAINERD=own

test_done
