# shellcheck shell=bash
# The same tests for every containerd: containerd_tests PREREQ [STORE-OPTIONS], with tests/engines/containerd.sh.

# What ctr says of the namespace $CONTAINERD_NS. A container without a task is created; a stopped task's pid is a dead one's.
records_of_containerd()
{
    local id
    ct tasks ls | awk 'NR > 1 { print $1, $2, $3 }' | jq -cR 'split(" ") | { id: .[0], pid: (.[1] | tonumber), state: .[2] }' |
        jq -s . >tasks.json
    for id in $(ct containers ls -q); do
        ct containers info "$id" || return 1
    done | jq --slurpfile tasks tasks.json '
        . as $c | ($tasks[0][] | select(.id == $c.ID)) // { state: "NONE", pid: 0 } |
        { id: $c.ID, name: ($c.Labels."nerdctl/name" // $c.ID), image: $c.Image, exit_code: null,
          pid: (if .state == "STOPPED" then 0 else .pid end),
          status: { NONE: "created", CREATED: "created", RUNNING: "running", PAUSED: "paused", STOPPED: "exited" }[.state] }' |
        jq -s "$records_filter"
}

# The directories that containerd mounts, as cps has them: {upper, lowers}
layers_of_containerd()
{
    ct snapshots mounts /x "$1" | tr ' ,' '\n\n' | awk -F= '
        $1 == "upperdir" { print $2 } $1 == "lowerdir" { n = split($2, l, ":"); for (i = 1; i <= n; i++) lower[i] = l[i] }
        END { for (i = 1; i <= n; i++) print lower[i] }' | jq -R . | jq -cs '{ upper: .[0], lowers: .[1:] }'
}

containerd_tests()
{
    local store="containerd=$CONTAINERD_ROOT"

    test_expect "$1" 'setup: containers running, paused, stopped, without a task' '
        containerd_up &&
        ct run -d --label tier=web --label nerdctl/name=$web-pretty --label nerdctl/hostname=web-h --mount type=bind,src=$TRASH,dst=/mnt,options=rbind:ro \
            $CONTAINERD_IMAGE $web sh -c "sleep 1000000 & exec sleep 1000001" &&
        ct run -d $CONTAINERD_IMAGE $done7 sh -c "echo x >/made-here; exit 7" &&
        ct run -d $CONTAINERD_IMAGE $held sleep 1000000 && ct tasks pause $held &&
        ct run -d $CONTAINERD_IMAGE $mortal sleep 1000000 &&
        ct containers create $CONTAINERD_IMAGE $made sleep 1 &&
        test_wait "ct tasks ls | grep -q \"^$done7 .*STOPPED\""
    '

    matrix_yes status "$1" 'cps -a says of every container what ctr says' '
        records_of_containerd >expect &&
        [ "$(jq -c "map(.status) | sort" expect)" = "[\"created\",\"exited\",\"paused\",\"running\",\"running\"]" ] &&
        records_of_cps expect --store "$store" >actual &&
        test_cmp expect actual
    '
    matrix_yes name "$1" 'nerdctl'\''s name is the name, and each is found by it, by its id, by the engine and the name' '
        for ref in $web-pretty $web containerd:$web-pretty; do
            cps --store "$store" --no-headings -o PID "$ref" >pids || return 1
            test_grep "$(ct tasks ls | awk -v id=$web "\$1 == id { print \$2 }")" pids || return 1
        done && test_status 1 cps --store "$store" $web-prett
    '
    matrix_yes image "$1" 'image, digest, labels, command, hostname and creation are those of ctr' '
        cps_list cps.json -a --json --no-trunc --store "$store" &&
        ct containers info $web >info &&
        jq --arg id $web ".containers[] | select(.id == \$id)" cps.json >one &&
        test_json .image "$(jq .Image info)" one && test_json .labels "$(jq .Labels info)" one &&
        test_json .command "\"sh -c sleep 1000000 & exec sleep 1000001\"" one && test_json .hostname "\"web-h\"" one &&
        test_json "\"sha256:\" + .image_id" "$(ct images ls | awk -v i=$CONTAINERD_IMAGE "\$1 == i { print \$3 }")" one &&
        [ "$(date -d "$(jq -r .created one)" +%s%N)" = "$(date -d "$(jq -r .CreatedAt info)" +%s%N)" ] &&
        test_json "[.mounts[] | select(.destination == \"/mnt\") | [.type, .source, .read_only]]" \
            "[[\"bind\", \"$TRASH\", true]]" one
    '
    matrix_yes running "$1" 'without -a the running and the paused one are listed, and no other' '
        cps_list cps.json --json --no-trunc --store "$store" &&
        jq --arg a $web --arg b $held --arg c $done7 --arg d $made "[.containers[].id | select(. == (\$a, \$b, \$c, \$d))] | sort" cps.json >ids &&
        test_json . "$(jq -cn --arg a $web --arg b $held "[\$a, \$b] | sort")" ids
    '
    matrix_yes stopped "$1" 'a container whose task has ended is exited' '
        cps_field $done7 "{ status, pid, exit_code }" --store "$store" >actual &&
        test_json . "{\"status\":\"exited\",\"pid\":null,\"exit_code\":null}" actual
    '
    matrix_unknown exit 'the exit code of a task is in the memory of its shim only' "$1" \
        'the exit code of a stopped task is not known' '
        ct tasks ls >tasks && test_grep "^$done7 .*STOPPED" tasks &&
        cps_field $done7 .exit_code --store "$store" >actual && test_json . null actual
    '
    matrix_yes layers "$1" 'the layers of each container are those that containerd mounts' '
        cps_list cps.json -a --json --no-trunc --store "$store" &&
        for id in $web $done7 $held $made; do
            layers_of_containerd $id >expect &&
            jq -c --arg id $id ".containers[] | select(.id == \$id).layers | { upper, lowers }" cps.json >actual &&
            [ "$(jq ".lowers | length" expect)" = 4 ] && test_cmp expect actual || return 1
        done &&
        [ "$(cat "$(jq -r --arg id $done7 ".containers[] | select(.id == \$id).layers.upper" cps.json)/made-here")" = x ]
    '
    matrix_yes entered "$1" 'cnsenter enters a running one' '
        cnsenter --store "$store" $web -- cat /etc/motd >actual && test_grep "welcome to the test image" actual
    '

    files_options=(--store "$store")
    matrix_files "$1" ctr "$web" "$(ct tasks ls 2>/dev/null | awk -v id="$web" '$1 == id { print $2 }')" "$done7" /made-here=x

    test_expect "$1" 'the store need not be named while the daemon runs' '
        records_of_containerd >expect && records_of_cps expect >actual && test_cmp expect actual
    '
    test_expect "$1" 'after kill -9 of the daemon the shims lead to all of them' '
        containerd_kill && records_of_cps expect >actual && test_cmp expect actual
    '
    test_expect "$1" 'a container that died since is exited' '
        pid=$(cps_field $mortal .pid) && kill -KILL "$pid" && test_wait "! [ -e /proc/$pid/ns/pid ]" &&
        cps_field $mortal "{ status, pid }" >actual && test_json . "{\"status\":\"exited\",\"pid\":null}" actual
    '
    test_expect "$1" 'a record whose pid another process got meanwhile is a stopped container' '
        { sleep 1000 & } && impostor=$! && test_cleanup "kill $impostor" &&
        state=$(containerd_prefix)/run/containerd/runc/$CONTAINERD_NS/$mortal/state.json &&
        jq -c --argjson pid "$impostor" ".init_process_pid = \$pid" "$state" >changed && cat changed >"$state" &&
        cps_field $mortal "{ status, pid }" >actual && test_json . "{\"status\":\"exited\",\"pid\":null}" actual
    '
    test_expect "$1" 'the daemon is back: it finds its containers, and cps as well' '
        containerd_run_daemon && records_of_containerd >expect && records_of_cps expect >actual && test_cmp expect actual
    '
}
