#!/bin/bash
# podman as root with stores of its own.
#
#   podman_up, podman_down
#   pm ARGUMENT...        podman on these stores; `pm --runtime runc ...` for the other runtime
#   $PODMAN_ROOT          the graph root; $PODMAN_RUN the run root
#
# Containers have no network unless asked: podman's bridge would need rules in the host's firewall.
# crun and runc keep their state below /run/crun and /run/runc, as they do for any podman.

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"

PODMAN_DIR=$SONDE_TEST_DIR/podman
PODMAN_ROOT=$PODMAN_DIR/root
PODMAN_RUN=$PODMAN_DIR/run
PODMAN_TMP=$PODMAN_DIR/tmp
# shellcheck source=/dev/null
[ ! -r "$PODMAN_DIR/paths" ] || . "$PODMAN_DIR/paths"

pm()
{
    CONTAINERS_CONF=$PODMAN_DIR/containers.conf CONTAINERS_STORAGE_CONF=$PODMAN_DIR/storage.conf \
        podman --root "$PODMAN_ROOT" --runroot "$PODMAN_RUN" --tmpdir "$PODMAN_TMP" \
        --cgroup-manager cgroupfs "$@"
}

podman_config()
{
    local crun
    crun=$(command -v crun)
    if crun_needs_wrapper; then
        crun=$PODMAN_DIR/crun
        crun_wrapper "$crun"
    fi
    cat >"$PODMAN_DIR/containers.conf" <<END
[containers]
default_ulimits = ["nofile=$(limit n 20000):$(limit n 20000)", "nproc=$(limit u 30000):$(limit u 30000)"]
netns = "none"
[engine]
events_logger = "file"
runtime = "crun"
[engine.runtimes]
crun = ["$crun"]
runc = ["$(command -v runc)"]
[network]
network_config_dir = "$PODMAN_DIR/networks"
END
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
        "$PODMAN_ROOT" "$PODMAN_RUN" >"$PODMAN_DIR/storage.conf"
}

# What podman makes on the host wherever its stores are.
podman_note_host()
{
    local dir paths=(/run/crun /run/runc /run/containers /run/containers/networks /run/containers/networks/aardvark-dns /run/libpod
        /var/lib/containers /var/lib/containers/cache /var/lib/containers/cache/blob-info-cache-v1.boltdb
        /var/lib/containers/cache/blob-info-cache-v1.sqlite)
    for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do
        paths+=("$dir/libpod_parent" "$dir/libpod_parent/conmon")
    done
    host_note "$PODMAN_DIR/host.noted" "${paths[@]}"
}

podman_default_paths_are_free()
{
    [ ! -e /var/lib/containers/storage ] && [ ! -e /run/containers/storage ] && [ ! -e /run/libpod ]
}

# podman_use_default_paths: instead of podman_up's own stores. Only where nobody else uses them.
podman_use_default_paths()
{
    podman_default_paths_are_free && engine_dir podman >/dev/null || return 1
    podman_note_host
    printf '%s\n' PODMAN_ROOT=/var/lib/containers/storage PODMAN_RUN=/run/containers/storage PODMAN_TMP=/run/libpod \
        >"$PODMAN_DIR/paths"
    # shellcheck source=/dev/null
    . "$PODMAN_DIR/paths"
}

podman_up()
{
    local image
    engine_dir podman >/dev/null && image=$(image_dir) || return 1
    podman_note_host
    [ -e "$PODMAN_DIR/containers.conf" ] || podman_config
    pm image exists "$IMAGE" || pm load -q -i "$image/image.tar" >/dev/null
}

# podman_ids: of the containers in the store, whatever state it is in
podman_ids()
{
    cat "$PODMAN_ROOT"/overlay-containers/*containers.json 2>/dev/null | jq -r '.[].id'
}

podman_down()
{
    local id
    [ -d "$PODMAN_DIR" ] || return 0
    for id in $(podman_ids); do
        [ ! -d "/run/crun/$id" ] || crun delete --force "$id"
        [ ! -d "/run/runc/$id" ] || runc delete --force "$id"
    done
    kill_helpers "$PODMAN_ROOT"
    for id in $(podman_ids); do
        rm -rf "/run/crun/$id" "/run/runc/$id"
        cgroup_remove "libpod_parent/libpod-$id"
    done
    engine_remove "$PODMAN_ROOT"
    engine_remove "$PODMAN_RUN"
    engine_remove "$PODMAN_TMP"
    host_restore "$PODMAN_DIR/host.noted"
    engine_remove "$PODMAN_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main podman pm "$@"
