#!/bin/bash
# runc and crun without an engine, with cgroups of their own and of systemd.
. "$(dirname "$0")/lib.sh"

# run NAME FORM OPTION...
run()
{
    local name=$1 form=$2 id
    shift 2
    id=$(oci_id "$name")
    oci_bundle "$name" sleep 1000000 || return 1
    rt "$@" run --detach --bundle "$OCI_DIR/bundles/$name" "$id" >output 2>&1 </dev/null || { cat output; return 1; }
    cgroup_is "$(oci_pid "$name")" "${form//@/$id}" || return 1
    cps_list pid.json --store "$OCI=$OCI_DIR/state" -p "$(oci_pid "$name")" --json &&
        jq -r '.containers[] | "\(.engine) \(.name)"' pid.json >actual && echo "$OCI $id" | test_cmp - actual &&
        cnsenter --store "$OCI=$OCI_DIR/state" "$OCI:$id" -- cat /etc/motd >actual && echo 'welcome to the test image' | test_cmp - actual
}

for OCI in runc crun; do
    . "$SONDE_SOURCE/tests/engines/oci.sh"
    name=${OCI^^}
    inner='' && [ $OCI = runc ] || inner=/container
    above="system.slice/(.*/)?" && [ $OCI = runc ] || above=''
    test_expect "$name" "setup: $OCI" 'oci_up'
    test_expect "$name" "$OCI --systemd-cgroup: a scope" 'run scoped "system.slice/$OCI-@.scope$inner" --systemd-cgroup'
    test_expect "$name" "and it is entered" 'cnsenter --store "$OCI=$OCI_DIR/state" "$(oci_id scoped)" -- true'
    test_expect "$name" "$OCI: a cgroup of its own" 'run plain "$above@"'
    test_expect "$name" "and it is entered" 'cnsenter --store "$OCI=$OCI_DIR/state" "$(oci_id plain)" -- true'
    test_expect "$name" "teardown: $OCI" 'oci_down'
done

test_done
