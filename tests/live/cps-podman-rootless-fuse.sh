#!/bin/bash
# cps, as root, against rootless podman on fuse-overlayfs.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman-rootless.sh"
test_prereq FUSE_OVERLAYFS '[ -e /dev/fuse ] && have_all fuse-overlayfs'
test_engine podman-rootless
test_names web done7 made
ROOTLESS_DRIVER=fuse

# Nobody but its user gets through /proc/PID/root.
files_inside() { pmu exec "$web" /bin/sh -c "$2"; }
files_why[copy-in-running]='fuse-overlayfs is mounted for its user alone: what it shows can be read from the layers, and nothing written'

podman_rootless_tests PODMAN_ROOTLESS,FUSE_OVERLAYFS fuse-overlayfs

test_done
