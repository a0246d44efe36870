#!/bin/bash
# cdiff against docker diff, on containers of random changes, with docker's other drivers.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cdiff.sh"
. "$SONDE_SOURCE/tests/lib/cdiff-docker.sh"
test_engine docker
test_names churn still

test_prereq FUSE_OVERLAY 'have_all fuse-overlayfs && [ -e /dev/fuse ]'
test_prereq SUBUID 'have_all useradd newuidmap'

cdiff_docker DOCKER,PYTHON vfs DOCKER_DRIVER=vfs
cdiff_docker_end
cdiff_docker DOCKER,PYTHON,SUBUID 'overlay2, userns-remap' DOCKER_REMAP=yes
cdiff_docker_end
# its own diff fails where a name comes again as another type; files of several links: docs/formats/diff.md
CHURN_KIND=once CHURN_LINKS=no
cdiff_docker DOCKER,PYTHON,FUSE_OVERLAY fuse-overlayfs DOCKER_DRIVER=fuse-overlayfs

test_done
