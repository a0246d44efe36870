#!/bin/bash
# cexport of containers of LXD and incus, in a user namespace and privileged.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"

# Their init is the image's own.
fill() { ld exec "$name" -- sh -c "$export_fill && : >/x/filled"; }
init() { ld info "$name" | awk '/^PID:/ { print $2 }'; }
out() { cexport --store "$LXD_ENGINE=$LXD_ROOT" "$@"; }
halt() { ld stop -f "$name"; }

# machines PREREQ ENGINE
machines()
{
    up() { lxd_up && lxd_launch web && name=$(lxd_name web) && fill; }
    cexport_engine "$1" "$2, unprivileged" plain
    up() { lxd_launch priv -c security.privileged=true && name=$(lxd_name priv) && fill; }
    cexport_engine "$1",XATTR "$2, privileged"
    test_expect "$1" "$2 is taken down" lxd_down
}

test_engine lxd
machines LXD LXD
test_engine incus
machines TRIXIE incus

test_done
