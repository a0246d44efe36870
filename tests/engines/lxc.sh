#!/bin/bash
# lxc as root, with an lxcpath of its own.
#
#   lxc_up, lxc_down
#   lx TOOL NAME ARGUMENT...   lxc-TOOL -n of the container NAME: lx info web -pH
#   lxc_name NAME              the container's name with the test's tag: cgroups are called by it
#   lxc_dir NAME COMMAND       makes a container whose root is a directory, a copy of the test image's
#   lxc_overlay NAME BASE COMMAND   one whose root is an overlay on BASE's
#   lxc_start NAME, lxc_run NAME (waits for its end)
#   $LXC_PATH                  the lxcpath

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"

LXC_DIR=$SONDE_TEST_DIR/lxc
LXC_PATH=$LXC_DIR/path

lxc_name() { echo "$1-lxc-$(engine_tag)"; }

lx()
{
    local tool=$1 name
    name=$(lxc_name "$2")
    shift 2
    "lxc-$tool" -P "$LXC_PATH" -n "$name" "$@"
}

lxc_up()
{
    engine_dir lxc >/dev/null && image_dir >/dev/null || return 1
    host_note "$LXC_DIR/host.noted" /run/lxc /run/lxc/lock
    mkdir -p "$LXC_PATH" && chmod 755 "$LXC_PATH"
}

# lxc_config NAME ROOT: ROOT as lxc.rootfs.path has it
lxc_config()
{
    local dir
    dir=$LXC_PATH/$(lxc_name "$1")
    mkdir -p "$dir" "$LXC_DIR/data" && cat >"$dir/config" <<END
# of tests/engines/lxc.sh
lxc.uts.name = $1
lxc.arch = $(uname -m)
lxc.rootfs.path = $2
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
lxc.mount.auto = proc:mixed sys:mixed
lxc.mount.entry = $LXC_DIR/data mnt none bind,ro 0 0
lxc.console.logfile = $dir/console.log
lxc.environment = FOO=bar
lxc.tty.max = 0
lxc.init.cmd = /bin/sh /init.sh
END
}

# lxc_init ROOT COMMAND: what its init runs
lxc_init() { printf '#!/bin/sh\n%s\n' "$2" >"$1/init.sh"; }

lxc_dir()
{
    local root
    root=$LXC_PATH/$(lxc_name "$1")/rootfs
    lxc_config "$1" "dir:$root" && cp -a "$(image_dir)/rootfs" "$root" && lxc_init "$root" "$2"
}

lxc_overlay()
{
    local dir base
    dir=$LXC_PATH/$(lxc_name "$1")
    base=$LXC_PATH/$(lxc_name "$2")/rootfs
    lxc_config "$1" "overlay:$base:$dir/overlay/delta" &&
        mkdir -p "$dir/overlay/delta" "$dir/overlay/work" "$dir/rootfs" && lxc_init "$dir/overlay/delta" "$3"
}

lxc_start() { lx start "$1" -d -l INFO -o "$LXC_DIR/$1.log" || { tail -n 20 "$LXC_DIR/$1.log" >&2; return 1; }; }

lxc_run() { lx start "$1" -F -l INFO -o "$LXC_DIR/$1.log"; }

lxc_pid() { lx info "$1" -pH; }

lxc_down()
{
    local dir name
    [ -d "$LXC_DIR" ] || return 0
    for dir in "$LXC_PATH"/*/; do
        name=$(basename "$dir")
        lxc-unfreeze -P "$LXC_PATH" -n "$name" 2>/dev/null
        timeout 20 lxc-stop -P "$LXC_PATH" -n "$name" -k 2>/dev/null
        cgroup_remove "lxc.payload.$name"
        cgroup_remove "lxc.monitor.$name"
    done
    # locks are kept by the lxcpath, below a directory that every lxc shares
    rm -rf --one-file-system "/run/lxc/lock$LXC_PATH"
    (cd /run/lxc/lock 2>/dev/null && rmdir -p ".$LXC_DIR" 2>/dev/null)
    host_restore "$LXC_DIR/host.noted"
    engine_remove "$LXC_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main lxc lx "$@"
