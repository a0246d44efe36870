#!/bin/bash
# Rootless podman of a user of our own, who is gone again afterwards. Its stores lie where those of
# any user lie (home, /run/user/UID), so that they can be found without being told.
#
#   podman_rootless_up, podman_rootless_down
#   pmu ARGUMENT...       podman as that user
#   $ROOTLESS_DIR/home    the home; $ROOTLESS_USER, $ROOTLESS_UID

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

# Without this file some releases choose vfs, others a FUSE filesystem.
rootless_config()
{
    as_user mkdir -p .config/containers &&
        printf '[storage]\ndriver = "overlay"\n' | as_user tee .config/containers/storage.conf >/dev/null &&
        printf '[containers]\nnetns = "none"\n[engine]\nevents_logger = "file"\n' |
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
    local first count status uid
    IFS=: read -r _ first count <"$ROOTLESS_DIR/subuid" || return 0
    for status in /proc/[0-9]*/status; do
        uid=$(awk '/^Uid:/ { print $2 }' "$status" 2>/dev/null)
        [ -n "$uid" ] || continue
        if [ "$uid" = "$ROOTLESS_UID" ] || { [ "$uid" -ge "$first" ] && [ "$uid" -lt $((first + count)) ]; }; then
            status=${status#/proc/}
            echo "${status%/status}"
        fi
    done
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
    [ ! -e "$ROOTLESS_DIR/run-user-made" ] || rmdir /run/user 2>/dev/null
    engine_remove "$ROOTLESS_DIR"
}

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main podman_rootless pmu "$@"
