#!/bin/bash
# One name in several stores, of which only what runs in it tells one: by name, by process, also after one has stopped.
. "$(dirname "$0")/../lib/harness.sh"
test_engine docker
test_engine podman
test_names dup alone

DOCKER_STORE="--store docker=$DOCKER_DATA"
OTHER=$SONDE_TEST_DIR/other

# pm on a second graph root
pm_other() { (PODMAN_ROOT=$OTHER/root PODMAN_RUN=$OTHER/run PODMAN_TMP=$OTHER/tmp; pm "$@"); }
other_down()
{
    [ ! -d "$OTHER" ] || { pm_other rm -f -t 0 -a; kill_helpers "$OTHER"; engine_remove "$OTHER"; }
}

# ambiguous REFERENCE ENGINE...: status 1, and exactly these are the candidates
ambiguous()
{
    local reference=$1
    shift
    # shellcheck disable=SC2086 # words
    test_status 1 cps $DOCKER_STORE "$reference" >out 2>err && test_empty out &&
        test_grep "'$reference' is ambiguous: $# containers match" err &&
        printf '%s\n' "$@" | sort >expect && sed -n 's/^  \([a-z]*\):.*/\1/p' err | sort >actual && test_cmp expect actual
}

# finds PID REFERENCE: the container whose init that is
finds()
{
    # shellcheck disable=SC2086
    cps $DOCKER_STORE --json "$2" | jq -r '.processes[0].pid' >actual && echo "$1" >expect && test_cmp expect actual
}

test_expect DOCKER,PODMAN 'setup: docker and a podman that nobody names run a container of the same name' '
    test_cleanup other_down && docker_up && podman_up &&
    dk run -d --network none --name $dup "$IMAGE" && pm run -d --name $dup "$IMAGE" </dev/null &&
    pm run -d --name $alone "$IMAGE" </dev/null
'

test_expect DOCKER,PODMAN 'the name is ambiguous, for cnsenter and cdebug too' '
    ambiguous $dup docker podman &&
    test_status 125 cnsenter $DOCKER_STORE $dup hostname >out 2>err && test_empty out && test_grep "is ambiguous: 2 containers" err &&
    test_status 125 cdebug $DOCKER_STORE $dup -- true >out 2>err && test_grep "is ambiguous: 2 containers" err
'

test_expect DOCKER,PODMAN 'ENGINE:NAME, a name of one of them only, an id and its beginning are found' '
    finds "$(dk inspect --format "{{.State.Pid}}" $dup)" docker:$dup &&
    finds "$(pm inspect --format "{{.State.Pid}}" $dup)" podman:$dup &&
    pid=$(pm inspect --format "{{.State.Pid}}" $alone) && id=$(pm inspect --format "{{.Id}}" $alone) &&
    for ref in $alone "$id" "$(echo "$id" | cut -c 1-12)"; do finds "$pid" "$ref" || return 1; done
'

test_expect DOCKER,PODMAN 'a process is in the container of the engine, not of the runtime below it' '
    echo podman >expect && cps -p "$pid" --json | jq -r ".containers[].engine" >actual && test_cmp expect actual &&
    finds "$pid" "pid:$pid"
'

test_expect DOCKER,PODMAN 'of two stores of one engine both are looked at' '
    mkdir -p "$OTHER" && { pm_other image exists "$IMAGE" || pm_other load -q <"$(image_dir)/image.tar"; } &&
    pm_other run -d --name $dup "$IMAGE" </dev/null &&
    ambiguous podman:$dup podman podman && ambiguous $dup docker podman podman &&
    test_grep "hint: name the engine too" err &&
    pm_other rm -f -t 0 $dup
'

test_expect DOCKER,PODMAN 'one that has stopped still has its name' '
    dk stop -t 0 $dup && ambiguous $dup docker podman
'

test_done
