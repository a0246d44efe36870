# shellcheck shell=bash
# The tests of a podman whose database is SQLite, in a suite's chroot: podman_sqlite_tests PREREQ. SUITE is set.

podman_sqlite_tests()
{
    local need=PODMAN,$1
    store="podman=$PODMAN_ROOT"

    test_expect "$need" "setup: containers and a pod of $SUITE's podman" '
        podman_up && [ "$(pm info -f "{{.Host.DatabaseBackend}}")" = sqlite ] &&
        matrix_row "podman $(pm version -f "{{.Client.Version}}")" "root, overlay" &&
        pm run -d --name $web --label tier=web -v vol:/data:ro -v /usr:/hostusr:ro -v "$TRASH:/trash" "$IMAGE" \
            sh -c "sleep 1000000 & sleep 1000001" &&
        pm --runtime runc run -d --name $webrunc "$IMAGE" &&
        { pm run --name $done7 "$IMAGE" sh -c "echo new >/srv/new; exit 7"; [ $? = 7 ]; } &&
        pm create --name $made "$IMAGE" true &&
        pm --runtime runc run -d --name $held "$IMAGE" && pm pause $held &&
        pm run -d --rm --name $volatile "$IMAGE" &&
        pm pod create --name $pod && pm run -d --pod $pod --name $inpod "$IMAGE"
    '

    podman_columns "$need" pm --store "$store"

    matrix_yes layers "$need" 'layers and mounts are those of podman inspect, running, stopped and of --rm' '
        for name in $web $done7 $volatile $made; do
            files_of_podman pm $name >expect && files_of_cps $name --store "$store" >actual &&
            test_cmp expect actual || return 1
        done &&
        [ "$(files_of_podman pm $web | jq ".mounts | length")" = 3 ] &&
        [ -e "$PODMAN_ROOT/overlay-containers/volatile-containers.json" ]
    '

    matrix_yes entered "$need" 'cnsenter enters it by its name' '
        cnsenter --store "$store" podman:$web cat /etc/motd >actual &&
        echo "welcome to the test image" >expect && test_cmp expect actual
    '

    podman_files "$need" "$SUITE" pm --store "$store"

    test_expect "$need" 'a container in a pod has its name, and the infra container is listed as podman ps does' '
        cps_field $inpod "[.pod, .infra]" --store "$store" >actual && test_json . "[\"$pod\", false]" actual &&
        infra=$(pm pod inspect $pod | jq -r "(if type == \"array\" then .[0] else . end) | .Containers[] | select(.Name != \"$inpod\").Name") &&
        cps_field "$infra" "[.pod, .status, .infra]" --store "$store" >actual && test_json . "[\"$pod\", \"running\", true]" actual &&
        cps_list actual --store "$store" && test_grep "$infra" actual &&
        cnsenter --store "$store" pod/$pod cat /etc/motd >actual && test_grep "welcome" actual
    '

    test_expect "$need" 'addresses are those of podman inspect' '
        for name in $web "$infra"; do
            pm inspect $name | jq -c "[.[0].NetworkSettings.Networks[].IPAddress | select(. != \"\")]" >expect &&
            cps_field $name .addresses --store "$store" >actual && test_cmp expect actual || return 1
        done
    '

    test_expect "$need" 'labels, command, host name and log are those of podman inspect' '
        pm inspect $web | jq -S ".[0] | { labels: .Config.Labels, hostname: .Config.Hostname, log: .HostConfig.LogConfig.Path,
            command: ([.Path] + .Args | join(\" \")), image_id: .Image }" >expect &&
        cps_field $web "{ labels, hostname, log, command, image_id }" --store "$store" | jq -S . >actual &&
        test_cmp expect actual
    '

    test_expect "$need" 'a container that died without anybody noticing is exited, without a pid and a code' '
        pid=$(pm inspect --format "{{.State.Pid}}" $webrunc) &&
        kill -KILL "$(pm inspect --format "{{.State.ConmonPid}}" $webrunc)" && kill -KILL "$pid" &&
        test_wait "! [ -e /proc/$pid/ns/pid ]" &&
        sqlite3 "file:$PODMAN_ROOT/db.sql?immutable=1" "SELECT JSON FROM ContainerState" >states &&
        test_grep "\"pid\":$pid," states &&
        cps_field $webrunc "{ status, pid, exit_code }" --store "$store" >actual &&
        test_json . "{\"status\":\"exited\",\"pid\":null,\"exit_code\":null}" actual
    '

    test_expect "$need" 'the stores are found without --store while something runs in them' '
        cps_field $web .id >actual && test_json . "$(pm inspect --format "{{.Id}}" $web)" actual &&
        cps_field $done7 .exit_code >actual && test_json . 7 actual &&
        cps -p "$(pm inspect --format "{{.State.Pid}}" $web)" >actual && test_grep "$web" actual
    '

    test_expect "$need" 'no file is made or changed beside the database' '
        ls -la --time-style=full-iso "$PODMAN_ROOT" >before &&
        cps_list output -a --store "$store" && cps --store "$store" podman:$web >output &&
        ls -la --time-style=full-iso "$PODMAN_ROOT" >after && test_cmp before after
    '

    test_expect "$need" 'a database that is cut is one diagnostic; the lists of the storage still tell who there is, and no more' '
        cp -a "$PODMAN_ROOT/db.sql" "$TRASH/db.sql" && truncate -s 8192 "$PODMAN_ROOT/db.sql" &&
        { cps -a --json --no-trunc --store "$store" >json 2>err; [ $? = 2 ]; } &&
        cp -a "$TRASH/db.sql" "$PODMAN_ROOT/db.sql" &&
        [ "$(grep -c db.sql err)" = 1 ] && test_grep "the database is cut: 8192 bytes of" err &&
        jq -r ".containers[] | select(.engine == \"podman\") | [.name, .status // \"unknown\"] | @tsv" json >names &&
        test_grep "^$web	unknown$" names && test_grep "^$made	created$" names
    '
}
