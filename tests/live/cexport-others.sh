#!/bin/bash
# cexport of containers of engines that have no export: lxc, runc, containerd's ctr.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"
test_engine lxc
test_engine runc
test_engine containerd

# --- lxc: its init.sh is where the container's command stands ---
for kind in dir overlay; do
    up()
    {
        lxc_up && if [ "$kind" = dir ]; then lxc_dir "web-$kind" "$export_init"; else lxc_dir base true && lxc_overlay "web-$kind" base "$export_init"; fi &&
            name=$(lxc_name "web-$kind") && lxc_start "web-$kind"
    }
    init() { lxc_pid "web-$kind"; }
    out() { cexport --store "lxc=$LXC_PATH" "$@"; }
    halt() { lx stop "web-$kind" -k; }
    cexport_engine LXC,XATTR "lxc, $kind"
done

# --- runc: when it has stopped, the bundle is still mounted ---
up()
{
    local config=$OCI_DIR/bundles/web/config.json
    oci_up && oci_bundle web sh -c "$export_init" && name=$(oci_id web) && jq ".process.capabilities |= (del(.ambient) |
        map_values(. + [\"CAP_CHOWN\", \"CAP_FOWNER\", \"CAP_FSETID\", \"CAP_DAC_OVERRIDE\", \"CAP_MKNOD\"]))" <"$config" >config.new &&
        cat config.new >"$config" && oci_start web
}
init() { oci_pid web; }
out() { cexport --store "runc=$OCI_DIR/state" "$@"; }
halt() { rt kill "$name" KILL && test_wait 'rt state "$name" | grep -q stopped'; }
cexport_engine RUNC,XATTR runc

test_expect RUNC 'runc: --format oci has what its configuration says is run' '
    out --format oci "$name" -o image.tar && tar -xf image.tar && config=$(jq -r ".[0].Config" manifest.json) &&
    test_json .config.WorkingDir / "$config" && test_json ".config.Cmd[:2]" "[\"sh\",\"-c\"]" "$config"
'

# --- ctr ---
test_names ctrweb
up() { containerd_up && ct run -d "$CONTAINERD_IMAGE" "$ctrweb" sh -c "$export_init" && name=$ctrweb; }
init() { ct tasks ls | awk -v id="$ctrweb" '$1 == id { print $2 }'; }
out() { cexport --store "containerd=$CONTAINERD_DIR/root" "$@"; }
halt() { ct tasks kill -s KILL "$ctrweb" && test_wait 'ct tasks ls | grep -q "$ctrweb.*STOPPED"'; }
cexport_engine CONTAINERD,XATTR 'containerd, ctr'

test_expect CONTAINERD 'containerd: ctr images import takes --format oci, with the configuration of the image' '
    out --format oci -t shop/crashed "$name" -o image.tar && ct images import --no-unpack image.tar >actual 2>&1 &&
    ct images ls -q >list && test_grep "shop/crashed:latest" list &&
    config=$(tar -xOf image.tar manifest.json | jq -r ".[0].Config") && tar -xOf image.tar "$config" >config.json &&
    test_json .config.WorkingDir /srv config.json && test_json ".config.Labels[\"org.sonde.image\"]" yes config.json
'

test_done
