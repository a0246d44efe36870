#!/bin/bash
# cdebug --forward: ports of a container's own network, bound to its localhost, from this host.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/forward.sh"

test_expect UNSHARE,FORWARD 'a port of its localhost answers here, on a port that was chosen and is printed' '
    serving && forward --forward 0:7001 && client echo 127.0.0.1 "$port" >actual && echo "1 whole" >expect && test_cmp expect actual &&
    test_grep "^Forwarding 127.0.0.1:$port -> 127.0.0.1:7001 of " forward.out && [ "$(wc -l <forward.out)" = 1 ] && test_empty forward.err &&
    unforward
'

test_expect UNSHARE,FORWARD 'many at once, each half-closed by its client and answered to its end' '
    serving && forward --forward 127.0.0.1:0:7001 && client echo 127.0.0.1 "$port" 100 >actual && echo "100 whole" >expect &&
    test_cmp expect actual && unforward && test_empty forward.err
'

test_expect UNSHARE,FORWARD 'IPv6 on either side, several ports in one command' '
    serving && forward --forward "[::1]:0:[::1]:7004" --forward "0:[::1]:7004" && client echo ::1 "$port" >actual &&
    port=$(sed -n "2s/.*:\([0-9]*\) -> .*/\1/p" forward.out) && client echo 127.0.0.1 "$port" >>actual &&
    printf "1 whole\n1 whole\n" >expect && test_cmp expect actual &&
    test_grep "^Forwarding \[::1\]:[0-9]* -> \[::1\]:7004 of " forward.out && unforward
'

test_expect UNSHARE,FORWARD 'a slow reader gets all of 8 MiB' '
    serving && forward --forward 0:7003 && client pour 127.0.0.1 "$port" 1 >actual && echo whole >expect && test_cmp expect actual &&
    unforward
'

test_expect UNSHARE,FORWARD 'a reset is passed on as one, after what was said before' '
    serving && forward --forward 0:7005 && client reset 127.0.0.1 "$port" >actual && echo "no reset" >expect && test_cmp expect actual &&
    unforward
'

test_expect UNSHARE,FORWARD 'where nobody listens the client is let go, with one line each, and others are served' '
    serving && forward --forward 0:7999 --forward 0:7001 && client closed 127.0.0.1 "$port" 2 >actual && echo "2 ended" >expect &&
    test_cmp expect actual && [ "$(grep -c "connect to 127.0.0.1:7999: Connection refused" forward.err)" = 2 ] &&
    [ "$(wc -l <forward.err)" = 2 ] && port=$(sed -n "2s/.*:\([0-9]*\) -> .*/\1/p" forward.out) &&
    client echo 127.0.0.1 "$port" >actual && test_grep "1 whole" actual && unforward
'

test_expect UNSHARE,FORWARD 'Ctrl-C and TERM end it with status 0, and leave no port and no connection' '
    serving && for signal in INT TERM; do
        rm -f forward.out
        cdebug --forward 0:7002 "pid:$init" >forward.out &
        front=$!
        test_wait "[ -s forward.out ]" || return 1
        port=$(sed "s/.*:\([0-9]*\) -> .*/\1/" forward.out)
        flood "$port" 3 && kill -$signal $front && { wait $front; status=$?; kill $flood; [ $status = 0 ]; } || return 1
        client echo 127.0.0.1 "$port" >actual 2>&1 && return 1
        test_grep "refused" actual || return 1
    done
'

test_expect UNSHARE,FORWARD 'it has no capability once it listens, and is in no namespace of the container but its network' '
    serving && forward --forward 0:7001 && grep -E "^Cap(Prm|Eff|Bnd|Amb)|^NoNewPrivs" "/proc/$forward/status" >actual &&
    printf "CapPrm:\t%016x\nCapEff:\t%016x\nCapBnd:\t%016x\nCapAmb:\t%016x\nNoNewPrivs:\t1\n" 0 0 0 0 >expect && test_cmp expect actual &&
    for type in net pid mnt ipc uts; do readlink "/proc/$forward/ns/$type"; done >actual &&
    { readlink "/proc/$init/ns/net"; for type in pid mnt ipc uts; do readlink "/proc/self/ns/$type"; done; } >expect &&
    test_cmp expect actual && unforward
'

test_expect UNSHARE,FORWARD 'a port in use, a container that is not there, one that has ended: one line and 125' '
    serving && forward --forward 0:7001 &&
    test_status 125 cdebug --forward "$port:7001" "pid:$init" 2>err && test_grep "listen on 127.0.0.1:$port: Address already in use" err &&
    [ "$(wc -l <err)" = 1 ] && unforward &&
    test_status 125 cdebug --forward 0:7001 "no-such-$$" 2>err && test_grep "no-such-$$" err &&
    test_status 125 as_nobody cdebug --forward 0:7001 "pid:$init" 2>err && test_grep "hint: " err
'

test_expect UNSHARE,FORWARD '--dry-run opens nothing' '
    serving && cdebug --dry-run --forward 8080:80 "pid:$init" >actual && test_grep "^forward  *127.0.0.1:8080 -> 127.0.0.1:80 of " actual
'

test_expect UNSHARE,FORWARD 'the end of the container is said, and ends it with 125' '
    serving && rm -f forward.out && { cdebug --forward 0:7001 "pid:$init" >forward.out 2>err & front=$!; } && test_wait "[ -s forward.out ]" &&
    kill -KILL "$init" && { wait $front; status=$?; [ $status = 125 ]; } && test_grep "first process $init has ended" err &&
    [ "$(wc -l <err)" = 2 ] && init=
'

# A container in the network of the host.
test_expect UNSHARE,FORWARD 'where the network is the host'"'"'s a port does not lead to itself' '
    isolated_by isolated_sleeps unshare --mount --pid --fork --kill-child -- "exec sleep 1000000" &&
    test_status 125 cdebug --forward 47999:47999 "pid:$init" 2>err && test_grep "127.0.0.1:47999 would lead to itself" err
'

test_done
