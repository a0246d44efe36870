# shellcheck shell=bash
# The same tests for the CRI plugin of every containerd: cri_tests PREREQ [POD-OPTION...], with tests/engines/cri.sh.

# What the CRI API says of containers and pods; pids are ctr's.
records_of_cri()
{
    local id
    ct tasks ls | awk 'NR > 1 { print $1, $2 }' | jq -cR 'split(" ") | { id: .[0], pid: (.[1] | tonumber) }' | jq -s . >tasks.json
    crc ps >ps.json && crc pods >pods.json || return 1
    for id in $(jq -r '.[].id' ps.json); do
        crc status "$id" || return 1
    done | jq -s . >statuses.json
    jq -n --slurpfile tasks tasks.json --slurpfile ps ps.json --slurpfile pods pods.json --slurpfile st statuses.json '
        def pid: .id as $id | ($tasks[0] | map(select(.id == $id).pid)[0]) // 0;
        [($ps[0][] | .id as $id | { id, name, image, status, pid: pid, exit_code: ($st[0][] | select(.id == $id).exit_code) }),
         ($pods[0][] | { id, name, image: $image, status: (if .ready then "running" else "exited" end), pid: pid, exit_code: null })]' \
        --arg image "$CONTAINERD_IMAGE" | jq "$records_filter"
}

cri_tests()
{
    local prereq=$1 store="containerd=$CONTAINERD_ROOT"
    shift
    pod_options=$*

    test_expect "$prereq" 'setup: a pod with containers running, exited and created, and one that was stopped' '
        cri_up &&
        pod=$(cri_pod $shop $pod_options) && old=$(cri_pod $gone $pod_options) &&
        app=$(cri_run $pod $shop $web 3 sh -c "echo out-line; echo x >/made-here; sleep 1000000 & exec sleep 1000001") &&
        ended=$(cri_run $pod $shop $done7 0 sh -c "echo ended >/mark; exit 7") &&
        stopped=$(cri_run $old $gone $web 0 sleep 1000000) && crc stop $stopped && crc stopp $old &&
        ready=$(crc create $pod $shop $made $CONTAINERD_IMAGE 1 sleep 1) &&
        test_wait "crc status $ended | jq -e \".status == \\\"exited\\\"\""
    '

    matrix_yes status "$prereq" 'cps -a says of every container and pod what the runtime interface says' '
        records_of_cri >expect && [ "$(jq length expect)" = 6 ] && jq "map(.id)" expect >expect.all &&
        records_of_cps expect --store "$store" >actual && test_cmp expect actual
    '
    matrix_yes exit "$prereq" 'exit code and times are those of the status' '
        cps_list cps.json -a --json --no-trunc --store "$store" &&
        for id in $ended $stopped; do
            crc status $id >truth && jq --arg id $id ".containers[] | select(.id == \$id)" cps.json >one &&
            test_json .exit_code "$(jq .exit_code truth)" one &&
            for time in created started finished; do
                [ "$(date -d "$(jq -r .$time one)" +%s%N)" = "$(jq -r .$time truth)" ] || { cat one truth; return 1; }
            done || return 1
        done && [ "$(jq .exit_code one)" = 137 ]
    '
    matrix_yes name "$prereq" 'name, pod, namespace, attempt, log and labels are those of the runtime interface' '
        jq --arg id $app ".containers[] | select(.id == \$id)" cps.json >one && crc status $app >truth &&
        test_json "[.name, .pod, .pod_namespace, .restarts, .infra]" "[\"$web\",\"$shop\",\"shop\",3,false]" one &&
        test_json .log "\"$(containerd_prefix)$(jq -r .log truth)\"" one && grep -q out-line "$(containerd_prefix)$(jq -r .log truth)" &&
        jq -n --slurpfile t truth --slurpfile o one "(\$t[0].labels | to_entries) - (\$o[0].labels | to_entries)" >rest &&
        test_json . "[]" rest
    '
    matrix_yes image "$prereq" 'image and its id are those of the runtime interface' '
        crc ps | jq -c "map([.id, .image, .image_ref]) | sort" >expect &&
        jq -c --slurpfile ids <(jq "map(.[0])" expect) "[.containers[] | select(.id as \$i | \$ids[0] | index(\$i)) |
            [.id, .image, \"sha256:\" + .image_id]] | sort" cps.json >actual && test_cmp expect actual
    '
    matrix_yes running "$prereq" 'without -a the running container is listed, and neither sandboxes nor what is not running' '
        cps_list now.json --json --no-trunc --store "$store" &&
        jq -c --slurpfile all expect.all "[.containers[].id | select(. as \$i | \$all[0] | index(\$i))]" now.json >actual &&
        test_json . "[\"$app\"]" actual
    '
    matrix_yes stopped "$prereq" 'a pod that was stopped is there with -a, with its sandbox exited' '
        jq -c --arg id $old ".containers[] | select(.id == \$id) | [.status, .infra, .pod, .pod_namespace, .restarts]" cps.json >actual &&
        test_json . "[\"exited\",true,\"$gone\",\"shop\",2]" actual
    '
    matrix_yes layers "$prereq" 'the layers of each container are those that containerd mounts' '
        for id in $app $ended $ready $stopped; do
            layers_of_containerd $id >expect &&
            jq -c --arg id $id ".containers[] | select(.id == \$id).layers | { upper, lowers }" cps.json >actual &&
            [ "$(jq ".lowers | length" expect)" = 4 ] && test_cmp expect actual || return 1
        done &&
        [ "$(cat "$(jq -r --arg id $app ".containers[] | select(.id == \$id).layers.upper" cps.json)/made-here")" = x ]
    '
    matrix_yes entered "$prereq" 'cnsenter enters a running one, by its id' '
        cnsenter --store "$store" $app -- cat /etc/motd >actual && test_grep "welcome to the test image" actual
    '
    files_options=(--store "$store")
    matrix_files "$prereq" CRI "${app-}" "$(jq --arg id "${app-}" '.containers[] | select(.id == $id).pid' cps.json 2>/dev/null)" "${ended-}" /mark=ended

    test_expect "$prereq" 'the store need not be named; after kill -9 of the daemon neither' '
        records_of_cri >expect && records_of_cps expect >actual && test_cmp expect actual &&
        containerd_kill && records_of_cps expect >actual && test_cmp expect actual
    '
    test_expect "$prereq" 'a container that died without the daemon is exited, without a code' '
        kill -KILL "$(jq --arg id $app ".containers[] | select(.id == \$id).pid" cps.json)" &&
        test_wait "cps -a --json --no-trunc --store \"$store\" |
            jq -e --arg id $app \".containers[] | select(.id == \\\$id) | [.status, .pid, .exit_code] == [\\\"exited\\\", null, null]\""
    '
}
