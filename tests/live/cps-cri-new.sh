#!/bin/bash
# cps against Kubernetes' containers in containerd: newer ones, in chroots.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/cps-containerd.sh"
. "$SONDE_SOURCE/tests/lib/cps-cri.sh"
test_engine cri
test_names web done7 made shop gone

for CONTAINERD_SUITE in trixie sid; do
    prereq=${CONTAINERD_SUITE^^}
    test_have "$prereq" && matrix_row "$(containerd_version)" 'CRI (Kubernetes)'
    cri_tests "CRI,$prereq" --host
    cri_down
done
test_done
