#!/bin/bash
# cps against incus of the trixie chroot, which tells the truth of itself by `incus list`.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/cps-lxd.sh"
test_engine incus
version=$(sed -n '/^Package: incus$/,/^$/s/^Version: \([0-9.]*\).*/\1/p' "$CHROOT_CACHE/trixie/var/lib/dpkg/status" 2>/dev/null)
cps_lxd_tests TRIXIE "incus $version"
test_done
