# shellcheck shell=bash
# What the tests of cdebug --forward share; sourced after the harness. No packet leaves this host: both ends are on
# loopback, that of the container in a network of its own.
# shellcheck source=tests/lib/isolated.sh
. "$SONDE_SOURCE/tests/lib/isolated.sh"

test_prereq FORWARD 'have_all python3 ip unshare && unshare --net ip link set lo up'
forwarding=()
test_cleanup '[ ${#forwarding[@]} = 0 ] || kill -KILL "${forwarding[@]}" 2>/dev/null || true'

# served: a container whose first process is forward.py serve; $init is its pid
served()
{
    isolated_by 'grep -q serving isolated.out' "${own_namespaces[@]}" -- \
        'ip link set lo up && exec python3 "$1" serve' "$SONDE_SOURCE/tests/lib/forward.py"
}
serving() { { [ -n "${init-}" ] && [ -e "/proc/$init" ]; } || served; }

# forward OPTION...: cdebug with them in the background, from a port of its own choice; $port, and $forward is its pid
forward()
{
    rm -f forward.out
    cdebug "$@" "pid:$init" >forward.out 2>forward.err &
    forward=$!
    disown $forward
    forwarding+=("$forward")
    test_wait '[ -s forward.out ] || ! [ -e /proc/$forward ]' || return 1
    port=$(sed -n '1s/.*:\([0-9]*\) -> .*/\1/p' forward.out)
    [ -n "$port" ] || { cat forward.out forward.err; return 1; }
}
gone() { ! [ -e "/proc/$1" ] || grep -q "^State:.Z" "/proc/$1/status"; }

# unforward: ends it as Ctrl-C does
unforward() { kill -INT "$forward" && test_wait "gone $forward"; }

# flood PORT N: N connections that stay, made by $flood
flood()
{
    rm -f flood.out
    python3 "$SONDE_SOURCE/tests/lib/forward.py" flood 127.0.0.1 "$1" "$2" >flood.out &
    flood=$!
    disown $flood
    forwarding+=("$flood")
    test_wait '[ -s flood.out ]'
}

client() { timeout 60 python3 "$SONDE_SOURCE/tests/lib/forward.py" "$@"; }
