# shellcheck shell=bash
# The same tests for LXD and incus: cps_lxd_tests PREREQ VERSION. tests/lib/matrix.sh and an engine script are sourced.

# records_of_lxd: what the engine's list says of the containers of all projects; one word for what does not run
records_of_lxd()
{
    ld list --all-projects --format json | jq '
        map({ id: ((if .project == "default" then "" else .project + "_" end) + .name), name,
              image: .config["image.description"], pid: .state.pid, exit_code: null,
              status: ({ Running: "running", Frozen: "paused", Stopped: "exited" }[.status]) }) |'"$records_filter"
}

lxd_row()
{
    local name=$3
    matrix_row "$2" "$4"
    matrix_yes running "$1" "$4: listed running" '
        cps_field "$(lxd_name '"$name"')" .status --store "$store" >actual && test_json . running actual'
    matrix_yes stopped "$1" "$4: listed stopped" '
        cps_field "$(lxd_name done)" .status --store "$store" >actual && test_json . exited actual'
    matrix_yes name "$1" "$4: called as the engine does" '
        ld list --format csv -c n | grep -x "$(lxd_name '"$name"')" &&
        cps_field "$(lxd_name '"$name"')" .name --store "$store" >actual && test_grep "$(lxd_name '"$name"')" actual'
    matrix_yes image "$1" "$4: the image is the description that the engine has" '
        cps_field "$(lxd_name '"$name"')" "[.image, .image_id]" --store "$store" >actual &&
        ld list --format json "$(lxd_name '"$name"')" | jq ".[0].config | [.[\"image.description\"], .[\"volatile.base_image\"]]" >expect &&
        test_json_cmp expect actual'
    matrix_yes status "$1" "$4: its status and init are those that the engine tells" '
        cps_field "$(lxd_name '"$name"')" "[.status, .pid]" --store "$store" >actual &&
        test_json . "[\"running\", $(lxd_pid '"$name"')]" actual'
    matrix_unknown exit 'no file of the engine holds it' "$1" "$4: the exit code is unknown" '
        cps_field "$(lxd_name done)" .exit_code --store "$store" >actual && test_json . null actual'
    matrix_yes layers "$1" "$4: its layer is the directory that the container sees" '
        ld exec "$(lxd_name '"$name"')" -- sh -c "echo changed >/etc/app.conf" &&
        cps_field "$(lxd_name '"$name"')" "[.layers.kind, .layers.upper]" --store "$store" >actual &&
        test_json ".[0]" directory actual && test_cmp "$(jq -r ".[1]" actual)/etc/app.conf" <(echo changed)'
    matrix_yes entered "$1" "$4: cnsenter enters it, also where its ids are mapped" '
        cnsenter --store "$store" "$LXD_ENGINE:$(lxd_name '"$name"')" -- sh -c "cat /etc/app.conf; id -u; touch /made" >actual &&
        printf "%s\n" changed 0 | test_cmp - actual &&
        [ "$(stat -c %u "/proc/$(lxd_pid '"$name"')/root/made")" = "$(ld exec "$(lxd_name '"$name"')" -- stat -c %u /made | {
            read -r inside; awk -v u="$inside" "\$1 <= u && u < \$1 + \$3 { print \$2 + u - \$1 }" "/proc/$(lxd_pid '"$name"')/uid_map"; })" ]'
    files_options=(--store "$store")
    files_plain
    matrix_files "$1" "$4" "$LXD_ENGINE:$(lxd_name "$name")" "$(lxd_pid "$name")" "$LXD_ENGINE:$(lxd_name "done")" '/etc/motd=welcome to the test image'
}

cps_lxd_tests()
{
    store=$LXD_ENGINE=$LXD_ROOT

    test_expect "$1" 'setup: containers unprivileged and privileged, frozen, stopped, never started, of a second project' '
        lxd_up && mkdir "$LXD_HOME/data" &&
        lxd_make web -c user.tier=front && ld config device add "$(lxd_name web)" data disk source="$LXD_HOME/data" path=/mnt readonly=true &&
        ld start -q "$(lxd_name web)" &&
        lxd_launch priv -c security.privileged=true && lxd_launch held && ld pause "$(lxd_name held)" &&
        lxd_make made && lxd_launch done && ld stop -f "$(lxd_name done)" &&
        ld project create p2 -c features.images=false -c features.profiles=false &&
        ld --project p2 init -q test "$(lxd_name web)" && lxd_snapshot made
    '

    test_expect "$1" 'cps -a says of every container what the engine says' '
        records_of_lxd >expect && test_json length 6 expect &&
        records_of_cps expect --store "$store" >actual && test_cmp expect actual
    '

    test_expect "$1" 'project, labels and mounts are told, when it was made and started' '
        cps_field "$(lxd_name web)" "select(.status == \"running\") | [.project, .labels[\"user.tier\"], .created]" --store "$store" >actual &&
        created=$(ld list --format json "$(lxd_name web)" | jq -r ".[0].created_at") &&
        test_json ".[0:2]" "[\"default\", \"front\"]" actual &&
        test_json ".[2][0:23]" "${created:0:23}" actual &&
        cps_field "$(lxd_name web)" "select(.status == \"running\") | .mounts" --store "$store" >actual &&
        test_json "map([.type, .source, .destination, .read_only])" "[[\"bind\",\"$LXD_HOME/data\",\"/mnt\",true]]" actual
    '

    test_expect "$1" 'two projects may have a container of one name: its id tells which' '
        test_status 1 cps --store "$store" "$(lxd_name web)" 2>err && test_grep ambiguous err &&
        cps_field "$(lxd_name web)" "[.id, .project]" --store "$store" | sort >actual &&
        test_grep "\[\"p2_$(lxd_name web)\",\"p2\"\]" actual
    '

    test_expect "$1" 'a process of it is found by its pid, its name without a walk' '
        cps --store "$store" -p "$(lxd_pid priv)" >actual && test_grep "$(lxd_name priv)" actual &&
        cps --store "$store" --no-headings -o PID "$(lxd_name priv)" >pids && test_grep "^ *$(lxd_pid priv)$" pids
    '

    ld --project p2 delete "$(lxd_name web)" >/dev/null 2>&1
    lxd_row "$1" "$2" web "dir, unprivileged"
    lxd_row "$1" "$2" priv "dir, privileged"

    test_expect "$1" 'without its daemon the list is the same' '
        records_of_lxd >expect && daemon_stop "$LXD_HOME/pid" &&
        records_of_cps expect --store "$store" >actual && test_cmp expect actual
    '
}
