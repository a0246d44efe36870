#!/bin/bash
# cps against the runc of Debian sid without an engine.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-oci.sh"
test_engine runc
oci_use sid
cps_oci_tests SID
test_done
