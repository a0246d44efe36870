#!/bin/bash
# containerd's own client, on the unit's containerd.
. "$(dirname "$0")/lib.sh"

test_prereq CTR 'have_all ctr containerd'
pid_of() { ctr task ls | awk -v id="$1" '$1 == id { print $2 }'; }
image=docker.io/library/$IMAGE

matrix_row "containerd $(version containerd)" 'ctr, v2'
test_expect CTR 'setup: containerd.service and the image' 'systemctl start containerd && ctr image import "$(image_dir)/image.tar"'
matrix_yes entered CTR 'ctr: a cgroup of its own' 'ctr run -d "$image" c1 && row "$(pid_of c1)" default/c1 containerd c1'
matrix_yes running CTR 'it is listed' 'cps_field c1 .pid >actual && pid_of c1 | test_cmp - actual'
test_expect CTR 'ctr with systemd cgroups' '
    ctr run -d --runc-systemd-cgroup --cgroup system.slice:cri-containerd:c2 "$image" c2 &&
    row "$(pid_of c2)" system.slice/cri-containerd-c2.scope containerd c2
'

test_done
