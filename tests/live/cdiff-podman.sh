#!/bin/bash
# cdiff against root's podman on overlay, with containers of random changes.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cdiff.sh"
. "$SONDE_SOURCE/tests/lib/cdiff-podman.sh"
test_engine podman
test_names churn still
podman_stores=(--store "podman=$PODMAN_ROOT")

test_expect PODMAN,PYTHON 'setup: podman' podman_up
cdiff_podman PODMAN,PYTHON pm overlay podman

test_done
