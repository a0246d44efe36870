#!/bin/bash
# cexport of docker's containers in each of its stores.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"
test_engine docker
test_names web
name=$web

test_prereq FUSE_OVERLAY 'have_all fuse-overlayfs && [ -e /dev/fuse ]'

up() { docker_up && dk run -d --name "$web" "$IMAGE" sh -c "$export_init" >/dev/null; }
init() { dk inspect -f '{{.State.Pid}}' "$web"; }
out() { cexport --docker-root "$DOCKER_DATA" "$@"; }
halt() { dk kill "$web" >/dev/null; }
export_of() { dk export "$web"; }

# store PREREQ VARIANT KIND SETTING...
store()
{
    docker_set "${@:4}"
    cexport_engine DOCKER,XATTR,"$1" "$2" "$3"
    test_expect DOCKER,"$1" "$2: --format oci: docker load takes it" '
        out "$web" --format oci -t shop/crashed | dk load >actual && test_grep "shop/crashed" actual &&
        dk run --rm shop/crashed cat /x/plain >actual && echo one >expect && test_cmp expect actual
    '
    test_expect DOCKER "$2: taken down" docker_down
}

store DOCKER 'docker vfs' '' DOCKER_DRIVER=vfs
store FUSE_OVERLAY 'docker fuse-overlayfs' fuse DOCKER_DRIVER=fuse-overlayfs
# What the container sees has the host's ids here. Docker leaves out what has an owner outside the map: its own link.
docker_set DOCKER_REMAP=yes
test_expect DOCKER "docker, userns-remap: running and stopped, owners are those that docker export has" '
    up && test_wait "[ -e /proc/$(init)/root/x/filled ]" && out "$web" >ours.tar && dk export "$web" >engine.tar && halt && out "$web" >stopped.tar &&
    export_unpack ours.tar ours && export_unpack engine.tar engine && test_cmp ours.tar stopped.tar && rm ours/etc/mtab &&
    export_facts engine | sed "s/ xattrs=[^ ]*//" >expect && export_facts ours | sed "s/ xattrs=[^ ]*//" >actual &&
    test_grep "owner=1234:4321" expect && test_grep "/x/deep directory mode=1770 owner=0:0" expect && test_cmp expect actual
'
test_expect DOCKER "docker, userns-remap: taken down" docker_down

store TRIXIE "docker 26, containerd's image store" '' DOCKER_SUITE=trixie DOCKER_DRIVER=containerd

test_done
