#!/bin/bash
# cdiff against docker diff, on containers of random changes.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cdiff.sh"
. "$SONDE_SOURCE/tests/lib/cdiff-docker.sh"
test_engine docker
test_names churn still

cdiff_docker DOCKER,PYTHON overlay2

test_done
