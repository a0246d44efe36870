#!/bin/bash
# cps against docker with gVisor's runsc as the runtime: a container's processes are on no host.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/docker-rows.sh"
test_engine docker
docker_row_names

# The row's own test of this column: there is nothing on the host to enter.
docker_row_entered()
{
    matrix_unknown entered "its processes are in the sandbox's kernel: none is on the host" "$prereq" \
        "$variant: cnsenter says that its processes are not on this host" '
        test_status 125 cnsenter --docker-root "$DOCKER_DATA" $web -- cat /mark >out 2>err &&
        test_empty out && test_grep "not on this host" err
    '
    test_expect "$prereq" "$variant: it is said whose kernel it runs on, and its helpers are no containers" '
        docker_cps .guest $web >actual && echo "\"gVisor\"" >expect && test_cmp expect actual &&
        docker_cps .guest $held >actual && echo null >expect && test_cmp expect actual &&
        cps_list json --docker-root "$DOCKER_DATA" --json --no-trunc &&
        for pid in $(runsc_helpers); do
            test_json "[.containers[] | select(.pid == $pid and .engine == \"bare\")] | length" 0 json || return 1
        done && [ -n "$(runsc_helpers)" ]
    '
}

runsc_helpers()
{
    local id
    id=$(docker_row_id "$web")
    for proc in /proc/[0-9]*; do
        case $({ tr '\0' ' ' <"$proc/cmdline"; } 2>/dev/null) in
        runsc-*"$id"*) echo "${proc#/proc/}" ;;
        esac
    done
}

# What it writes while it runs is gone with its sandbox: what is in the stopped one's layer docker has put there.
docker_row_files()
{
    test_expect "$prereq" "$variant: setup: docker cp into a stopped one" 'echo put >put && dk cp put "$done7:/put"'
    files_options=(--docker-root "$DOCKER_DATA")
    files_nowhere running 'what it changes is in a file of its own kernel, in that kernel'"'"'s form'
    matrix_files "$prereq" "$variant" "docker:$web" "$(docker_row_pid "$web")" "docker:$done7" /put=put
}

# Nobody is left to note the end: the daemon was killed before.
docker_row_last()
{
    test_expect "$prereq" "$variant: a sandbox that was killed is a container that ended" '
        pid=$(docker_cps .pid $web) && kill -KILL "$pid" && test_wait "! [ -e /proc/$pid/exe ]" &&
        docker_cps "{ status, pid }" $web >actual && test_json . "{\"status\":\"exited\",\"pid\":null}" actual
    '
}

docker_row DOCKER,TRIXIE 20.10.24 'overlay2, runsc' DOCKER_RUNSC=yes

test_done
