# shellcheck shell=bash
# Plain OCI runtimes without an engine; runc.sh and crun.sh set OCI and source this.
#
#   oci_up, oci_down
#   rt ARGUMENT...        the runtime on its own root
#   oci_bundle NAME COMMAND...   makes a bundle whose root is an overlay of the image
#   oci_run NAME COMMAND...      makes and starts a container; the name gets the test's tag: $(oci_id NAME)
#   $OCI_DIR/state        the runtime's root; $OCI_DIR/bundles/NAME

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"

OCI_DIR=$SONDE_TEST_DIR/$OCI

rt()
{
    local program=$OCI
    [ ! -x "$OCI_DIR/wrapper" ] || program=$OCI_DIR/wrapper
    "$program" --root "$OCI_DIR/state" "$@"
}

# Without an engine the id is also the cgroup's name, which must be nobody else's.
oci_id() { echo "$1-$OCI-$(engine_tag)"; }

oci_up()
{
    engine_dir "$OCI" >/dev/null && image_dir >/dev/null || return 1
    mkdir -p "$OCI_DIR/bundles" "$OCI_DIR/state"
    if [ "$OCI" = crun ] && crun_needs_wrapper; then
        crun_wrapper "$OCI_DIR/wrapper"
    fi
}

oci_bundle()
{
    local bundle=$OCI_DIR/bundles/$1
    mkdir -p "$bundle"/{rootfs,upper,work} || return 1
    mount -t overlay overlay "$bundle/rootfs" \
        -o "lowerdir=$(image_dir)/rootfs,upperdir=$bundle/upper,workdir=$bundle/work" || return 1
    shift
    (cd "$bundle" && rm -f config.json && rt spec) || return 1
    jq --arg host "$(basename "$bundle")" '
        .process.terminal = false | .process.args = $ARGS.positional | .root.readonly = false |
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

oci_down()
{
    local state
    [ -d "$OCI_DIR" ] || return 0
    for state in "$OCI_DIR"/state/*; do
        [ ! -d "$state" ] || oci_delete "$(basename "$state")"
    done
    engine_remove "$OCI_DIR"
}
