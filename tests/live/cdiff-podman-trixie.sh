#!/bin/bash
# cdiff against root's podman of Debian trixie on overlay, with containers of random changes.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cdiff.sh"
. "$SONDE_SOURCE/tests/lib/cdiff-podman.sh"
SUITE=trixie
test_engine podman
test_names churn still
podman_stores=(--store "podman=$PODMAN_ROOT")

test_expect PODMAN,TRIXIE,PYTHON 'setup: podman' podman_up
cdiff_podman PODMAN,TRIXIE,PYTHON pm "podman 5.4" podman

test_done
