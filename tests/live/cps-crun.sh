#!/bin/bash
# cps against crun without an engine.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-oci.sh"
test_engine crun
cps_oci_tests CRUN
test_done
