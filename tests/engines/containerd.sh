#!/bin/bash
# A containerd of our own: root, state and socket below the test's directory, driven by ctr. With
# CONTAINERD_SUITE=trixie|sid that suite's, in a chroot.
#
#   containerd_up, containerd_down; containerd_run_daemon, containerd_kill (the daemon alone)
#   ct ARGUMENT...         its client; namespace $CONTAINERD_NS, which nobody else on this host has
#   $CONTAINERD_ROOT, $CONTAINERD_STATE, $CONTAINERD_SOCK
#   $CONTAINERD_IMAGE      the test image as containerd calls it

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"
. "$engines/chroot.sh"

CONTAINERD_DIR=$SONDE_TEST_DIR/containerd
CONTAINERD_ROOT=$CONTAINERD_DIR/root
CONTAINERD_STATE=$CONTAINERD_DIR/state
CONTAINERD_SOCK=$CONTAINERD_DIR/sock
CONTAINERD_IMAGE=docker.io/library/$IMAGE
CONTAINERD_NS=n$(engine_tag)
if [ -r "$CONTAINERD_DIR/suite" ]; then CONTAINERD_SUITE=$(cat "$CONTAINERD_DIR/suite"); fi

# containerd_in COMMAND...: where its programs are
containerd_in()
{
    if [ -n "${CONTAINERD_SUITE-}" ]; then in_chroot "$CONTAINERD_SUITE" "$@"; else "$@"; fi
}

# The host's root as containerd sees it: "" or the chroot's.
containerd_prefix() { [ -z "${CONTAINERD_SUITE-}" ] || chroot_root "$CONTAINERD_SUITE"; }

ct() { containerd_in ctr -a "$CONTAINERD_SOCK" -n "${NS:-$CONTAINERD_NS}" "$@"; }

# containerd_version: "containerd 1.6.20", for the matrix; also before it is up
containerd_version()
{
    local root=
    [ -z "${CONTAINERD_SUITE-}" ] || root=$CHROOT_CACHE/$CONTAINERD_SUITE
    echo "containerd $({ if [ -n "$root" ]; then chroot "$root" containerd --version; else containerd --version; fi; } 2>/dev/null |
        awk '{ sub(/[~+].*/, "", $3); print $3 }')"
}

# The CRI plugin needs oom scores that root here may not set; its networks are our own bridge.
containerd_config()
{
    cat <<END
version = 2
root = "$CONTAINERD_ROOT"
state = "$CONTAINERD_STATE"
[grpc]
  address = "$CONTAINERD_SOCK"
[plugins."io.containerd.internal.v1.opt"]
  path = "$CONTAINERD_DIR/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$CONTAINERD_IMAGE"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$CONTAINERD_DIR/cni"
END
}

# What containerd and ctr make on the host wherever their roots are.
containerd_note_host()
{
    host_note "$CONTAINERD_DIR/host.noted" /run/containerd /run/containerd/s /run/containerd/fifo /run/containerd/runc \
        /var/lib/cni /var/lib/cni/results /var/lib/cni/networks /run/netns /run/nri /run/nri/nri.sock
}

containerd_run_daemon()
{
    daemon_alive "$CONTAINERD_DIR/containerd.noted" && return 0
    rm -f "$CONTAINERD_SOCK" "$CONTAINERD_SOCK.ttrpc"
    if [ -n "${CONTAINERD_SUITE-}" ]; then
        daemon_start "$CONTAINERD_DIR/containerd.noted" "$CONTAINERD_DIR/containerd.log" \
            chroot "$(containerd_prefix)" containerd -c "$CONTAINERD_DIR/containerd.toml"
    else
        daemon_start "$CONTAINERD_DIR/containerd.noted" "$CONTAINERD_DIR/containerd.log" \
            containerd -c "$CONTAINERD_DIR/containerd.toml"
    fi
    # ctr would wait ten seconds for a socket that is not there yet
    wait_until 60 test -S "$CONTAINERD_SOCK" && wait_until 60 ct version ||
        { tail -n 20 "$CONTAINERD_DIR/containerd.log" >&2; return 1; }
}

# containerd_import: the test image, into the client's namespace
containerd_import()
{
    ct images ls -q | grep -qx "$CONTAINERD_IMAGE" ||
        containerd_in ctr -a "$CONTAINERD_SOCK" -n "${NS:-$CONTAINERD_NS}" images import - <"$(image_dir)/image.tar" >/dev/null
}

containerd_up()
{
    engine_dir containerd >/dev/null && image_dir >/dev/null || return 1
    mkdir -p "$CONTAINERD_DIR/cni"
    if [ -n "${CONTAINERD_SUITE-}" ]; then
        echo "$CONTAINERD_SUITE" >"$CONTAINERD_DIR/suite"
        chroot_up "$CONTAINERD_SUITE" || return 1
    fi
    containerd_note_host
    containerd_config >"$CONTAINERD_DIR/containerd.toml"
    containerd_run_daemon && containerd_import
}

containerd_kill() { daemon_signal "$CONTAINERD_DIR/containerd.noted" KILL; }

# Namespaces that have had tasks.
containerd_namespaces()
{
    local dir
    for dir in "$CONTAINERD_ROOT"/io.containerd.runtime.v2.task/*; do
        [ ! -d "$dir" ] || basename "$dir"
    done
}

# The runtime's records lie at one place whatever containerd's state directory is.
containerd_kill_containers()
{
    local ns state prefix
    prefix=$(containerd_prefix)
    for ns in $(containerd_namespaces); do
        for state in "$prefix/run/containerd/runc/$ns"/*; do
            [ -e "$CONTAINERD_ROOT/io.containerd.runtime.v2.task/$ns/$(basename "$state")" ] || continue
            containerd_in "$(containerd_runtime "$state")" --root "/run/containerd/runc/$ns" delete --force "$(basename "$state")"
        done
        rmdir "$prefix/run/containerd/runc/$ns" 2>/dev/null
        containerd_kill_cgroups "$ns"
    done
}

# What another runtime root still names. A namespace other than ours may have others' containers.
containerd_kill_cgroups()
{
    local task pid
    [ "$1" != k8s.io ] || return 0
    for task in "$CONTAINERD_ROOT/io.containerd.runtime.v2.task/$1"/*; do
        for pid in $(cat /sys/fs/cgroup/{,*/}"$1/$(basename "$task")/cgroup.procs" 2>/dev/null | sort -u); do
            kill -KILL "$pid"
        done
    done 2>/dev/null
    return 0
}

containerd_runtime() { if [ -e "$1/status" ]; then echo crun; else echo runc; fi; }

# Our shims stand in their bundle, below our state directory.
containerd_kill_shims()
{
    local comm proc
    for comm in $(grep -slx 'containerd-shim.*' /proc/[0-9]*/comm); do
        proc=${comm%/comm}
        case $(readlink "$proc/cwd") in
        *"$CONTAINERD_STATE"/*) kill -KILL "${proc#/proc/}" ;;
        esac
    done 2>/dev/null
    return 0
}

# A shim's socket lies below /run/containerd/s; its bundle says under which name.
containerd_shim_sockets()
{
    cat "$CONTAINERD_STATE"/io.containerd.runtime.v2.task/*/*/{address,bootstrap.json} 2>/dev/null |
        grep -o '/run/containerd/s/[0-9a-f]*'
}

# ctr's fifos, by the ids of what has had a task.
containerd_remove_fifos()
{
    local task dir
    for task in "$CONTAINERD_ROOT"/io.containerd.runtime.v2.task/*/*; do
        for dir in "$(containerd_prefix)"/run/containerd/fifo/*; do
            [ ! -p "$dir/$(basename "$task")-stdout" ] || rm -rf "$dir"
        done
    done
}

# One way down, dead daemon or living.
containerd_down()
{
    local ns sockets namespaces
    [ -d "$CONTAINERD_DIR" ] || return 0
    sockets=$(containerd_shim_sockets) namespaces=$(containerd_namespaces)
    containerd_kill
    containerd_kill_containers
    containerd_kill_shims
    for ns in $namespaces; do
        cgroup_remove "$ns"
    done
    # shellcheck disable=SC2086 # a list; the names are hexadecimal
    rm -f $sockets
    containerd_remove_fifos
    [ -z "${CONTAINERD_SUITE-}" ] || chroot_down "$CONTAINERD_SUITE"
    host_restore "$CONTAINERD_DIR/host.noted"
    engine_remove "$CONTAINERD_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main containerd ct "$@"
