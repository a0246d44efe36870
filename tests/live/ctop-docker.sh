#!/bin/bash
# ctop against a real dockerd: its numbers beside the kernel's own files and docker stats, who comes and who goes.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ctop-load.sh"
test_engine docker
test_names busy kept late

pid_of() { dk inspect --format '{{.State.Pid}}' "$1"; }

# of NAME KEY FILE: a number of a line of ctop --json
of() { jq -r ".containers[] | select(.name == \"$1\") | .$2" "$3"; }

# Nobody listens: each datagram is answered by an ICMP message.
send_to() { while :; do head -c 8000 /dev/zero 2>/dev/null >"/dev/udp/$1/9"; sleep 0.02; done; }

test_expect DOCKER 'setup: a container that uses half a core, 50 MB of shared memory and the disk' '
    docker_up &&
    dk run -d --name $busy --cpus 0.5 --memory 200m --pids-limit 50 "$IMAGE" sh -c "
        dd if=/dev/zero of=/dev/shm/x bs=1M count=50 2>/dev/null
        while :; do dd if=/dev/zero of=/out bs=1M count=4 conv=fsync 2>/dev/null; sleep 0.5; done & while :; do :; done" &&
    dk run -d --name $kept "$IMAGE" sleep 1000000 && test_wait "dk exec $busy test -s /out"
'

test_expect DOCKER 'processor time and network are within 3 percent, writes (which come in bursts) within 15, of what the kernel counts in 10 seconds' '
    pid=$(pid_of $busy) && address=$(dk inspect --format "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}" $busy) &&
    { send_to "$address" & } && sender=$! && sleep 1 &&
    { ctop --json -n 1 -d 10 -f $busy >out & } && ctop_pid=$! &&
    test_wait "ls -l /proc/$ctop_pid/fd | grep -q net/dev" && before=$(cpu_ns $pid) && io=$(io_written $pid) && net=$(net_bytes $pid) && t=$(date +%s%N) &&
    wait $ctop_pid && after=$(cpu_ns $pid) && io2=$(io_written $pid) && net2=$(net_bytes $pid) && t2=$(date +%s%N) &&
    kill $sender &&
    near "$(of $busy cpu out)" "$(awk "BEGIN { print ($after - $before) * 100 / ($t2 - $t) }")" 3 &&
    set -- $net $net2 && near "$(of $busy net_in out)" "$(awk "BEGIN { print ($3 - $1) * 1e9 / ($t2 - $t) }")" 3 &&
    near "$(of $busy net_out out)" "$(awk "BEGIN { print ($4 - $2) * 1e9 / ($t2 - $t) }")" 3 &&
    near "$(of $busy io_write out)" "$(awk "BEGIN { print ($io2 - $io) * 1e9 / ($t2 - $t) }")" 15 && test "$(of $busy summed out)" = false
'

test_expect DOCKER 'memory, tasks and limits are those of docker stats and docker inspect' '
    ctop --json -n 1 -o NAME,MEM,SHMEM,PIDS,MEMMAX,PIDMAX,CPUMAX,MEMPCT,THROTTLED,CPU -f $busy >out &&
    dk stats --no-stream --format "{{.MemPerc}} {{.PIDs}}" $busy | tr -d % >stats && read -r mem pids <stats &&
    near "$(of $busy mem_of_limit out)" "$mem" 3 && near "$(of $busy pids out)" "$pids" 50 &&
    near "$(of $busy shmem out)" $((50 << 20)) 1 &&
    test "$(of $busy mem_limit out)" = $((200 << 20)) && test "$(of $busy pids_limit out)" = 50 &&
    test "$(of $busy cpu_limit out)" = 0.5 && test "$(of $busy throttled out)" != null
'

# events_of NAME: in `out`, whose last line may be half written
events_of() { jq -r --arg name "$1" '.events[] | select(.name == $name) | "\(.event) \(.number)"' out 2>/dev/null || true; }

# Two lists would show it too: that it comes at once, and what it costs, is the point.
test_expect DOCKER 'one that is started is there in the next sample, and its end comes with its exit code' '
    { ctop --json -n 120 -d 0.5 -f late >out & } && reader=$! && test_wait "[ -s out ]" &&
    dk run -d --name $late "$IMAGE" sh -c "sleep 1.5; exit 7" && test_wait "events_of $late | grep exited" 40 && kill $reader &&
    events_of $late >events &&
    printf "started null\nexited 7\n" >expect && test_cmp expect events
'

test_expect DOCKER 'without docker: the same numbers while the daemon is dead' '
    ctop --json -n 1 -o NAME,MEM -f $busy >before && docker_kill && ctop --json -n 1 -o NAME,CPU,MEM -f $busy >out &&
    near "$(of $busy mem out)" "$(of $busy mem before)" 3 && test "$(of $busy cpu out | cut -d. -f1)" -ge 5
'
test_done
