#!/bin/bash
# Kubernetes' containers: containerd's CRI plugin, driven as kubelet drives it, without Kubernetes. Pods get a network of a
# bridge of our own, or the host's (in a chroot, which has no CNI plugins).
#
#   cri_up, cri_down
#   crc ARGUMENT...        our client (cri-client.py); ct, its namespace k8s.io
#   cri_pod POD [OPTION...], cri_run PODID POD NAME ATTEMPT COMMAND...   make and start one, and print its id

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/containerd.sh"
CONTAINERD_NS=k8s.io

crc()
{
    LOGS=$CONTAINERD_DIR/pods CGROUP=/$(cri_cgroup) /usr/bin/python3 "$engines/cri-client.py" "$CONTAINERD_SOCK" "$@"
}

cri_cgroup() { echo "kubepods-$(engine_tag)"; }

cri_network()
{
    local bridge n
    bridge=sc$(engine_tag)
    for n in $(seq 1 250 | shuf); do
        ip route show | grep -qF "10.214.$n." || break
    done
    jq -n --arg name "sonde-$(engine_tag)" --arg bridge "${bridge:0:15}" --arg net "10.214.$n.0/24" --arg dir "$CONTAINERD_DIR/ipam" '
        { cniVersion: "0.4.0", name: $name, plugins: [{ type: "bridge", bridge: $bridge, isGateway: true, ipMasq: false,
          ipam: { type: "host-local", dataDir: $dir, ranges: [[{ subnet: $net }]] } }] }' >"$CONTAINERD_DIR/cni/10-sonde.conflist"
    echo "${bridge:0:15}" >"$CONTAINERD_DIR/bridge"
}

cri_up()
{
    engine_dir containerd >/dev/null && engine_dir cri >/dev/null && mkdir -p "$CONTAINERD_DIR/cni" "$CONTAINERD_DIR/pods" || return 1
    # the marker of containerd's own script would take it down without what is ours
    rm -f "$CONTAINERD_DIR/engine"
    [ -e "$CONTAINERD_DIR/bridge" ] || cri_network
    containerd_up && rm -f "$CONTAINERD_DIR/engine"
}

cri_pod() { crc runp "$@"; }

cri_run()
{
    local id
    id=$(crc create "$1" "$2" "$3" "$CONTAINERD_IMAGE" "$4" "${@:5}") && crc start "$id" && echo "$id"
}

# Network namespaces and the bridge go with the pods where the daemon still answers.
cri_down()
{
    local netns
    [ -d "$CONTAINERD_DIR" ] || { rm -rf "$SONDE_TEST_DIR/cri"; return 0; }
    if daemon_alive "$CONTAINERD_DIR/containerd.noted" || containerd_run_daemon 2>/dev/null; then
        timeout 60 /usr/bin/env LOGS=/ CGROUP=/ /usr/bin/python3 "$engines/cri-client.py" "$CONTAINERD_SOCK" clear
    fi
    netns=$(grep -aoh '/run/netns/cni-[0-9a-f-]*' "$CONTAINERD_ROOT/io.containerd.metadata.v1.bolt/meta.db" 2>/dev/null | sort -u)
    for netns in $netns; do
        [ ! -e "$netns" ] || { umount -l "$netns" 2>/dev/null; rm -f "$netns"; }
    done
    if [ -s "$CONTAINERD_DIR/bridge" ] && [ -e "/sys/class/net/$(cat "$CONTAINERD_DIR/bridge")" ]; then
        ip link del "$(cat "$CONTAINERD_DIR/bridge")"
    fi
    rm -f /var/lib/cni/results/"sonde-$(engine_tag)"-*
    containerd_down
    cgroup_remove "$(cri_cgroup)"
    engine_remove "$SONDE_TEST_DIR/cri"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main cri crc "$@"
