#!/bin/bash
# cexport of Kubernetes' containers in containerd.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"
test_engine cri
test_names web shop

up() { cri_up && pod=$(cri_pod "$shop" --port 18081:80) && name=$(cri_run "$pod" "$shop" "$web" 0 sh -c "$export_init"); }
init() { ct tasks ls | awk -v id="$name" '$1 == id { print $2 }'; }
out() { cexport --store "containerd=$CONTAINERD_ROOT" "$@"; }
halt() { crc stop "$name"; }
cexport_engine CRI,XATTR 'CRI'

test_expect CRI 'CRI: by pod and name, and --upper' '
    out "pod/shop/$shop/$web" >named.tar && test_cmp stopped.tar named.tar && out --upper "$name" | tar -t >names &&
    test_grep "^etc/.wh.app.conf$" names && test_grep "^x/plain$" names && test_grep -v "^etc/passwd$" names
'

test_done
