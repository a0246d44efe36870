#!/bin/bash
# cps against the crun of Debian trixie without an engine.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-oci.sh"
test_engine crun
oci_use trixie
cps_oci_tests TRIXIE
test_done
