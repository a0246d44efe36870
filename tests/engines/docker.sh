#!/bin/bash
# A dockerd of our own: own roots, sockets and bridge, no rule in the host's firewall.
#
#   docker_up, docker_down; docker_kill (the daemon alone, containers live on); docker_run_daemon
#   dk ARGUMENT...        its client
#   $DOCKER_DATA, $DOCKER_EXEC   the data root and the exec root
#   docker_store          the data root that has the containers: below $DOCKER_DATA with a remapped daemon
#
# Set before docker_up, and asked for with docker_set NAME=VALUE... (which forgets what was set before):
#   DOCKER_DRIVER   overlay2; vfs; fuse-overlayfs; containerd: its image store (docker 24 and newer)
#   DOCKER_SUITE    the docker of that chroot (chroot.sh): trixie, sid; empty: the host's
#   DOCKER_REMAP    yes: --userns-remap with a user of our own
#   DOCKER_RUNSC    yes: gVisor's runsc, out of trixie's chroot, is a runtime of it
#   DOCKER_CONTAINERD  own: a containerd that is not dockerd's child

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"
. "$engines/chroot.sh"

DOCKER_DIR=$SONDE_TEST_DIR/docker
DOCKER_DATA=$DOCKER_DIR/data
DOCKER_EXEC=$DOCKER_DIR/exec
# shellcheck source=/dev/null
[ ! -r "$DOCKER_DIR/paths" ] || . "$DOCKER_DIR/paths"

docker_set()
{
    declare -g DOCKER_DRIVER='' DOCKER_SUITE='' DOCKER_REMAP='' DOCKER_RUNSC='' DOCKER_CONTAINERD='' "$@"
}

docker_root() { [ -z "${DOCKER_SUITE-}" ] || chroot_root "$DOCKER_SUITE"; }

# docker_in COMMAND...: where its daemon is
docker_in() { if [ -n "${DOCKER_SUITE-}" ]; then in_chroot "$DOCKER_SUITE" "$@"; else "$@"; fi; }

# The client beside dockerd when there are several: a newer one in PATH may refuse an old daemon.
dk()
{
    local client=/usr/bin/docker
    [ -n "${DOCKER_SUITE-}" ] || [ -x "$client" ] || client=docker
    DOCKER_CONFIG=$DOCKER_DIR/client docker_in "$client" -H "unix://$DOCKER_DIR/docker.sock" "$@"
}

docker_store() { find "$DOCKER_DATA" -maxdepth 2 -name containers -printf '%h\n' | tail -n 1; }

# A bridge of our own: `--bridge none` would delete the docker0 of another daemon.
docker_bridge_up()
{
    local bridge n
    bridge=sd$(engine_tag)
    bridge=${bridge:0:15}
    [ ! -e "/sys/class/net/$bridge" ] || return 0
    for n in $(seq 1 250 | shuf); do
        ip route show | grep -qF "10.213.$n." || break
    done
    echo "$bridge" >"$DOCKER_DIR/bridge"
    ip link add "$bridge" type bridge && ip addr add "10.213.$n.1/24" dev "$bridge" && ip link set "$bridge" up
}

docker_bridge_down()
{
    local bridge
    [ -s "$DOCKER_DIR/bridge" ] || return 0
    bridge=$(cat "$DOCKER_DIR/bridge")
    [ ! -e "/sys/class/net/$bridge" ] || ip link del "$bridge"
}

# dockerd would use a containerd that the host runs at the default address, and its containers: then
# ours gets one of its own. Otherwise dockerd starts one below its exec root, unless
# DOCKER_CONTAINERD=own asks for what a systemd host has. A chroot has a /run of its own.
docker_containerd_options()
{
    [ "${DOCKER_CONTAINERD-}" = own ] || { [ -z "${DOCKER_SUITE-}" ] && [ -S /run/containerd/containerd.sock ]; } || return 0
    printf 'version = 2\nroot = "%s"\nstate = "%s"\n[grpc]\naddress = "%s"\n' \
        "$DOCKER_DIR/croot" "$DOCKER_DIR/cstate" "$DOCKER_DIR/containerd.sock" >"$DOCKER_DIR/containerd.toml"
    daemon_alive "$DOCKER_DIR/containerd.noted" ||
        docker_start "$DOCKER_DIR/containerd.noted" "$DOCKER_DIR/containerd.log" \
            containerd -c "$DOCKER_DIR/containerd.toml"
    echo "--containerd=$DOCKER_DIR/containerd.sock"
}

# daemon_start where it belongs: chroot becomes the daemon, with the pid that was noted
docker_start()
{
    local file=$1 log=$2
    shift 2
    daemon_start "$file" "$log" ${DOCKER_SUITE:+chroot "$(docker_root)"} "$@"
}

docker_driver_options()
{
    [ "${DOCKER_DRIVER-}" = containerd ] || echo "--storage-driver=${DOCKER_DRIVER:-overlay2}"
    [ -z "${DOCKER_REMAP-}" ] || echo "--userns-remap=$(cat "$DOCKER_DIR/user")"
}

# docker_run_daemon: starts dockerd and waits for it
docker_run_daemon()
{
    local options
    daemon_alive "$DOCKER_DIR/dockerd.noted" && return 0
    options=$(docker_containerd_options && docker_driver_options) || return 1
    rm -f "$DOCKER_DIR/docker.pid"
    # shellcheck disable=SC2086 # a list of words without blanks
    docker_start "$DOCKER_DIR/dockerd.noted" "$DOCKER_DIR/dockerd.log" \
        dockerd --config-file "$DOCKER_DIR/daemon.json" -H "unix://$DOCKER_DIR/docker.sock" \
        --data-root "$DOCKER_DATA" --exec-root "$DOCKER_EXEC" --pidfile "$DOCKER_DIR/docker.pid" \
        --bridge "$(cat "$DOCKER_DIR/bridge")" --iptables=false --ip6tables=false --ip-masq=false \
        --ip-forward=false $options
    wait_until 60 dk version || { tail -n 20 "$DOCKER_DIR/dockerd.log" >&2; return 1; }
}

# What dockerd and its shims make on the host wherever their roots are; docker before 25 also makes a
# key beside the default configuration.
docker_note_host()
{
    local dir paths=(/etc/docker /etc/docker/key.json /run/containerd /run/containerd/s /run/docker /run/docker/plugins)
    for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do
        paths+=("$dir/docker")
    done
    host_note "$DOCKER_DIR/host.noted" "${paths[@]}"
}

# Daemons with roots elsewhere make /run/docker/plugins, too.
docker_default_paths_are_free()
{
    [ ! -e /var/lib/docker ] && [ -z "$(find /run/docker -mindepth 1 -maxdepth 1 ! -name plugins 2>/dev/null)" ]
}

# docker_use_default_paths: instead of docker_up's own roots. Only where nobody else uses them.
docker_use_default_paths()
{
    docker_default_paths_are_free && engine_dir docker >/dev/null || return 1
    printf '%s\n' DOCKER_DATA=/var/lib/docker DOCKER_EXEC=/run/docker >"$DOCKER_DIR/paths"
    # shellcheck source=/dev/null
    . "$DOCKER_DIR/paths"
}

# docker_config: daemon.json, unless the test has written one
docker_config()
{
    local features='{}' runtimes='{}'
    [ ! -e "$DOCKER_DIR/daemon.json" ] || return 0
    case ${DOCKER_DRIVER-} in
    containerd) features='{"containerd-snapshotter":true}' ;;
    # the default of a new data root since 29
    *) [ -z "${DOCKER_SUITE-}" ] || features='{"containerd-snapshotter":false}' ;;
    esac
    # the sandbox has no network of its own here: its stack needs none of the host's
    [ -z "${DOCKER_RUNSC-}" ] || runtimes=$(jq -cn --arg path "$DOCKER_DIR/runsc" \
        '{ runsc: { path: $path, runtimeArgs: ["--platform=systrap", "--ignore-cgroups", "--network=none"] } }')
    jq -n --argjson features "$features" --argjson runtimes "$runtimes" \
        '{ features: $features, runtimes: $runtimes } | map_values(select(. != {}))' >"$DOCKER_DIR/daemon.json"
}

# The user whose subordinate ids the containers get; dockerd looks it up by name.
docker_user_up()
{
    local user
    user=sd$(engine_tag | tr 'A-Z' 'a-z')
    [ -n "${DOCKER_REMAP-}" ] && [ ! -s "$DOCKER_DIR/user" ] || return 0
    echo "$user" >"$DOCKER_DIR/user"
    docker_in useradd --no-create-home --user-group --shell /bin/false "$user" &&
        docker_in grep -q "^$user:" /etc/subuid /etc/subgid
}

docker_user_down()
{
    [ -n "${DOCKER_SUITE-}" ] || [ ! -s "$DOCKER_DIR/user" ] || userdel "$(cat "$DOCKER_DIR/user")" 2>&1 | grep -v 'not found\|mail spool' >&2
    return 0
}

# runsc is one static program: it runs on any host
docker_runsc_up()
{
    [ -z "${DOCKER_RUNSC-}" ] || cp "$CHROOT_CACHE/trixie/usr/bin/runsc" "$DOCKER_DIR/runsc"
}

# What docker_down must know when it is run later, by itself.
docker_note_settings()
{
    printf '%s\n' "DOCKER_SUITE=${DOCKER_SUITE-}" >>"$DOCKER_DIR/paths"
    [ -z "${DOCKER_SUITE-}" ] || chroot_up "$DOCKER_SUITE"
}

docker_up()
{
    engine_dir docker >/dev/null && docker_note_settings && docker_user_up && docker_runsc_up && docker_config || return 1
    docker_note_host
    docker_bridge_up && docker_run_daemon && docker_load "$IMAGE" "$(image_dir)/image.tar"
}

# docker_load NAME ARCHIVE: unless it is there; not by path, which a chroot has not
docker_load() { dk image inspect "$1" >/dev/null 2>&1 || dk load -q <"$2" >/dev/null; }

docker_daemon_pid() { daemon_pid "$DOCKER_DIR/dockerd.noted"; }

docker_kill() { daemon_signal "$DOCKER_DIR/dockerd.noted" KILL; }

# What lives on after a killed daemon: shims with their sockets, and containers that only runc's state
# still names.
docker_kill_leftovers()
{
    local state sockets
    sockets=$(docker_shim_sockets)
    for state in "$DOCKER_EXEC"/runtime-*/moby/*; do
        [ ! -d "$state" ] || docker_in runc --root "$(dirname "$state")" delete --force "$(basename "$state")" 2>/dev/null
    done
    docker_kill_sandboxes
    kill_helpers "$DOCKER_DIR"
    # at the default paths, which docker_use_default_paths has found free, only the exec root names them
    kill_helpers "$DOCKER_EXEC"
    # shellcheck disable=SC2086 # a list; the names are hexadecimal
    rm -f $sockets
}

# gVisor's own processes have the exec root in their arguments, and nothing of a guest is on the host.
docker_kill_sandboxes()
{
    local file
    [ -e "$DOCKER_DIR/runsc" ] || return 0
    for file in $(grep -slF "$DOCKER_EXEC/" /proc/[0-9]*/cmdline); do
        case $({ tr '\0' ' ' <"$file"; } 2>/dev/null) in
        runsc*"$DOCKER_EXEC/"*) kill -KILL "$(cut -d/ -f3 <<<"$file")" 2>/dev/null ;;
        esac
    done
    return 0
}

# A shim's socket lies below /run/containerd/s; its task directory says under which name.
docker_shim_sockets()
{
    cat {"$DOCKER_EXEC"/containerd/daemon,"$DOCKER_DIR"/cstate}/io.containerd.runtime.v2.task/moby/*/{address,bootstrap.json} \
        2>/dev/null | grep -o '/run/containerd/s/[0-9a-f]*'
}

docker_cgroups_remove()
{
    local dir
    for dir in "$DOCKER_DATA"/containers/*; do
        [ ! -d "$dir" ] || cgroup_remove "docker/$(basename "$dir")"
    done
}

# One way down, dead daemon or living: kill it, then what it ran.
docker_down()
{
    local dir
    [ -d "$DOCKER_DIR" ] || return 0
    docker_kill
    daemon_signal "$DOCKER_DIR/containerd.noted" KILL
    docker_kill_leftovers
    docker_cgroups_remove
    docker_bridge_down
    docker_user_down
    [ -z "${DOCKER_SUITE-}" ] || chroot_down "$DOCKER_SUITE" || return 1
    engine_remove "$DOCKER_DATA"
    for dir in "$DOCKER_EXEC"/*; do
        [ "$(basename "$dir")" = plugins ] || engine_remove "$dir"
    done
    host_restore "$DOCKER_DIR/host.noted"
    engine_remove "$DOCKER_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main docker dk "$@"
