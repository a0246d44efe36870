#!/bin/bash
# apptainer of the sid chroot, as root, with a home of its own: an instance is what it calls a running container.
#
#   apptainer_up, apptainer_down
#   ap ARGUMENT...          the client
#   apptainer_start NAME    an instance of the image as a directory ($APPTAINER_DIR/image), its changes in
#                           $APPTAINER_DIR/NAME/upper, $APPTAINER_DIR/volume at /mnt
#   $APPTAINER_CONFIG       what lies in ~/.apptainer elsewhere

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"
. "$engines/chroot.sh"

APPTAINER_DIR=$SONDE_TEST_DIR/apptainer
APPTAINER_CONFIG=$APPTAINER_DIR/home/.apptainer

# It refuses a plain chroot, and root without all capabilities but for --no-privs.
ap()
{
    in_pivot sid env HOME="$APPTAINER_DIR/home" TMPDIR="$APPTAINER_DIR/tmp" \
        APPTAINER_CACHEDIR="$APPTAINER_DIR/cache" apptainer -q "$@"
}

apptainer_up()
{
    engine_dir apptainer >/dev/null && image_dir >/dev/null && chroot_up sid || return 1
    mkdir -p "$APPTAINER_DIR"/{home,tmp,cache,volume} && cp "$(image_dir)/image.tar" "$APPTAINER_DIR/image.tar" || return 1
    # a directory that it did not make itself lacks what starts an instance
    [ -d "$APPTAINER_DIR/image" ] ||
        ap build --sandbox "$APPTAINER_DIR/image" "docker-archive:$APPTAINER_DIR/image.tar" >"$APPTAINER_DIR/log" 2>&1 ||
        { cat "$APPTAINER_DIR/log" >&2; return 1; }
}

apptainer_start()
{
    mkdir -p "$APPTAINER_DIR/$1" &&
        ap instance start --no-privs --overlay "$APPTAINER_DIR/$1" --bind "$APPTAINER_DIR/volume:/mnt:ro" \
            "$APPTAINER_DIR/image" "$1" >"$APPTAINER_DIR/$1.log" 2>&1 || { cat "$APPTAINER_DIR/$1.log" >&2; return 1; }
}

apptainer_pid() { ap instance list --json "$1" | jq '.instances[0].pid'; }

apptainer_down()
{
    local record
    [ -d "$APPTAINER_DIR" ] || return 0
    for record in "$APPTAINER_CONFIG"/instances/app/*/*/*/*.json; do
        [ ! -f "$record" ] || ap instance stop "$(basename "$record" .json)" >>"$APPTAINER_DIR/log" 2>&1
    done
    engine_remove "$APPTAINER_DIR"
    chroot_down sid
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main apptainer ap "$@"
