#!/bin/bash
# cps against LXD, which tells the truth of itself by `lxc list`.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/cps-lxd.sh"
test_engine lxd
cps_lxd_tests LXD "LXD $(lxd --version 2>/dev/null)"

test_expect LXD 'a monitor tells its directory: without --store the list is the same' '
    records_of_cps expect >actual && test_cmp expect actual
'

test_done
