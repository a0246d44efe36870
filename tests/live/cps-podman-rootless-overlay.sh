#!/bin/bash
# cps, as root, against rootless podman on the kernel's overlay.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman-rootless.sh"
test_engine podman-rootless
test_names web done7 made
ROOTLESS_DRIVER=overlay

podman_rootless_tests PODMAN_ROOTLESS overlay

test_done
