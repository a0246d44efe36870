#!/bin/bash
# cdebug --pod with Kubernetes' pods in containerd.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
test_engine cri
test_names web shop
pod='' name=''

debug() { cdebug --store "containerd=$CONTAINERD_ROOT" "$@"; }
pid_of() { ct tasks ls | awk -v id="$1" '$1 == id { print $2 }'; }

test_expect CRI 'setup: a pod with a container' '
    cri_up && pod=$(cri_pod $shop) && name=$(cri_run "$pod" $shop $web 0 sleep 1000000) && [ "$(pid_of "$name")" -gt 1 ] && [ "$(pid_of "$pod")" -gt 1 ]
'

test_expect CRI 'net, ipc, uts and pid of the sandbox are joined, all of which this pod'"'"'s container shares; by POD and by NAMESPACE/POD' '
    for one in $shop shop/$shop; do
        debug -q --pod $one -- sh -c "for t in net ipc uts pid; do readlink /proc/self/ns/\$t; done" >actual &&
        readlink /proc/$(pid_of "$name")/ns/{net,ipc,uts,pid} >expect && test_cmp expect actual || return 1
    done && test_status 125 debug --pod other/$shop -- true 2>err && test_grep "no pod .other/$shop" err
'

test_expect CRI 'a pod whose container has ended still has its namespaces' '
    crc stop "$name" && debug -q --pod $shop -- sh -c "for t in net ipc uts pid; do readlink /proc/self/ns/\$t; done" >actual &&
    { readlink /proc/$(pid_of "$pod")/ns/{net,ipc,uts}; readlink /proc/self/ns/pid; } >expect && test_cmp expect actual
'

test_done
