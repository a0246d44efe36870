#!/bin/bash
# ccp and the containers of engines that have no copy of their own: lxc, runc, containerd's ctr.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ccp-engine.sh"
test_engine lxc
test_engine runc
test_engine containerd

for kind in dir overlay; do
    up()
    {
        lxc_up && if [ "$kind" = dir ]; then lxc_dir "web-$kind" "$ccp_init"; else lxc_dir base true && lxc_overlay "web-$kind" base "$ccp_init"; fi &&
            name=$(lxc_name "web-$kind") && lxc_start "web-$kind"
    }
    init() { lxc_pid "web-$kind"; }
    ours() { ccp --store "lxc=$LXC_PATH" "$@"; }
    halt() { lx stop "web-$kind" -k; }
    ccp_engine LXC "lxc, $kind"
done

# when it has stopped the bundle is still mounted
up() { oci_up && oci_run web sh -c "$ccp_init" && name=$(oci_id web); }
init() { oci_pid web; }
ours() { ccp --store "runc=$OCI_DIR/state" "$@"; }
halt() { rt kill "$name" KILL && test_wait 'rt state "$name" | grep -q stopped'; }
ccp_engine RUNC runc

test_names ctrweb
up() { containerd_up && ct run -d "$CONTAINERD_IMAGE" "$ctrweb" sh -c "$ccp_init" && name=$ctrweb; }
init() { ct tasks ls | awk -v id="$ctrweb" '$1 == id { print $2 }'; }
ours() { ccp --store "containerd=$CONTAINERD_DIR/root" "$@"; }
halt() { ct tasks kill -s KILL "$ctrweb" && test_wait 'ct tasks ls | grep -q "$ctrweb.*STOPPED"'; }
ccp_engine CONTAINERD 'containerd, ctr'

test_done
