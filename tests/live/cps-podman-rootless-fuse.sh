#!/bin/bash
# cps, as root, against rootless podman on fuse-overlayfs.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman-rootless.sh"
test_prereq FUSE_OVERLAYFS '[ -e /dev/fuse ] && have_all fuse-overlayfs'
test_engine podman-rootless
test_names web done7 made
ROOTLESS_DRIVER=fuse

podman_rootless_tests PODMAN_ROOTLESS,FUSE_OVERLAYFS fuse-overlayfs

test_done
