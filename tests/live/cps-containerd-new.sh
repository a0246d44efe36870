#!/bin/bash
# cps against newer containerds, in chroots: 1.7 (trixie), 2.1 and later (sid).
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/cps-containerd.sh"
test_engine containerd
test_names web done7 held made mortal

for CONTAINERD_SUITE in trixie sid; do
    prereq=${CONTAINERD_SUITE^^}
    test_have "$prereq" && matrix_row "$(containerd_version)" 'ctr, overlayfs'
    containerd_tests "$prereq"
    containerd_down
done
test_done
