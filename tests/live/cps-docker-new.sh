#!/bin/bash
# cps against newer dockers, in chroots: the graph driver, and containerd's image store.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/docker-rows.sh"
test_engine docker
docker_row_names

docker_row DOCKER,TRIXIE 26.1.5 overlay2 DOCKER_SUITE=trixie
docker_row DOCKER,TRIXIE 26.1.5 "containerd's image store" DOCKER_SUITE=trixie DOCKER_DRIVER=containerd
docker_row DOCKER,SID "$(chroot_docker_version sid)" overlay2 DOCKER_SUITE=sid
docker_row DOCKER,SID "$(chroot_docker_version sid)" "containerd's image store" DOCKER_SUITE=sid DOCKER_DRIVER=containerd

test_done
