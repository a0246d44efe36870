#!/bin/bash
# cdebug --pod: the namespaces that the containers of a pod share; podman's pods and Kubernetes'.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine podman
test_names shop solo wide loose first second

infra_of() { pm pod inspect "$1" | jq -r '(if type == "array" then .[0] else . end) | .InfraContainerID'; }
pid_of() { pm inspect -f '{{.State.Pid}}' "$1"; }
pod() { cdebug --store "podman=$PODMAN_ROOT" "$@"; }

# joins PID TYPES OPTION...: a session with these options is in these namespaces of the process, and in no other of them
joins()
{
    local from=$1 types=$2 type
    shift 2
    # shellcheck disable=SC2016 # for the session
    pod -q "$@" -- sh -c 'for t in pid net ipc uts; do echo "$t $(readlink /proc/self/ns/$t)"; done' >actual || return 1
    for type in pid net ipc uts; do
        case " $types " in
        *" $type "*) echo "$type $(readlink "/proc/$from/ns/$type")" ;;
        *)           echo "$type $(readlink "/proc/self/ns/$type")" ;;
        esac
    done >expect
    test_cmp expect actual
}

test_expect PODMAN 'setup: a pod of two containers, one of the holder alone, one that shares its processes, one that shares nothing' '
    podman_up && pm pod create --name $shop && pm run -d --pod $shop --name $first "$IMAGE" sleep 1000000 &&
    pm run -d --pod $shop --name $second "$IMAGE" sleep 1000001 && pm pod create --name $solo && pm pod start $solo &&
    pm pod create --name $wide --share pid,net && pm run -d --pod $wide --name $first-w "$IMAGE" sleep 1000002 &&
    pm pod create --infra=false --name $loose && pm run -d --pod $loose --name $first-l "$IMAGE" sleep 1000003
'

test_expect PODMAN 'it joins what the containers share: net, ipc and uts, not the processes of the one that holds them' '
    [ "$(readlink "/proc/$(pid_of $first)/ns/net")" = "$(readlink "/proc/$(pid_of $second)/ns/net")" ] &&
    joins "$(pid_of $first)" "net ipc uts" --pod $shop && joins "$(pid_of $second)" "net ipc uts" --pod $shop &&
    joins "$(pid_of $first)" "net" --ns net,pid --pod $shop
'

test_expect PODMAN 'where they share processes these are joined, and what they do not share is not' '
    joins "$(pid_of $first-w)" "pid net" --pod $wide && pod -q --pod $wide -- sh -c "cat /proc/[0-9]*/cmdline" | tr "\0" " " >actual && test_grep "sleep 1000002" actual
'

test_expect PODMAN 'a pod without another container that runs: what pods usually share' '
    joins "$(pid_of "$(infra_of $solo)")" "net ipc uts" --pod $solo
'

test_expect PODMAN 'the containers of the pod are left as they were' '
    for c in $first $second; do p=$(pid_of $c); cat "/proc/$p/mountinfo" "/proc/$p/cgroup"; ls -l "/proc/$p/ns" | sed "s/.* -> //"; pm diff $c; done >before &&
    pod -q --pod $shop -- true && for c in $first $second; do p=$(pid_of $c); cat "/proc/$p/mountinfo" "/proc/$p/cgroup"; ls -l "/proc/$p/ns" | sed "s/.* -> //"; pm diff $c; done | test_cmp before -
'

test_expect PODMAN 'a pod that is not there, does not run, or has no holder, is one line and a hint' '
    test_status 125 pod --pod no-such-$$ 2>err && test_grep "no pod .no-such-$$" err && [ "$(wc -l <err)" = 2 ] &&
    test_status 125 pod --pod $loose -- true 2>err && test_grep "$loose. has no container that holds" err && [ "$(wc -l <err)" = 2 ] &&
    pm pod stop -t 0 $solo && test_status 125 pod --pod $solo -- true 2>err && test_grep "$solo. is not running" err
'

test_expect PODMAN '--dry-run tells which they are' '
    pod -q --dry-run --pod $shop >actual && test_grep "^join  *net ipc uts of process $(pid_of "$(infra_of $shop)")" actual
'

test_done
