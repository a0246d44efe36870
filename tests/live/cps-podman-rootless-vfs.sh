#!/bin/bash
# cps, as root, against rootless podman on vfs.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman-rootless.sh"
test_engine podman-rootless
test_names web done7 made
ROOTLESS_DRIVER=vfs

podman_rootless_tests PODMAN_ROOTLESS directory

test_done
