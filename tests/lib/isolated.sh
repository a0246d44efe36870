# shellcheck shell=bash
# First processes of namespaces of their own that no engine knows; sourced after the harness.

# The outer one is unshare; with other ids its child does not die with it: prctl(2), PR_SET_PDEATHSIG.
isolated_pids=()
test_cleanup '[ ${#isolated_pids[@]} = 0 ] || kill -KILL "${isolated_pids[@]}" 2>/dev/null || true'

own_namespaces=(unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net)

# isolated_by READY LAUNCHER... -- SCRIPT [ARG...]: LAUNCHER, an unshare with --pid --fork at its end, starts SCRIPT, which has
# a /proc of its own and ends in an exec. $init is its pid, once the condition READY holds; it writes to isolated.out.
isolated_by()
{
    local ready=$1 launcher=() outer failed=0
    shift
    while [ "$1" != -- ]; do launcher+=("$1"); shift; done
    "${launcher[@]}" sh -c "mount -t proc proc /proc && $2" sh "${@:3}" >isolated.out 2>&1 &
    outer=$!
    disown "$outer"
    isolated_pids+=("$outer")
    init=
    test_wait "read -r -d ' ' init <'/proc/$outer/task/$outer/children' && $ready" 20 || { cat isolated.out; failed=1; }
    [ -z "$init" ] || isolated_pids+=("$init")
    return $failed
}

isolated_sleeps() { [ "$(cat "/proc/$init/comm")" = sleep ]; }

# isolated SCRIPT [ARG...]: that ends in exec sleep, in mount, pid, net, ipc and host name namespaces of its own
isolated() { isolated_by isolated_sleeps "${own_namespaces[@]}" -- "$@"; }

# isolated_user SCRIPT: the same as the root of a user namespace that an ordinary user has made
isolated_user()
{
    isolated_by isolated_sleeps setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user --mount --pid --fork \
        --kill-child -- "$@"
}
