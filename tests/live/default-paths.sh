#!/bin/bash
# Engines at their default places, which cps must find without a word. Only with CI set, and only
# where the host has no engine of its own there: what is made is removed again.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
test_engine docker
test_engine podman
test_names web done7

test_fact FREE_DOCKER '[ -n "${CI-}" ] && docker_default_paths_are_free'
test_fact FREE_PODMAN '[ -n "${CI-}" ] && podman_default_paths_are_free'

# asked now, before the engines make these paths
test_have FREE_DOCKER
test_have FREE_PODMAN

test_expect DOCKER,FREE_DOCKER 'cps without options lists the containers of a dockerd at the default place' '
    docker_use_default_paths && docker_up &&
    dk run -d --name $web "$IMAGE" &&
    { dk run --name $done7 "$IMAGE" sh -c "exit 7"; [ $? = 7 ]; } &&
    records_of_docker >docker.expect &&
    records_of_cps docker.expect >actual &&
    test_cmp docker.expect actual
'

test_expect DOCKER,FREE_DOCKER 'after kill -9 of that dockerd they are still listed without options' '
    docker_kill &&
    records_of_cps docker.expect >actual &&
    test_cmp docker.expect actual
'

test_expect PODMAN,FREE_PODMAN 'cps without options lists the containers of podman at the default place' '
    podman_use_default_paths && podman_up &&
    pm run -d --name $web "$IMAGE" &&
    { pm run --name $done7 "$IMAGE" sh -c "exit 7"; [ $? = 7 ]; } &&
    records_of_podman pm >expect &&
    records_of_cps expect >actual &&
    test_cmp expect actual
'

test_expect DOCKER,PODMAN,FREE_DOCKER,FREE_PODMAN 'a name that two engines have is ambiguous: the candidates are named, ENGINE:NAME decides' '
    test_status 1 cps $web >out 2>err &&
    test_empty out && test_grep "docker:$web" err && test_grep "podman:$web" err &&
    cps --no-headings -o PID podman:$web >actual &&
    test_grep "$(pm inspect --format "{{.State.Pid}}" $web)" actual
'

test_done
