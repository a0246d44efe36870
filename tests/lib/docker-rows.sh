# shellcheck shell=bash
# One row of the engine matrix for one docker: brought up, asked, compared with cps, killed, compared again, taken down.
# Sourced after engine-records.sh, matrix-files.sh and test_engine docker.
#
#   docker_row PREREQ VERSION VARIANT SETTING=VALUE...    VERSION: 20.10.24, or what the suite's docker says; SETTINGs
#                                                        are those of docker_set
#
# Its containers: $web runs, $done7 ended with 7 (started again it stays), $held is paused, $made was never started.

docker_row_names() { test_names web done7 held made; }

docker_version() { dk version --format '{{.Server.Version}}' | sed 's/[+~].*//'; }

# chroot_docker_version SUITE: of the package that is in there; sid moves
chroot_docker_version()
{
    dpkg-query --admindir "$CHROOT_CACHE/$1/var/lib/dpkg" -W -f '${Version}' docker.io 2>/dev/null | sed 's/[+~].*//'
}

docker_row_up()
{
    docker_up && mkdir -p "$SONDE_TEST_DIR/bound" &&
        dk run -d --name "$web" -v vol:/srv/vol -v /srv/anon -v "$SONDE_TEST_DIR/bound:/bound:ro" --tmpfs /t:size=64k \
            --tmpfs /u:ro --mount type=tmpfs,dst=/v ${DOCKER_RUNSC:+--runtime runsc --network none} \
            "$IMAGE" sh -c 'echo web >/mark; echo marked; sleep 1000000' >/dev/null &&
        { dk run --name "$done7" ${DOCKER_RUNSC:+--runtime runsc --network none} \
            "$IMAGE" sh -c 'echo done >/mark; ! mkdir /again && sleep 1000000; sleep 0.3; exit 7'; [ $? = 7 ]; } &&
        dk run -d --name "$held" "$IMAGE" >/dev/null && dk pause "$held" >/dev/null &&
        dk create --name "$made" -v later:/srv/later "$IMAGE" true >/dev/null &&
        test_wait 'dk logs $web | grep marked'
}

docker_row_id() { dk inspect --format '{{.Id}}' "$1"; }
docker_row_pid() { dk inspect --format '{{.State.Pid}}' "$1"; }

# docker_stores [ROOT]: the options that name its store, and its containerd's where that is not below it; as they are
# below ROOT
docker_stores()
{
    echo "--docker-root ${DOCKER_DATA#"${1-}"}"
    [ "${DOCKER_CONTAINERD-}" != own ] || echo "--store containerd=$DOCKER_DIR/croot" | sed "s,=${1-},=,"
}

# docker_cps FILTER NAME: of the container, by its store alone
# shellcheck disable=SC2046 # options without blanks
docker_cps() { cps_field "$2" "$1" $(docker_stores ""); }

# docker_same FILTER: both lists of records, cut by it, say the same of all containers
docker_same()
{
    jq "$1" row.expect >row.part && jq "$1" row.actual >actual.part && [ "$(jq length row.expect)" = 4 ] &&
        test_cmp row.part actual.part
}

# --- layers ------------------------------------------------------------------------------------

docker_layers_filter='{ kind, upper, work, lowers }'

# docker_layers_of_graph NAME: {kind, upper, work, lowers}, as the daemon says
docker_layers_of_graph()
{
    dk inspect "$1" | jq '.[0].GraphDriver | { kind: (if .Name == "overlay2" then "overlay" else .Name end),
        upper: .Data.UpperDir, work: .Data.WorkDir, lowers: (.Data.LowerDir / ":") }'
}

# docker_layers_of_mount NAME: the same, as the kernel has it mounted. Not for options longer than a page.
docker_layers_of_mount()
{
    awk '$5 == "/" { print $NF }' "/proc/$(docker_row_pid "$1")/mountinfo" | tr , '\n' | jq -R . | jq -s '
        map(capture("^(?<key>lowerdir|upperdir|workdir)=(?<value>.*)$")) | from_entries |
        { kind: "overlay", upper: .upperdir, work: .workdir, lowers: (.lowerdir / ":") }'
}

# vfs has no mount of its own: the root of the container's is a directory of the host's file system
docker_layers_of_tree()
{
    local root below
    root=$(awk '$5 == "/" { print $4 }' "/proc/$(docker_row_pid "$1")/mountinfo")
    below=$(findmnt -n -o FSROOT,TARGET --target "$SONDE_TEST_DIR" | awk '{ print $1 }')
    jq -n --arg upper "${root#"${below%/}"}" '{ kind: "directory", upper: $upper, work: null, lowers: [$upper + "-init"] }'
}

docker_layers_truth()
{
    case ${DOCKER_DRIVER:-overlay2} in
    containerd) docker_layers_of_mount "$1" ;;
    vfs)        docker_layers_of_tree "$1" ;;
    *)          docker_layers_of_graph "$1" ;;
    esac
}

# docker_layers_are_right NAME MARK: by its files, too. gVisor keeps them in a file of its own.
docker_layers_are_right()
{
    local upper first
    upper=$(jq -r .upper "$1") && first=$(jq -r '.lowers[0]' "$1") && [ -e "$first/.dockerenv" ] || return 1
    case $(jq -r .kind "$1") in
    directory) [ -e "$first/bin/busybox" ] ;;
    *)         [ ! -e "$first/bin/busybox" ] && [ -e "$(jq -r '.lowers[-1]' "$1")/bin/busybox" ] ;;
    esac && [ ! -e "$first/mark" ] &&
        { [ -n "${DOCKER_RUNSC-}" ] || [ "$(cat "$upper/mark")" = "$2" ]; }
}

docker_row_layers()
{
    docker_cps ".layers | $docker_layers_filter" "$web" >web.layers && docker_layers_truth "$web" >expect &&
        test_json_cmp expect web.layers && docker_layers_are_right web.layers web &&
        docker_cps ".layers | $docker_layers_filter" "$done7" >done7.layers && docker_layers_are_right done7.layers "done" &&
        docker_cps .layers.engine_layers "$web" >actual && echo 1 >expect && test_cmp expect actual || return 1
    # what was told of it when it was stopped is what it has once it runs
    [ -n "${DOCKER_RUNSC-}" ] || {
        dk start "$done7" >/dev/null && docker_layers_truth "$done7" >expect && dk kill "$done7" >/dev/null &&
            test_json_cmp expect done7.layers
    }
}

# --- mounts ------------------------------------------------------------------------------------

docker_row_mounts()
{
    local name
    for name in "$web" "$made"; do
        dk inspect "$name" | jq '.[0] | [(.Mounts[] | { type: .Type, name: (.Name // null),
            source: (if .Source == "" then null else .Source end), destination: .Destination, read_only: (.RW | not) }),
            (.HostConfig.Tmpfs // {} | to_entries[] | { type: "tmpfs", name: null, source: null, destination: .key,
              read_only: (.value / "," | any(. == "ro")) })] | sort_by(.destination)' >expect &&
            docker_cps '.mounts | sort_by(.destination)' "$name" >actual && test_json_cmp expect actual || return 1
    done
    [ "$(jq length expect)" = 1 ]
}

# --- many layers -------------------------------------------------------------------------------

# docker_many: in place of a row's containers; 100 layers of the image and the daemon's own
docker_many()
{
    docker_up && docker_load "$IMAGE_MANY" "$(image_many 100)" &&
        dk run -d --name "$web" "$IMAGE_MANY" >/dev/null &&
        docker_cps ".layers | $docker_layers_filter" "$web" >web.layers && docker_layers_of_graph "$web" >expect &&
        test_json_cmp expect web.layers && test_json '.lowers | length' 101 web.layers &&
        docker_cps .layers.engine_layers "$web" >actual && echo 1 >expect && test_cmp expect actual &&
        [ "$(cat "$(jq -r '.lowers[1]' web.layers)/l/100")" = 100 ]
}

# --- a row -------------------------------------------------------------------------------------

docker_row()
{
    local prereq=$1 version=$2 variant=$3 reason
    shift 3
    docker_set "$@"
    matrix_row "docker $version" "$variant"

    test_expect "$prereq" "$variant: setup: docker $version with containers in many states" '
        docker_row_up && [ "$(docker_version)" = "$version" ] &&
        records_of_docker >row.expect && records_of_cps row.expect --docker-root "$DOCKER_DATA" >row.actual
    '
    matrix_yes running "$prereq" "$variant: running and paused ones are listed with their pid" '
        docker_same "map(select(.pid) | { id, pid })" && [ "$(jq length row.part)" = 2 ]
    '
    matrix_yes stopped "$prereq" "$variant: ended and never started ones are listed" '
        docker_same "map(select(.pid == null) | { id, pid })" && [ "$(jq length row.part)" = 2 ]
    '
    matrix_yes name "$prereq" "$variant: names" 'docker_same "map({ id, name })"'
    matrix_yes image "$prereq" "$variant: images" 'docker_same "map({ id, image })"'
    matrix_yes status "$prereq" "$variant: states" 'docker_same "map({ id, status })"'
    matrix_yes exit "$prereq" "$variant: exit codes" 'docker_same "map({ id, exit_code })" && test_json "map(.exit_code) | add" 7 row.part'
    docker_row_entered
    matrix_yes layers "$prereq" "$variant: the directories of a running and of a stopped container" docker_row_layers
    test_expect "$prereq" "$variant: volumes, binds and tmpfs" docker_row_mounts
    docker_row_files
    docker_row_without_daemon
    docker_row_last
    docker_down
}

# For a file's own last test of a row, without a daemon.
docker_row_last() { :; }

docker_row_files()
{
    read -ra files_options <<<"$(docker_stores "" | tr '\n' ' ')"
    matrix_files "$prereq" "$variant" "docker:$web" "$(docker_row_pid "$web")" "docker:$done7" /mark=done
}

docker_row_entered()
{
    [ -z "${DOCKER_RUNSC-}" ] || return 0
    matrix_yes entered "$prereq" "$variant: cnsenter" '
        cnsenter --docker-root "$DOCKER_DATA" $web -- cat /mark >actual && echo web >expect && test_cmp expect actual
    '
}

docker_row_without_daemon()
{
    test_expect "$prereq" "$variant: after kill -9 of the daemon all is told as before" '
        docker_cps ".layers | $docker_layers_filter" "$web" >web.layers &&
        records_of_docker >expect && docker_kill && ! dk ps &&
        records_of_cps expect --docker-root "$DOCKER_DATA" >actual && test_cmp expect actual &&
        docker_cps ".layers | $docker_layers_filter" $web >actual && test_json_cmp web.layers actual
    '
    test_expect "$prereq" "$variant: on a disk without its host nothing runs, and the layers are the same" '
        status=0 && { cps --sysroot "$SONDE_TEST_DIR" $(docker_stores "$SONDE_TEST_DIR") -a --json --no-trunc >json || status=$?; } &&
        test_json "[.containers[] | select(.pid != null or .status == \"running\" or .status == \"paused\")] | length" 0 json &&
        jq --arg name $web --arg root "$SONDE_TEST_DIR" ".containers[] | select(.name == \$name).layers | $docker_layers_filter |
            .upper |= \$root + . | if .work then .work |= \$root + . else . end | .lowers |= map(\$root + .)" json >actual &&
        test_json_cmp web.layers actual
    '
}
