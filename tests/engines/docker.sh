#!/bin/bash
# A dockerd of our own: overlay2, own roots, sockets and bridge, no rule in the host's firewall.
#
#   docker_up, docker_down; docker_kill (the daemon alone, containers live on); docker_run_daemon
#   dk ARGUMENT...        its client
#   $DOCKER_DATA, $DOCKER_EXEC   the data root and the exec root

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"

DOCKER_DIR=$SONDE_TEST_DIR/docker
DOCKER_DATA=$DOCKER_DIR/data
DOCKER_EXEC=$DOCKER_DIR/exec
# shellcheck source=/dev/null
[ ! -r "$DOCKER_DIR/paths" ] || . "$DOCKER_DIR/paths"

# The client beside dockerd when there are several: a newer one in PATH may refuse an old daemon.
dk()
{
    local client=/usr/bin/docker
    [ -x "$client" ] || client=docker
    DOCKER_CONFIG=$DOCKER_DIR/client "$client" -H "unix://$DOCKER_DIR/docker.sock" "$@"
}

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
# DOCKER_CONTAINERD=own asks for what a systemd host has.
docker_containerd_options()
{
    [ "${DOCKER_CONTAINERD-}" = own ] || [ -S /run/containerd/containerd.sock ] || return 0
    printf 'version = 2\nroot = "%s"\nstate = "%s"\n[grpc]\naddress = "%s"\n' \
        "$DOCKER_DIR/croot" "$DOCKER_DIR/cstate" "$DOCKER_DIR/containerd.sock" >"$DOCKER_DIR/containerd.toml"
    daemon_alive "$DOCKER_DIR/containerd.noted" ||
        daemon_start "$DOCKER_DIR/containerd.noted" "$DOCKER_DIR/containerd.log" \
            containerd -c "$DOCKER_DIR/containerd.toml"
    echo "--containerd=$DOCKER_DIR/containerd.sock"
}

# docker_run_daemon: starts dockerd and waits for it
docker_run_daemon()
{
    local options
    daemon_alive "$DOCKER_DIR/dockerd.noted" && return 0
    options=$(docker_containerd_options) || return 1
    rm -f "$DOCKER_DIR/docker.pid"
    # shellcheck disable=SC2086 # none or one option
    daemon_start "$DOCKER_DIR/dockerd.noted" "$DOCKER_DIR/dockerd.log" \
        dockerd --config-file "$DOCKER_DIR/daemon.json" -H "unix://$DOCKER_DIR/docker.sock" \
        --data-root "$DOCKER_DATA" --exec-root "$DOCKER_EXEC" --pidfile "$DOCKER_DIR/docker.pid" \
        --bridge "$(cat "$DOCKER_DIR/bridge")" --iptables=false --ip6tables=false --ip-masq=false \
        --ip-forward=false --storage-driver overlay2 $options
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

docker_up()
{
    local image
    engine_dir docker >/dev/null && image=$(image_dir) || return 1
    [ -e "$DOCKER_DIR/daemon.json" ] || echo '{}' >"$DOCKER_DIR/daemon.json"
    docker_note_host
    docker_bridge_up && docker_run_daemon || return 1
    dk image inspect "$IMAGE" >/dev/null 2>&1 || dk load -q -i "$image/image.tar" >/dev/null
}

docker_daemon_pid() { daemon_pid "$DOCKER_DIR/dockerd.noted"; }

docker_kill() { daemon_signal "$DOCKER_DIR/dockerd.noted" KILL; }

# What lives on after a killed daemon: shims with their sockets, and containers that only runc's state
# still names.
docker_kill_leftovers()
{
    local state sockets
    sockets=$(docker_shim_sockets)
    for state in "$DOCKER_EXEC"/runtime-*/moby/*; do
        [ ! -d "$state" ] || runc --root "$(dirname "$state")" delete --force "$(basename "$state")" 2>/dev/null
    done
    kill_helpers "$DOCKER_DIR"
    # at the default paths, which docker_use_default_paths has found free, only the exec root names them
    kill_helpers "$DOCKER_EXEC"
    # shellcheck disable=SC2086 # a list; the names are hexadecimal
    rm -f $sockets
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
    engine_remove "$DOCKER_DATA"
    for dir in "$DOCKER_EXEC"/*; do
        [ "$(basename "$dir")" = plugins ] || engine_remove "$dir"
    done
    host_restore "$DOCKER_DIR/host.noted"
    engine_remove "$DOCKER_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main docker dk "$@"
