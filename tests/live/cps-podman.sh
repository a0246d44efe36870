#!/bin/bash
# cps against podman as root, with crun and with runc.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman.sh"
test_engine podman
test_names web webrunc done7 done0 made held hostnet netof withinit again

store="podman=$PODMAN_ROOT"

pid_of() { pm inspect --format '{{.State.Pid}}' "$1"; }

test_expect PODMAN 'setup: podman containers of both runtimes in many states' '
    podman_up &&
    matrix_row "podman $(pm version -f "{{.Client.Version}}")" "root, overlay" &&
    pm run -d --name $web --label tier=web --label "note=a b" -v vol:/data:ro -v "$TRASH:/trash" "$IMAGE" sh -c "sleep 1000000 & sleep 1000001" &&
    pm --runtime runc run -d --name $webrunc "$IMAGE" &&
    { pm run --name $done7 "$IMAGE" sh -c "echo new >/srv/new; exit 7"; [ $? = 7 ]; } &&
    { pm --runtime runc run --name $done0 "$IMAGE" true; [ $? = 0 ]; } &&
    pm create --name $made "$IMAGE" true &&
    pm --runtime runc run -d --name $held "$IMAGE" && pm pause $held &&
    pm run -d --name $hostnet --network host "$IMAGE" &&
    pm run -d --name $netof --network container:$web "$IMAGE" &&
    pm run -d --name $withinit --init "$IMAGE" &&
    pm run -d --name $again --restart always "$IMAGE"
'

test_expect PODMAN 'cps -a says of every container what podman says' '
    records_of_podman pm >expect &&
    [ "$(jq length expect)" = 10 ] &&
    records_of_cps expect --store "$store" >actual &&
    test_cmp expect actual
'

podman_columns PODMAN pm --store "$store"

matrix_yes layers PODMAN 'layers and mounts are those of podman inspect, running, stopped and created' '
    for name in $web $done7 $made; do
        files_of_podman pm $name >expect && files_of_cps $name --store "$store" >actual && test_cmp expect actual || return 1
    done &&
    [ "$(files_of_podman pm $web | jq ".mounts | length")" = 2 ]
'

matrix_yes entered PODMAN 'cnsenter enters it by its name' '
    cnsenter --store "$store" podman:$web cat /etc/motd >actual &&
    echo "welcome to the test image" >expect && test_cmp expect actual
'

podman_files PODMAN podman pm --store "$store"

test_expect PODMAN 'without -a the stopped ones are not listed' '
    cps_list json --json --no-trunc --store "$store" &&
    jq -r ".containers[] | select(.engine == \"podman\").name" json >names &&
    test_grep "^$web$" names && test_grep "^$held$" names &&
    test_grep -v "^$done7$" names && test_grep -v "^$made$" names
'

test_expect PODMAN 'a container is listed once, though its runtime has a record of it too' '
    id=$(pm inspect --format "{{.Id}}" $web) &&
    runc_id=$(pm inspect --format "{{.Id}}" $webrunc) &&
    cps_list json -a --json --no-trunc --store "$store" &&
    test_json "[.containers[] | select(.id == \"$id\").engine]" "[\"podman\"]" json &&
    test_json "[.containers[] | select(.id == \"$runc_id\").engine]" "[\"podman\"]" json
'

test_expect PODMAN 'labels and the time of creation' '
    cps_field $web .labels --store "$store" >actual &&
    pm inspect --format "{{json .Config.Labels}}" $web >expect &&
    test_json_cmp expect actual &&
    podman_time=$(date -d "$(pm inspect $web | jq -r ".[0].Created")" +%s) &&
    cps_time=$(date -d "$(cps_field $web .created --store "$store" | tr -d \")" +%s) &&
    [ "$podman_time" = "$cps_time" ]
'

test_expect PODMAN 'cps NAME pairs each process with its pid inside' '
    ns_pids $(same_pidns "$(pid_of $web)") >expect &&
    [ "$(wc -l <expect)" = 2 ] &&
    cps --store "$store" --no-headings -o PID,NSPID podman:$web | awk "{ print \$1, \$2 }" >actual &&
    test_cmp expect actual
'

test_expect PODMAN 'cps -p says whose process it is' '
    cps --store "$store" -p "$(pid_of $webrunc)" >actual &&
    test_grep "$webrunc" actual
'

# conmon notes it, and cleans up after it; both are killed first, as by a host that ran out of memory
test_expect PODMAN 'a container that died without anybody noticing is exited, without a pid' '
    pid=$(pid_of $again) &&
    conmon=$(pm inspect --format "{{.State.ConmonPid}}" $again) &&
    kill -KILL "$conmon" && kill -KILL "$pid" &&
    test_wait "! [ -e /proc/$pid/ns/pid ]" &&
    cps_field $again "{ status, pid }" --store "$store" >actual &&
    test_json . "{\"status\":\"exited\",\"pid\":null}" actual
'

test_expect PODMAN 'a pid file whose pid another process got meanwhile is not believed' '
    id=$(pm inspect --format "{{.Id}}" $again) &&
    { sleep 1000 & } && impostor=$! &&
    test_cleanup "kill $impostor" &&
    printf %s "$impostor" >"$PODMAN_RUN/overlay-containers/$id/userdata/pidfile" &&
    cps_field $again "{ status, pid }" --store "$store" >actual &&
    test_json . "{\"status\":\"exited\",\"pid\":null}" actual
'

test_done
