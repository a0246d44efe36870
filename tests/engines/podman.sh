#!/bin/bash
# podman as root with stores of its own.
#
#   podman_up, podman_down
#   pm ARGUMENT...        podman on these stores; `pm --runtime runc ...` for the other runtime
#   $PODMAN_ROOT          the graph root; $PODMAN_RUN the run root
#   SUITE=trixie | sid    before it is sourced: that suite's podman, in a chroot; its stores have the same paths inside
#   PODMAN_DRIVER=vfs     before podman_up: another driver than overlay
#
# Containers have no network unless asked: podman's bridge would need rules in the host's firewall.
# crun and runc keep their state below /run/crun and /run/runc, as they do for any podman.

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"
. "$engines/chroot.sh"

PODMAN_DIR=$SONDE_TEST_DIR/podman
PODMAN_ROOT=$PODMAN_DIR/root
PODMAN_RUN=$PODMAN_DIR/run
PODMAN_TMP=$PODMAN_DIR/tmp
PODMAN_SUITE=$(cat "$PODMAN_DIR/suite" 2>/dev/null || echo "${SUITE-}")
# shellcheck source=/dev/null
[ ! -r "$PODMAN_DIR/paths" ] || . "$PODMAN_DIR/paths"

# podman_host COMMAND...: where podman's programs are: here, or in the suite's chroot
podman_host()
{
    if [ -n "$PODMAN_SUITE" ]; then in_chroot "$PODMAN_SUITE" "$@"; else "$@"; fi
}

pm()
{
    podman_host env CONTAINERS_CONF="$PODMAN_DIR/containers.conf" CONTAINERS_STORAGE_CONF="$PODMAN_DIR/storage.conf" \
        PODMAN_IGNORE_CGROUPSV1_WARNING=1 \
        podman --root "$PODMAN_ROOT" --runroot "$PODMAN_RUN" --tmpdir "$PODMAN_TMP" --cgroup-manager cgroupfs "$@"
}

# bd ARGUMENT...: buildah on the same stores
bd()
{
    podman_host env CONTAINERS_CONF="$PODMAN_DIR/containers.conf" CONTAINERS_STORAGE_CONF="$PODMAN_DIR/storage.conf" \
        buildah --root "$PODMAN_ROOT" --runroot "$PODMAN_RUN" --cgroup-manager cgroupfs "$@"
}

podman_config()
{
    local crun=/usr/bin/crun
    # whatever crun_needs_wrapper says now: other engines come and go, and controllers with them
    if [ -e /sys/fs/cgroup/unified/cgroup.controllers ]; then
        crun=$PODMAN_DIR/crun
        crun_wrapper "$crun"
    fi
    # locks in files below its own directory: those in shared memory are the host's, and stay with a store that is removed
    cat >"$PODMAN_DIR/containers.conf" <<END
[containers]
default_ulimits = ["nofile=$(limit n 20000):$(limit n 20000)", "nproc=$(limit u 30000):$(limit u 30000)"]
netns = "none"
[engine]
events_logger = "file"
lock_type = "file"
runtime = "crun"
[engine.runtimes]
crun = ["$crun"]
runc = ["$(podman_host sh -c "command -v runc")"]
[network]
network_config_dir = "$PODMAN_DIR/networks"
END
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' \
        "${PODMAN_DRIVER:-overlay}" "$PODMAN_ROOT" "$PODMAN_RUN" >"$PODMAN_DIR/storage.conf"
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

# A chroot has no package's policy for signatures.
podman_policy()
{
    local dir
    dir=$(chroot_root "$PODMAN_SUITE")/etc/containers
    mkdir -p "$dir" && echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$dir/policy.json"
}

podman_up()
{
    local image
    engine_dir podman >/dev/null && image=$(image_dir) || return 1
    if [ -n "$PODMAN_SUITE" ]; then
        echo "$PODMAN_SUITE" >"$PODMAN_DIR/suite" && chroot_up "$PODMAN_SUITE" && podman_policy || return 1
    fi
    podman_note_host
    [ -e "$PODMAN_DIR/containers.conf" ] || podman_config
    pm image exists "$IMAGE" || pm load -q <"$image/image.tar" >/dev/null
}

# podman_ids: of the containers in the store, whatever state it is in
podman_ids()
{
    cat "$PODMAN_ROOT"/*-containers/*containers.json 2>/dev/null | jq -r '.[].id'
}

podman_down()
{
    local id runtime
    [ -d "$PODMAN_DIR" ] || return 0
    for id in $(podman_ids); do
        for runtime in crun runc; do
            podman_host test ! -d "/run/$runtime/$id" || podman_host "$runtime" delete --force "$id"
        done
    done
    kill_helpers "$PODMAN_ROOT"
    for id in $(podman_ids); do
        rm -rf "/run/crun/$id" "/run/runc/$id"
        cgroup_remove "libpod_parent/libpod-$id"
    done
    [ -z "$PODMAN_SUITE" ] || chroot_down "$PODMAN_SUITE"
    engine_remove "$PODMAN_ROOT"
    engine_remove "$PODMAN_RUN"
    engine_remove "$PODMAN_TMP"
    host_restore "$PODMAN_DIR/host.noted"
    engine_remove "$PODMAN_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main podman pm "$@"
