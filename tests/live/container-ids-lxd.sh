#!/bin/bash
# The same of lxc, LXD and incus: lxc and LXD have the host's ids on disk, incus the container's.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/container-ids.sh"

# --- lxc: lxc.idmap, its tree shifted by hand -----------------------------------------------------------------------

test_engine lxc
name=$(lxc_name web)

# shift_tree DIR: each id 100,000 higher, as fuidshift(1) does it
shift_tree()
{
    find "$1" -printf '%U %G %p\0' | while IFS=' ' read -r -d '' uid gid path; do
        chown -h "$((uid + 100000)):$((gid + 100000))" "$path"
    done
}

lxc_mapped()
{
    lxc_dir web 'exec sleep 1000000' && printf 'lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536\n' >>"$LXC_PATH/$name/config" &&
        sed -i '/^lxc.mount.entry/d' "$LXC_PATH/$name/config" && shift_tree "$LXC_PATH/$name/rootfs" && lxc_start web
}

lx_exec() { lx attach web --clear-env -- "$@"; }
lx_start() { lxc_start web; }
lx_halt() { lx stop web -k; }

test_expect LXC 'setup: lxc, lxc.idmap' 'lxc_up && lxc_mapped && lx_exec sh -c "$change"'
ids 'lxc, lxc.idmap' LXC lx_exec lx_start lx_halt --store "lxc=$LXC_PATH"
test_expect LXC 'lxc is taken down' lxc_down

# --- LXD, incus --------------------------------------------------------------------------------------------------------

test_engine lxd
ld_exec() { ld exec "$name" -- "$@"; }
ld_start() { ld start -q "$name"; }
ld_halt() { ld stop -f "$name"; }

# lxd_ids PREREQ TITLE
lxd_ids()
{
    name=$(lxd_name web)
    test_expect "$1" "setup: $2" '
        lxd_up && lxd_launch web && ld_exec sh -c "$change"
    '
    ids "$2" "$1" ld_exec ld_start ld_halt --store "$LXD_ENGINE=$LXD_ROOT"
    test_expect "$1" "$2 is taken down" lxd_down
}

lxd_ids LXD LXD
test_engine incus
lxd_ids TRIXIE incus
test_done
