#!/bin/bash
# LXD with a directory of its own; with LXD_ENGINE=incus (incus.sh sets it) incus from the trixie chroot.
#
#   lxd_up, lxd_down
#   ld ARGUMENT...             the client: lxc, incus
#   lxd_name NAME              the container's name with the test's tag: cgroups are called by it
#   lxd_launch NAME ARGUMENT...   makes one of the test image and starts it; lxd_make: without starting it
#   lxd_pid NAME
#   $LXD_ROOT                  the daemon's directory (LXD_DIR, INCUS_DIR)

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"
. "$engines/chroot.sh"

LXD_ENGINE=${LXD_ENGINE:-lxd}
LXD_HOME=$SONDE_TEST_DIR/$LXD_ENGINE
LXD_ROOT=$LXD_HOME/d

lxd_name() { echo "$1-$LXD_ENGINE-$(engine_tag)"; }

# The chroot's engine needs a root that is no chroot.
lxd_daemon()
{
    if [ "$LXD_ENGINE" = lxd ]; then
        LXD_DIR=$LXD_ROOT daemon_start "$LXD_HOME/pid" "$LXD_HOME/log" lxd --group root --logfile "$LXD_HOME/daemon.log"
    else
        daemon_start "$LXD_HOME/pid" "$LXD_HOME/log" unshare --mount --propagation private \
            sh -c 'cd "$0" && pivot_root . mnt && umount -l /mnt && exec "$@"' "$(chroot_root trixie)" \
            env "INCUS_DIR=$LXD_ROOT" PATH=/usr/libexec/incus:/usr/sbin:/usr/bin:/sbin:/bin \
            /usr/libexec/incus/incusd --group root --logfile "$LXD_HOME/daemon.log"
    fi
}

ld()
{
    if [ "$LXD_ENGINE" = lxd ]; then
        LXD_DIR=$LXD_ROOT HOME=$LXD_HOME lxc "$@" </dev/null
    else
        in_chroot trixie env "INCUS_DIR=$LXD_ROOT" "HOME=$LXD_HOME" incus "$@" </dev/null
    fi
}

# A container's own root must be able to get to its directory.
lxd_image()
{
    local work=$LXD_HOME/image
    mkdir -p "$work" && cp -a "$(image_dir)/rootfs" "$work/rootfs" || return 1
    ln -s ../bin/busybox "$work/rootfs/sbin/init"
    printf '%s\n' '::sysinit:/bin/true' '::respawn:/bin/sleep 1000000' >"$work/rootfs/etc/inittab"
    printf '%s\n' "architecture: $(uname -m)" 'creation_date: 1700000000' 'properties:' '  description: sonde test' \
        '  os: sonde' >"$work/metadata.yaml"
    tar -C "$work" --numeric-owner -cf "$LXD_HOME/image.tar" metadata.yaml rootfs && rm -rf "$work" &&
        ld image import "$LXD_HOME/image.tar" --alias test
}

lxd_up()
{
    engine_dir "$LXD_ENGINE" >/dev/null && image_dir >/dev/null || return 1
    [ "$LXD_ENGINE" = lxd ] || chroot_up trixie || return 1
    host_note "$LXD_HOME/host.noted" /run/lxc /run/lxc/lock /var/log/lxd /var/cache/lxd
    mkdir -p "$LXD_ROOT"
    daemon_alive "$LXD_HOME/pid" || lxd_daemon
    wait_until 30 ld info || { tail -n 20 "$LXD_HOME/log" >&2; return 1; }
    ld storage show default >/dev/null 2>&1 || {
        ld storage create default dir && ld profile device add default root disk path=/ pool=default && lxd_image
    }
}

lxd_make() { local name; name=$(lxd_name "$1"); shift; ld init -q test "$name" "$@"; }

lxd_launch() { lxd_make "$@" && ld start -q "$(lxd_name "$1")"; }

lxd_snapshot()
{
    if [ "$LXD_ENGINE" = lxd ]; then ld snapshot "$(lxd_name "$1")" snap0; else ld snapshot create "$(lxd_name "$1")" snap0; fi
}

lxd_pid() { ld info "$(lxd_name "$1")" | awk '/^PID:/ { print $2 }'; }

# Monitors outlive the daemon.
# The pattern not as an argument: grep would find itself.
# shellcheck disable=SC2062
lxd_monitors() { grep -slzF -f - /proc/[0-9]*/cmdline <<<"[lxc monitor] $LXD_ROOT/containers " | cut -d/ -f3; }

# A frozen process does not die.
lxd_thaw()
{
    local dir
    for dir in /sys/fs/cgroup/freezer /sys/fs/cgroup/unified /sys/fs/cgroup; do
        [ ! -e "$dir/$1/freezer.state" ] || echo THAWED >"$dir/$1/freezer.state"
        [ ! -e "$dir/$1/cgroup.freeze" ] || echo 0 >"$dir/$1/cgroup.freeze"
    done
}

lxd_down()
{
    local pid link
    [ -d "$LXD_HOME" ] || return 0
    daemon_stop "$LXD_HOME/pid"
    for link in "$LXD_ROOT"/containers/*; do
        lxd_thaw "lxc.payload.$(basename "$link")"
    done
    for pid in $(lxd_monitors); do
        # the container's init; the monitor cleans up and ends
        # shellcheck disable=SC2046 # a list
        kill -KILL $(cat "/proc/$pid/task/$pid/children") 2>/dev/null
        wait_until 5 test ! -e "/proc/$pid/exe" || kill -KILL "$pid"
    done
    for link in "$LXD_ROOT"/containers/*; do
        cgroup_remove "lxc.payload.$(basename "$link")"
        cgroup_remove "lxc.monitor.$(basename "$link")"
    done
    # locks are kept by the directory's path, below one that every lxc shares
    rm -rf --one-file-system "/run/lxc/lock$LXD_ROOT"
    (cd /run/lxc/lock 2>/dev/null && rmdir -p ".$LXD_HOME" 2>/dev/null)
    [ "$LXD_ENGINE" = lxd ] || chroot_down trixie
    host_restore "$LXD_HOME/host.noted"
    engine_remove "$LXD_HOME"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main lxd ld "$@"
