# shellcheck shell=bash
# Plain OCI runtimes without an engine; runc.sh, crun.sh and gvisor.sh set OCI and source this.
#
#   oci_use SUITE         the runtime of that chroot (chroot.sh) instead of the host's; before oci_up
#   oci_up, oci_down
#   rt ARGUMENT...        the runtime on its own root
#   oci_version           of the runtime: 1.1.5
#   oci_bundle NAME COMMAND...   makes a bundle whose root is an overlay of the image, with $OCI_DIR/volume at /vol
#   oci_run NAME COMMAND...      makes and starts a container; the name gets the test's tag: $(oci_id NAME)
#   $OCI_DIR/state        the runtime's root; $OCI_DIR/bundles/NAME
#   OCI_PROGRAM, OCI_OPTIONS     what is run (OCI), and its options before the command

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"
. "$engines/chroot.sh"

OCI_DIR=$SONDE_TEST_DIR/$OCI
OCI_PROGRAM=$OCI
OCI_OPTIONS=()

oci_use() { engine_dir "$OCI" >/dev/null && echo "$1" >"$OCI_DIR/suite"; }

oci_suite() { cat "$OCI_DIR/suite" 2>/dev/null; }

# What stands before a path of the runtime's to have it on the host.
oci_root() { [ ! -e "$OCI_DIR/suite" ] || chroot_root "$(oci_suite)"; }

rt()
{
    local program=$OCI_PROGRAM in=()
    [ ! -x "$OCI_DIR/wrapper" ] || program=$OCI_DIR/wrapper
    [ ! -e "$OCI_DIR/suite" ] || in=(in_chroot "$(oci_suite)")
    "${in[@]}" "$program" --root "$OCI_DIR/state" "${OCI_OPTIONS[@]}" "$@"
}

oci_version() { rt --version | sed -n '1s/.*version \(release-\)\{0,1\}\([0-9.]*[0-9]\).*/\2/p'; }

# Without an engine the id is also the cgroup's name, which must be nobody else's.
oci_id() { echo "$1-$OCI-$(engine_tag)"; }

oci_up()
{
    engine_dir "$OCI" >/dev/null && image_dir >/dev/null || return 1
    mkdir -p "$OCI_DIR/bundles" "$OCI_DIR/state" "$OCI_DIR/volume"
    [ ! -e "$OCI_DIR/suite" ] || chroot_up "$(oci_suite)" || return 1
    if [ "$OCI" = crun ] && crun_needs_wrapper; then
        crun_wrapper "$OCI_DIR/wrapper"
    fi
}

oci_spec() { rt spec --bundle "$1"; }

oci_bundle()
{
    local bundle=$OCI_DIR/bundles/$1
    mkdir -p "$bundle"/{rootfs,upper,work} || return 1
    # seen by the runtime where it stands: what is mounted outside a chroot does not come in
    mount -t overlay overlay "$(oci_root)$bundle/rootfs" \
        -o "lowerdir=$(image_dir)/rootfs,upperdir=$bundle/upper,workdir=$bundle/work" || return 1
    shift
    rm -f "$bundle/config.json" && oci_spec "$bundle" || return 1
    jq --arg host "$(basename "$bundle")" --arg volume "$OCI_DIR/volume" '
        .process.terminal = false | .process.args = $ARGS.positional | .root.readonly = false |
        .mounts += [{ destination: "/vol", type: "bind", source: $volume, options: ["rbind", "ro"] }] |
        .hostname = $host | del(.process.rlimits) | .annotations = { "org.sonde.note": "a b" }' \
        --args -- "$@" <"$bundle/config.json" >"$bundle/config.new" && mv "$bundle/config.new" "$bundle/config.json"
}

oci_run()
{
    local name=$1
    oci_bundle "$@" && oci_start "$name"
}

# A container started by `run --detach` keeps the caller's descriptors.
oci_start()
{
    rt run --detach --bundle "$OCI_DIR/bundles/$1" "$(oci_id "$1")" \
        >"$OCI_DIR/bundles/$1/output" 2>&1 </dev/null || { cat "$OCI_DIR/bundles/$1/output" >&2; return 1; }
}

oci_pid() { rt state "$(oci_id "$1")" | jq .pid; }

# oci_delete ID: runc may give up on a cgroup whose last process is only just dying
oci_delete() { rt delete --force "$1" 2>"$OCI_DIR/delete.log" || cat "$OCI_DIR/delete.log"; cgroup_remove "$1"; }

# The ids in the runtime's root.
oci_ids() { find "$OCI_DIR/state" -mindepth 1 -maxdepth 1 -type d -printf '%f\n'; }

oci_down()
{
    local id
    [ -d "$OCI_DIR" ] || return 0
    for id in $(oci_ids); do oci_delete "$id"; done
    if [ -e "$OCI_DIR/suite" ]; then
        unmount_below "$(oci_root)$OCI_DIR"
        chroot_down "$(oci_suite)"
    fi
    engine_remove "$OCI_DIR"
}
