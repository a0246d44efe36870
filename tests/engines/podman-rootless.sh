#!/bin/bash
# Rootless podman of a user of our own, who is gone again afterwards. Its stores lie where those of
# any user lie (home, /run/user/UID), so that they can be found without being told.
#
#   podman_rootless_up, podman_rootless_down
#   pmu ARGUMENT...       podman as that user
#   $ROOTLESS_DIR/home    the home; $ROOTLESS_USER, $ROOTLESS_UID
#   ROOTLESS_DRIVER       before podman_rootless_up: overlay (the kernel's, the default), fuse (fuse-overlayfs), vfs

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$engines/lib.sh"
. "$engines/image.sh"

ROOTLESS_DIR=$SONDE_TEST_DIR/podman-rootless
ROOTLESS_USER=sonde$(engine_tag | tr '[:upper:]' '[:lower:]')
ROOTLESS_UID=$(id -u "$ROOTLESS_USER" 2>/dev/null)

# as_user COMMAND...: with no more of our environment than a login would have
as_user()
{
    (cd "$ROOTLESS_DIR/home" && exec setpriv --reuid "$ROOTLESS_UID" --regid "$ROOTLESS_UID" --init-groups \
        --inh-caps=-all env -i HOME="$ROOTLESS_DIR/home" USER="$ROOTLESS_USER" LOGNAME="$ROOTLESS_USER" \
        XDG_RUNTIME_DIR="/run/user/$ROOTLESS_UID" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
        LC_ALL=C "$@")
}

pmu() { as_user podman --cgroup-manager cgroupfs "$@"; }

rootless_user_up()
{
    [ -z "$ROOTLESS_UID" ] || return 0
    echo "$ROOTLESS_USER" >"$ROOTLESS_DIR/user"
    [ -e /run/user ] || : >"$ROOTLESS_DIR/run-user-made"
    mkdir "$ROOTLESS_DIR/home" &&
        useradd --home-dir "$ROOTLESS_DIR/home" --no-create-home --user-group --shell /bin/bash "$ROOTLESS_USER" ||
        return 1
    ROOTLESS_UID=$(id -u "$ROOTLESS_USER")
    grep "^$ROOTLESS_USER:" /etc/subuid >"$ROOTLESS_DIR/subuid" || {
        echo "useradd gave $ROOTLESS_USER no subordinate ids" >&2
        return 1
    }
    chown "$ROOTLESS_UID:$ROOTLESS_UID" "$ROOTLESS_DIR/home"
    mkdir -p /run/user && install -d -m 700 -o "$ROOTLESS_UID" -g "$ROOTLESS_UID" "/run/user/$ROOTLESS_UID"
}

# Without this some releases choose vfs, others a FUSE filesystem.
rootless_storage_conf()
{
    case ${ROOTLESS_DRIVER:-overlay} in
    fuse) printf '[storage]\ndriver = "overlay"\n[storage.options.overlay]\nmount_program = "%s"\n' \
              "$(command -v fuse-overlayfs)" ;;
    *)    printf '[storage]\ndriver = "%s"\n' "${ROOTLESS_DRIVER:-overlay}" ;;
    esac
}

# Where no udev ran, only root may open it.
rootless_fuse_up()
{
    [ "${ROOTLESS_DRIVER-}" = fuse ] && [ ! -e "$ROOTLESS_DIR/fuse-mode" ] || return 0
    stat -c %a /dev/fuse >"$ROOTLESS_DIR/fuse-mode" && chmod 666 /dev/fuse
}

rootless_containers_conf()
{
    printf '[containers]\nnetns = "none"\n[engine]\nevents_logger = "file"\nlock_type = "file"\n'
    [ ! -e "$ROOTLESS_DIR/home/crun" ] ||
        printf 'runtime = "crun"\n[engine.runtimes]\ncrun = ["%s"]\n' "$ROOTLESS_DIR/home/crun"
}

rootless_config()
{
    rootless_fuse_up && as_user mkdir -p .config/containers &&
        rootless_storage_conf | as_user tee .config/containers/storage.conf >/dev/null &&
        { ! crun_needs_wrapper || crun_wrapper "$ROOTLESS_DIR/home/crun"; } &&
        rootless_containers_conf |
        as_user tee .config/containers/containers.conf >/dev/null
}

podman_rootless_up()
{
    local image
    engine_dir podman-rootless >/dev/null && image=$(image_dir) || return 1
    rootless_user_up && rootless_config || return 1
    pmu image exists "$IMAGE" || pmu load -q <"$image/image.tar" >/dev/null
}

# rootless_pids: every process of the user and of its subordinate ids
rootless_pids()
{
    local first count
    IFS=: read -r _ first count <"$ROOTLESS_DIR/subuid" || return 0
    # /proc/PID/status:Uid: REAL ...
    grep -sH '^Uid:' /proc/[0-9]*/status |
        awk -F '[/:\t]+' -v own="$ROOTLESS_UID" -v first="$first" -v end="$((first + count))" \
            '$6 == own || ($6 >= first && $6 < end) { print $3 }'
}

rootless_kill()
{
    local pids try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        pids=$(rootless_pids)
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086 # a list
        kill -KILL $pids 2>/dev/null
        sleep "0.$try"
    done
    return 0
}

podman_rootless_down()
{
    [ -d "$ROOTLESS_DIR" ] || return 0
    if [ -n "$ROOTLESS_UID" ]; then
        rootless_kill
        engine_remove "/run/user/$ROOTLESS_UID"
        userdel "$ROOTLESS_USER" 2>&1 | grep -v 'not found\|mail spool' >&2
        ROOTLESS_UID=
    fi
    [ ! -e "$ROOTLESS_DIR/fuse-mode" ] || chmod "$(cat "$ROOTLESS_DIR/fuse-mode")" /dev/fuse
    [ ! -e "$ROOTLESS_DIR/run-user-made" ] || rmdir /run/user 2>/dev/null
    engine_remove "$ROOTLESS_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main podman_rootless pmu "$@"
