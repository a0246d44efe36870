#!/bin/bash
# cps against Kubernetes' containers in containerd.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/cps-containerd.sh"
. "$SONDE_SOURCE/tests/lib/cps-cri.sh"
test_engine cri
test_names web done7 made shop gone

matrix_row "$(containerd_version)" 'CRI (Kubernetes)'
cri_tests CRI --port 18080:80
test_expect CRI 'the pod has the ports that it publishes' '
    containerd_run_daemon && cps_list cps.json -a --json --no-trunc &&
    jq -c --arg id $pod ".containers[] | select(.id == \$id).ports" cps.json >actual &&
    test_json "map([.host_port, .port, .proto])" "[[18080,80,\"tcp\"]]" actual
'
test_done
