#!/bin/bash
# cexport of docker's containers in each of its stores.
# lane 2
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
store TRIXIE "docker 26, containerd's image store" '' DOCKER_SUITE=trixie DOCKER_DRIVER=containerd

test_done
