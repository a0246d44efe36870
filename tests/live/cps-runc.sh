#!/bin/bash
# cps against runc without an engine.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-oci.sh"
test_engine runc
cps_oci_tests RUNC
test_done
