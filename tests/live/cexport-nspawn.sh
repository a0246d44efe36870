#!/bin/bash
# cexport of systemd-nspawn's machines and apptainer's instances.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"
test_engine nspawn
test_engine apptainer

up() { nspawn_up && nspawn_tree web && name=$(nspawn_name web) && nspawn_run web -M "$name" -D "$name" -- sh -c "$export_init"; }
init() { nspawn_leader web; }
out() { cexport --store "nspawn=$NSPAWN_MACHINES" "$@"; }
halt() { nspawn_stop web; }
cexport_engine NSPAWN,XATTR 'nspawn, a directory'

test_expect NSPAWN 'nspawn, a volatile overlay: what it changed is in a mount of its own, and no export leaves that out in silence' '
    nspawn_tree base && name=$(nspawn_name vol) && nspawn_run vol -M "$name" -D "$(nspawn_name base)" --volatile=overlay -- sh -c "echo new >/added; exec sleep 1000000" &&
    test_wait "[ -e /proc/$(nspawn_leader vol)/root/added ]" && test_status 1 out "$name" >vol.tar 2>err && test_empty vol.tar && test_grep "nspawn container $name" err
'

test_names web
# without capabilities: no chown there
up() { apptainer_up && apptainer_start "$web" && name=$web && ap exec --no-privs "instance://$web" sh -c "${export_fill//chown 1234:4321 owned && /} && : >/x/filled"; }
init() { apptainer_pid "$web"; }
out() { cexport --store "apptainer=$APPTAINER_CONFIG" "$@"; }
cexport_engine SID 'apptainer' plain gone

test_done
