#!/bin/bash
# cps against a real dockerd.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
test_engine docker
test_names web done7 made held hostnet netof withinit again app looping

# docker's answer before and after cps must be the same, or the comparison is not fair
same_as_docker()
{
    local try
    for try in 1 2 3 4 5; do
        records_of_docker >expect && records_of_cps expect "$@" >actual && records_of_docker >after || return 1
        if cmp -s expect after; then break; fi
        sleep "0.$try"
    done
    test_cmp expect actual
}

pid_of() { dk inspect --format '{{.State.Pid}}' "$1"; }

test_expect DOCKER 'setup: a dockerd with containers in many states' '
    docker_up &&
    dk run -d --name $web --label tier=web --label "note=a b" -p 127.0.0.1::80 --hostname web-host \
        --memory 64m "$IMAGE" sh -c "sleep 1000000 & sleep 1000001" &&
    { dk run --name $done7 "$IMAGE" sh -c "exit 7"; [ $? = 7 ]; } &&
    dk create --name $made "$IMAGE" true &&
    dk run -d --name $held "$IMAGE" && dk pause $held &&
    dk run -d --name $hostnet --network host "$IMAGE" &&
    dk run -d --name $netof --network container:$web "$IMAGE" &&
    dk run -d --name $withinit --init "$IMAGE" &&
    dk run -d --name $again --restart unless-stopped "$IMAGE" &&
    dk run -d --name $app --user 1000:1000 --entrypoint sleep "$IMAGE" 1000002
'

test_expect DOCKER 'cps -a says of every container what docker says; the data root of the running daemon is found' '
    same_as_docker &&
    [ "$(jq length expect)" = 9 ]
'

test_expect DOCKER 'without -a only running and paused containers are listed' '
    cps_list json --json --no-trunc &&
    jq -r ".containers[] | select(.engine == \"docker\").name" json | sort >names &&
    test_grep "^$web$" names && test_grep "^$held$" names &&
    test_grep -v "^$done7$" names && test_grep -v "^$made$" names
'

test_expect DOCKER 'the table has the short id, the name, the image and the pid' '
    cps_list table -a --no-headings -o ID,NAME,IMAGE,STATUS,PID &&
    id=$(dk inspect --format "{{.Id}}" $web) &&
    test_grep "^${id:0:12}  *$web  *$IMAGE  *running  *$(pid_of $web)$" table &&
    test_grep "$done7  *$IMAGE  *exited" table
'

test_expect DOCKER 'labels, those of the image too' '
    cps_field $web .labels >actual &&
    dk inspect --format "{{json .Config.Labels}}" $web >expect &&
    test_json_cmp expect actual
'

test_expect DOCKER 'a published port' '
    port=$(dk inspect --format "{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}" $web) &&
    cps_list table -a --no-headings -o NAME,PORTS &&
    test_grep "^$web  *127.0.0.1:$port->80/tcp" table
'

test_expect DOCKER 'the time of creation, to the second' '
    docker_time=$(date -d "$(dk inspect --format "{{.Created}}" $web)" +%s) &&
    cps_time=$(date -d "$(cps_field $web .created | tr -d \")" +%s) &&
    [ "$docker_time" = "$cps_time" ]
'

test_expect DOCKER 'namespace columns are those of the container; host and shared ones show it' '
    cps_list table --no-headings -o NAME,NETNS,PIDNS &&
    net() { readlink "/proc/$1/ns/net" | tr -cd 0-9; } &&
    test_grep "^$web  *$(net "$(pid_of $web)") " table &&
    test_grep "^$netof  *$(net "$(pid_of $web)") " table &&
    test_grep "^$hostnet  *$(net self) " table
'

test_expect DOCKER 'cps NAME pairs each process with its pid inside' '
    ns_pids $(same_pidns "$(pid_of $web)") >expect &&
    [ "$(wc -l <expect)" = 2 ] &&
    cps --no-headings -o PID,NSPID $web | awk "{ print \$1, \$2 }" >actual &&
    test_cmp expect actual
'

test_expect DOCKER 'cps NAME tells the user inside and outside' '
    cps --no-headings -o USER,COMMAND $app >actual &&
    test_grep "^app  *sleep 1000002" actual
'

test_expect DOCKER 'cps NAME --tree lists them all' '
    cps --tree --no-headings -o PID $web | tr -cd "0-9\n" | sort -n >actual &&
    same_pidns "$(pid_of $web)" >expect &&
    test_cmp expect actual
'

test_expect DOCKER 'cps -p says whose process it is' '
    child=$(same_pidns "$(pid_of $web)" | tail -n 1) &&
    cps -p "$child" >actual && test_grep "$web" actual &&
    cps -p "$child" "$(pid_of $held)" >actual &&
    test_grep "$web" actual && test_grep "$held" actual
'

test_expect DOCKER 'names, unique id prefixes, ENGINE:NAME and pid:N all resolve' '
    id=$(dk inspect --format "{{.Id}}" $web) &&
    cps --no-headings -o PID $web >expect &&
    for ref in "$id" "${id:0:12}" docker:$web "pid:$(pid_of $web)"; do
        cps --no-headings -o PID "$ref" >actual && test_cmp expect actual || return 1
    done
'

test_expect DOCKER 'an unknown name is one line with a hint, status 1' '
    test_status 1 cps no-such-container >out 2>err &&
    test_empty out &&
    test_grep "no-such-container" err
'

test_expect DOCKER 'the processes of a stopped container are refused with its state' '
    test_status 1 cps $done7 >out 2>err &&
    test_grep "$done7" err && test_grep "not running\|exited" err
'

test_expect DOCKER 'a user who may not read the data root is told so, status 2, not that there is nothing' '
    test_status 2 as_nobody cps --json >json 2>err &&
    test_grep "$DOCKER_DATA.*Permission denied" err && test_grep "^hint: .*root" err &&
    test_json "[.diagnostics[] | select(.text | contains(\"$DOCKER_DATA\"))] | length" 1 json
'

test_expect DOCKER 'that user still sees what runs by its cgroup: id, engine, state and pid, and no more' '
    id=$(dk inspect --format "{{.Id}}" $web) &&
    test_status 2 as_nobody cps -q --no-trunc >ids 2>err &&
    test_grep "^$id$" ids && test_grep -v "^$(dk inspect --format "{{.Id}}" $made)$" ids &&
    sort ids | uniq -d >twice && test_empty twice &&
    test_status 2 as_nobody cps --json --no-trunc >json 2>err &&
    for name in $web $held; do
        dk inspect --format "{{.Id}} docker {{.State.Status}} {{.State.Pid}} null" $name
    done | sort >expect &&
    jq -r ".containers[] | \"\(.id) \(.engine) \(.status) \(.pid) \(.image)\"" json |
        grep -F -e "$id" -e "$(dk inspect --format "{{.Id}}" $held)" | sort >actual &&
    test_cmp expect actual
'

test_expect DOCKER 'that user may name it by its id, and is not let in' '
    as_nobody cps --no-headings -o PID "${id:0:12}" >actual 2>err &&
    test_grep "^ *$(pid_of $web)$" actual &&
    test_status 125 as_nobody cnsenter "${id:0:12}" true >out 2>err &&
    test_grep "ermi" err
'

test_expect DOCKER,STRACE,!SANITIZED 'resolving docker:NAME opens no other store and looks at programs alone, at none for a whole id' '
    strace -f -y -o trace -e trace=open,openat,openat2,getdents64 \
        cps --store "docker=$DOCKER_DATA" docker:"$(dk inspect --format "{{.Id}}" $web)" >out &&
    test_grep "config.v2.json" trace &&
    test_grep -v "getdents64([0-9]*</proc>" trace &&
    test_grep -v "containers/storage\|/run/runc\|/run/crun\|bolt_state" trace &&
    strace -f -y -o trace -e trace=open,openat,openat2,readlink,readlinkat cps --store "docker=$DOCKER_DATA" docker:$web >out &&
    test_grep "readlinkat([0-9]*</proc>, \"1/exe\"" trace && test_grep -v "\"1/ns/" trace &&
    test_grep -v "containers/storage\|/run/runc\|/run/crun\|bolt_state" trace &&
    { strace -f -y -o trace -e trace=getdents64 cps >out || [ $? = 2 ]; } &&
    test_grep "getdents64([0-9]*</proc>" trace &&
    { strace -f -y -o trace -e trace=openat cps >out || [ $? = 2 ]; } && test_grep "$DOCKER_DATA/containers" trace &&
    test_grep -v "$DOCKER_DIR/exec/.*, \"state.json\"" trace
'

test_expect DOCKER 'a container waiting for its next restart is shown restarting, without a pid' '
    dk run -d --name $looping --restart always "$IMAGE" false &&
    test_wait "[ \$(dk inspect --format {{.RestartCount}} $looping) -ge 5 ]" 30 &&
    test_wait "dk inspect --format {{.State.Status}} $looping | grep restarting" &&
    same_as_docker &&
    jq -r ".[] | select(.name == \"$looping\").status" actual >status &&
    echo restarting >expect && test_cmp expect status &&
    dk rm -f $looping
'

come_and_go()
{
    local i
    for i in 1 2 3; do
        dk run --rm "$IMAGE" true && dk create --name "$app-$i" "$IMAGE" && dk rm "$app-$i" || return 1
    done
}

test_expect DOCKER 'containers that come and go meanwhile are no diagnostics' '
    { come_and_go >out 2>&1 & } && churn=$! && : >said &&
    while kill -0 $churn 2>/dev/null; do
        cps_list json -a --json --docker-root "$DOCKER_DATA" || return 1
        jq -r ".diagnostics[].text | select(startswith(\"docker container\"))" json >>said || return 1
    done && wait $churn && test_empty said
'

test_expect DOCKER 'after kill -9 of dockerd every container is still listed as it was' '
    records_of_docker >expect &&
    web_pid=$(pid_of $web) app_pid=$(pid_of $app) app_id=$(dk inspect --format "{{.Id}}" $app) &&
    docker_kill &&
    ! dk ps &&
    records_of_cps expect --store "docker=$DOCKER_DATA" >actual &&
    test_cmp expect actual
'

test_expect DOCKER 'a container killed since then is exited, without a pid, though its record says running' '
    kill -KILL "$app_pid" &&
    test_wait "! [ -e /proc/$app_pid/ns/pid ]" &&
    jq .State.Running "$DOCKER_DATA/containers/$app_id/config.v2.json" >record && test_grep true record &&
    cps_field $app "{ status, pid }" --store "docker=$DOCKER_DATA" >actual &&
    test_json . "{\"status\":\"exited\",\"pid\":null}" actual
'

test_expect DOCKER 'processes of the living ones are still told' '
    cps --store "docker=$DOCKER_DATA" --no-headings -o PID $web >actual &&
    test_grep "^ *$web_pid$" actual
'

# The record's pid is a process of ours, as it is after a reboot or once pids have wrapped.
test_expect DOCKER 'a pid that another process got meanwhile is not taken for the container' '
    { sleep 1000 & } && impostor=$! &&
    test_cleanup "kill $impostor" &&
    record=$DOCKER_DATA/containers/$app_id/config.v2.json &&
    jq -c --argjson pid "$impostor" ".State.Pid = \$pid" "$record" >changed &&
    cat changed >"$record" &&
    find "$DOCKER_EXEC" -path "*$app_id*" -name init.pid -exec sh -c "printf %s $impostor >\"\$1\"" sh {} \; &&
    cps_field $app "{ status, pid }" --store "docker=$DOCKER_DATA" >actual &&
    test_json . "{\"status\":\"exited\",\"pid\":null}" actual
'

test_expect DOCKER 'a record that is cut short is a diagnostic, status 2, and the rest of the list comes' '
    head -c 100 "$record" >half && cat half >"$record" &&
    test_status 2 cps -a --json --no-trunc --store "docker=$DOCKER_DATA" >json 2>err &&
    test_json "[.containers[] | select(.name == \"$web\")] | length" 1 json &&
    test_json ".diagnostics | length > 0" true json &&
    test_grep "${app_id:0:12}" err
'

test_done
