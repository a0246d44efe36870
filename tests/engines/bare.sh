#!/bin/bash
# Containers that no engine knows: unshare, with an overlay of the image as root.
#
#   bare_up, bare_down
#   bare_run NAME [COMMAND...]   starts one (default: sleep); bare_pid NAME is its init on the host
#   $BARE_DIR/NAME/upper         its upper directory
#   bare_chroot NAME, bare_bwrap NAME   the same by chroot, in no namespace of its own, and by bubblewrap, in
#                                $BARE_DIR/NAME/root, a copy of the image

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"

BARE_DIR=$SONDE_TEST_DIR/bare

bare_up() { engine_dir bare >/dev/null && image_dir >/dev/null; }

# The mounts are made inside: the host's mount table does not show them.
bare_script='
cd "$1" && mount -t overlay overlay root -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" &&
cd root && mkdir -p .old && pivot_root . .old && mount -t proc proc /proc && mount -t tmpfs dev /dev &&
mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/zero c 1 5 && umount -l /.old && rmdir /.old &&
hostname "$3" && shift 3 && exec "$@"
'

bare_run()
{
    local name=$1 dir=$BARE_DIR/$1 rootfs pid
    shift
    [ $# -gt 0 ] || set -- sleep 1000000
    rootfs=$(image_dir)/rootfs && mkdir -p "$dir"/{root,upper,work} || return 1
    daemon_start "$dir/noted" "$dir/log" \
        unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net --cgroup \
        sh -c "$bare_script" sh "$dir" "$rootfs" "$name" "$@"
    wait_until 20 bare_is_inside "$name" || { cat "$dir/log" >&2; return 1; }
    pid=$(bare_pid "$name") && echo "$pid $(proc_start "$pid")" >"$dir/init"
}

# bare_copied NAME COMMAND...: COMMAND in front of what a container in a copy of the image runs
bare_copied()
{
    local name=$1 dir=$BARE_DIR/$1
    shift
    mkdir -p "$dir" && cp -a "$(image_dir)/rootfs" "$dir/root" || return 1
    daemon_start "$dir/noted" "$dir/log" "$@" /bin/sleep 1000000
}

# chroot(1) becomes what it starts
bare_chroot()
{
    bare_copied "$1" chroot "$BARE_DIR/$1/root" || return 1
    cp "$BARE_DIR/$1/noted" "$BARE_DIR/$1/init"
    wait_until 20 bare_runs "$(daemon_pid "$BARE_DIR/$1/init")"
}

# bwrap's child stays as process 1, and what it runs is that one's
bare_bwrap()
{
    bare_copied "$1" bwrap --bind "$BARE_DIR/$1/root" / --proc /proc --dev /dev --unshare-all --die-with-parent || return 1
    wait_until 20 bare_sleeps "$1" || { cat "$BARE_DIR/$1/log" >&2; return 1; }
    bare_pid "$1" >"$BARE_DIR/$1/bwrap"
}

# whether the process has come to its last exec
bare_runs() { [ "$(tr '\0' ' ' <"/proc/$1/cmdline")" = '/bin/sleep 1000000 ' ]; }

bare_sleeps()
{
    local pid
    pid=$(bare_pid "$1") && bare_runs "$(tr -d ' ' <"/proc/$pid/task/$pid/children")"
}

# its init is unshare's only child
bare_pid()
{
    local pid
    pid=$(daemon_pid "$BARE_DIR/$1/noted") && tr -d ' ' <"/proc/$pid/task/$pid/children"
}

# the root is another once pivot_root and the final exec are done
bare_is_inside()
{
    local pid
    # a host may have /etc/motd as well
    pid=$(bare_pid "$1") && [ -n "$pid" ] && ! [ "/proc/$pid/root" -ef / ] && [ ! -e "/proc/$pid/root/.old" ] && [ -e "/proc/$pid/root/etc/motd" ] &&
        ! [ "/proc/$pid/exe" -ef /bin/sh ]
}

bare_down()
{
    local noted
    [ -d "$BARE_DIR" ] || return 0
    # unshare takes its child with it, unless somebody killed unshare alone
    for noted in "$BARE_DIR"/*/init "$BARE_DIR"/*/noted; do
        [ ! -f "$noted" ] || daemon_signal "$noted" KILL
    done
    engine_remove "$BARE_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main bare bare_run "$@"
