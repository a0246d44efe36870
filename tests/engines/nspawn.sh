#!/bin/bash
# systemd-nspawn without systemd: not registered, in the caller's cgroup.
#
#   nspawn_up, nspawn_down
#   nspawn_name NAME             with the test's tag
#   nspawn_tree NAME             makes a machine's tree, a copy of the test image's, in $NSPAWN_MACHINES
#   nspawn_settings NAME         standard input is that machine's .nspawn file; kept in $NSPAWN_SETTINGS
#   nspawn_run NAME OPTION... -- COMMAND...   runs a machine of that name in the background
#   nspawn_supervisor NAME, nspawn_leader NAME
#   $NSPAWN_MACHINES             in place of /var/lib/machines

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"

NSPAWN_DIR=$SONDE_TEST_DIR/nspawn
NSPAWN_MACHINES=$NSPAWN_DIR/machines
NSPAWN_SETTINGS=$NSPAWN_DIR/settings

nspawn_name() { echo "$1-nspawn-$(engine_tag)"; }

nspawn_up()
{
    engine_dir nspawn >/dev/null && image_dir >/dev/null || return 1
    host_note "$NSPAWN_DIR/host.noted" /run/systemd /run/systemd/nspawn /run/systemd/nspawn/locks \
        /run/systemd/nspawn/propagate /sys/fs/cgroup/systemd/payload /sys/fs/cgroup/systemd/supervisor \
        /sys/fs/cgroup/unified/payload /sys/fs/cgroup/unified/supervisor
    mkdir -p "$NSPAWN_MACHINES" "$NSPAWN_SETTINGS"
}

nspawn_tree() { cp -a "$(image_dir)/rootfs" "$NSPAWN_MACHINES/$(nspawn_name "$1")"; }

# In /etc, in /run or beside the tree is where systemd-nspawn looks.
nspawn_settings()
{
    mkdir -p /run/systemd/nspawn && tee "$NSPAWN_SETTINGS/$(nspawn_name "$1").nspawn" >"/run/systemd/nspawn/$(nspawn_name "$1").nspawn"
}

# Every option comes before the command's --
nspawn_run()
{
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    (cd "$NSPAWN_MACHINES" && daemon_start "$NSPAWN_DIR/$name.pid" "$NSPAWN_DIR/$name.log" systemd-nspawn -q \
        --register=no --keep-unit --console=pipe --resolv-conf=off --timezone=off "${options[@]}" "$@")
    wait_until 10 nspawn_is_up "$name" || { cat "$NSPAWN_DIR/$name.log" >&2; return 1; }
}

nspawn_supervisor() { daemon_pid "$NSPAWN_DIR/$1.pid"; }

nspawn_leader()
{
    local supervisor child
    supervisor=$(nspawn_supervisor "$1")
    # shellcheck disable=SC2013 # words
    for child in $(cat "/proc/$supervisor/task/$supervisor/children" 2>/dev/null); do
        [ "$(awk '/^NSpid:/ { print $NF }' "/proc/$child/status" 2>/dev/null)" != 1 ] || echo "$child"
    done
}

# Its program runs: systemd-nspawn's own name is gone from its leader.
nspawn_is_up()
{
    local leader
    leader=$(nspawn_leader "$1")
    [ -n "$leader" ] && [ "$(cat "/proc/$leader/comm")" != systemd-nspawn ] && [ "$(cat "/proc/$leader/comm")" != '(sd-inner)' ]
}

nspawn_stop() { daemon_stop "$NSPAWN_DIR/$1.pid"; }

nspawn_down()
{
    local pid
    [ -d "$NSPAWN_DIR" ] || return 0
    for pid in "$NSPAWN_DIR"/*.pid; do
        [ ! -e "$pid" ] || daemon_stop "$pid"
    done
    find /run/systemd/nspawn/propagate -mindepth 1 -maxdepth 1 -name "*$(engine_tag)*" -exec rmdir {} + 2>/dev/null
    find /run/systemd/nspawn -mindepth 1 -maxdepth 1 -name "*$(engine_tag).nspawn" -delete 2>/dev/null
    host_restore "$NSPAWN_DIR/host.noted"
    engine_remove "$NSPAWN_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main nspawn systemd-nspawn "$@"
