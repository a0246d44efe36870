#!/bin/bash
# cdiff, as root, against a user's podman, driver overlay, with containers of random changes.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cdiff.sh"
. "$SONDE_SOURCE/tests/lib/cdiff-podman.sh"
test_prereq FUSE_OVERLAYFS '[ -e /dev/fuse ] && have_all fuse-overlayfs'
test_engine podman-rootless
test_names churn still
podman_stores=()
ROOTLESS_DRIVER=overlay

test_expect PODMAN_ROOTLESS,PYTHON 'setup: podman' podman_rootless_up
cdiff_podman PODMAN_ROOTLESS,PYTHON pmu "rootless, overlay" podman

test_done
