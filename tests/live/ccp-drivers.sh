#!/bin/bash
# ccp and docker's containers in each of its stores.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ccp-engine.sh"
test_engine docker
test_names web
name=$web

test_prereq FUSE_OVERLAY 'have_all fuse-overlayfs && [ -e /dev/fuse ]'

up() { docker_up && dk run -d --name "$web" "$IMAGE" sh -c "$ccp_init" >/dev/null; }
init() { dk inspect -f '{{.State.Pid}}' "$web"; }
ours() { ccp --docker-root "$(docker_store)" "$@"; }
halt() { dk kill "$web" >/dev/null; }
again() { dk start "$web" >/dev/null; }

# store PREREQ VARIANT SETTING...
store()
{
    docker_set "${@:3}"
    ccp_engine DOCKER,"$1" "$2"
    test_expect DOCKER,"$1" "$2: taken down" docker_down
}

store DOCKER 'docker overlay2'
store DOCKER 'docker vfs' DOCKER_DRIVER=vfs
ccp_times=
store FUSE_OVERLAY 'docker fuse-overlayfs' DOCKER_DRIVER=fuse-overlayfs
ccp_times=%T@
store TRIXIE "docker 26, containerd's image store" DOCKER_SUITE=trixie DOCKER_DRIVER=containerd

test_done
