#!/bin/bash
# ccp and podman's containers, root's.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ccp-engine.sh"
test_engine podman
test_names web
name=$web

up() { podman_up && pm run -d --name "$web" "$IMAGE" sh -c "$ccp_init" >/dev/null; }
init() { pm inspect -f '{{.State.Pid}}' "$web"; }
ours() { ccp --store "podman=$PODMAN_ROOT" "$@"; }
halt() { pm kill "$web" >/dev/null && test_wait '[ "$(pm inspect -f "{{.State.Status}}" "$web")" = exited ]'; }
again() { pm start "$web" >/dev/null; }

ccp_engine PODMAN podman

# Its layers are below a mounted overlay then.
test_expect PODMAN 'podman: one that is mounted is written through its mount' '
    halt && merged=$(pm mount "$web") && ! ls "$merged/srv/mounted" 2>/dev/null && echo new >new && ours new "$name:/srv/mounted" && cmp new "$merged/srv/mounted" && pm umount "$web" >/dev/null
'

test_done
