# shellcheck shell=bash
# What the tests of the target view share; sourced after the harness.

# view_acts COMMAND...: every line of view-acts.sh is done in a session that COMMAND starts; $acts.err has what they printed
view_acts()
{
    "$@" -- sh -c "$(cat "$SONDE_SOURCE/tests/lib/view-acts.sh")" >acts 2>acts.err || { cat acts.err; return 1; }
    test_grep ^ok acts && test_grep -v ^no acts && return 0
    cat acts.err
    return 1
}

# view_state PID UPPER: all that a session could leave on a container. Reading a directory may change its access time, once:
# the first reading is thrown away.
view_state()
{
    find "$2" -type f -exec cat {} + >/dev/null
    find "$2" -printf '%p %i %m %U %G %s %A@ %T@ %C@\n' | sort
    find "$2" -type f -exec sha256sum {} + | sort
    cat "/proc/$1/mountinfo" "/proc/$1/cgroup"
    ps -eo pid,pidns,comm | awk -v ns="$(readlink "/proc/$1/ns/pid" | tr -dc 0-9)" '$2 == ns'
}

SCRATCH_DIR=$SONDE_TEST_DIR/scratch

# A container of unshare whose read-only root has one program, and a place for /proc; $scratch is its init.
scratch_up()
{
    mkdir -p "$SCRATCH_DIR/proc" && cp -L "$(command -v busybox)" "$SCRATCH_DIR/busybox" || return 1
    # shellcheck disable=SC2016 # for the shell inside
    unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net sh -c '
        mount --bind "$1" "$1" && cd "$1" && /bin/mount -t proc proc proc && /bin/mount -o remount,bind,ro . &&
        pivot_root . . && exec ./busybox sh -c "./busybox umount -l / && exec ./busybox sleep 1000000"' sh "$SCRATCH_DIR" >scratch.out 2>&1 </dev/null &
    scratch_unshare=$!
    disown $scratch_unshare
    test_wait 'read -r -d " " scratch <"/proc/$scratch_unshare/task/$scratch_unshare/children" && [ "$(tr "\0" " " <"/proc/$scratch/cmdline")" = "./busybox sleep 1000000 " ]' ||
        { cat scratch.out; return 1; }
}
test_cleanup '[ -z "${scratch_unshare-}" ] || kill -KILL "$scratch_unshare" 2>/dev/null || true'
