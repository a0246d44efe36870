#!/bin/bash
# cdiff against docker diff, on containers of random changes, with a newer docker and containerd's image store.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cdiff.sh"
. "$SONDE_SOURCE/tests/lib/cdiff-docker.sh"
test_engine docker
test_names churn still

cdiff_docker DOCKER,PYTHON,TRIXIE "containerd's image store" DOCKER_SUITE=trixie DOCKER_DRIVER=containerd

test_done
