#!/bin/bash
# cps against the host's docker with each of its drivers, and a remapped one: states, layers, mounts.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/docker-rows.sh"
test_engine docker
docker_row_names

test_prereq FUSE_OVERLAY 'have_all fuse-overlayfs && [ -e /dev/fuse ]'
test_prereq SUBUID 'have_all useradd newuidmap'

version=20.10.24

docker_row DOCKER "$version" overlay2
docker_row DOCKER "$version" vfs DOCKER_DRIVER=vfs
docker_row DOCKER,FUSE_OVERLAY "$version" fuse-overlayfs DOCKER_DRIVER=fuse-overlayfs
docker_row DOCKER,SUBUID "$version" 'overlay2, userns-remap' DOCKER_REMAP=yes

docker_set
test_expect DOCKER 'an image of 100 layers: all of them are told, in their order' docker_many

test_done
