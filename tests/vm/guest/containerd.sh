#!/bin/bash
# containerd's own client, on the unit's containerd.
. "$(dirname "$0")/lib.sh"
. "$SONDE_SOURCE/tests/lib/cps-containerd.sh"

ct() { ctr "$@"; }
pid_of() { ctr task ls | awk -v id="$1" '$1 == id { print $2 }'; }
image=docker.io/library/$IMAGE

matrix_row "containerd $(version containerd)" 'ctr, v2'
test_expect CONTAINERD 'setup: containerd.service and the image' 'systemctl start containerd && ctr image import "$(image_dir)/image.tar"'
matrix_yes entered CONTAINERD 'ctr: a cgroup of its own' 'ctr run -d "$image" c1 && row "$(pid_of c1)" default/c1 containerd c1'
test_expect CONTAINERD 'ctr with systemd cgroups' '
    ctr run -d --runc-systemd-cgroup --cgroup system.slice:cri-containerd:c2 "$image" c2 sh -c "echo new >/srv/new; exec sleep 1000000" &&
    row "$(pid_of c2)" system.slice/cri-containerd-c2.scope containerd c2
'
test_expect CONTAINERD 'setup: one that has ended' '
    test_wait "[ -s /proc/$(pid_of c2)/root/srv/new ]" &&
    ctr task kill -s KILL c2 && test_wait "ctr tasks ls | grep -q \"^c2 .*STOPPED\"" &&
    records_of_containerd >expect && records_of_cps expect >actual && [ "$(jq length expect)" = 2 ]
'
columns CONTAINERD ctr running stopped name image status
matrix_unknown exit 'the exit code of a task is in the memory of its shim only' CONTAINERD 'ctr: the exit code is unknown' '
    cps_field c2 .exit_code >actual && test_json . null actual
'
matrix_yes layers CONTAINERD 'ctr: layers' '
    layers_of_containerd c1 >expect && cps_field c1 ".layers | { upper, lowers }" | test_cmp expect -
'
matrix_files CONTAINERD ctr containerd:c1 "$(pid_of c1)" containerd:c2 /srv/new=new

test_done
