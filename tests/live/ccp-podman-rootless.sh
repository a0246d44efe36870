#!/bin/bash
# ccp, as root, and the containers of a user's podman, on the kernel's overlay.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ccp-engine.sh"
test_engine podman-rootless
test_names web
name=$web
ccp_no_set_ids=yes

up() { podman_rootless_up && pmu run -d --name "$name" "$IMAGE" sh -c "$ccp_init" >/dev/null; }
init() { pmu inspect -f '{{.State.Pid}}' "$name"; }
ours() { ccp "$@"; }
halt() { pmu kill "$name" >/dev/null && test_wait '[ "$(pmu inspect -f "{{.State.Status}}" "$name")" = exited ]'; }
again() { pmu start "$name" >/dev/null; }

ccp_engine PODMAN_ROOTLESS 'rootless podman'

test_expect PODMAN_ROOTLESS 'inside they belong to its root, on the host to the user' '
    pmu exec "$name" stat -c "%u:%g" /usr/lib/tree/file /srv/tree/file >actual && printf "0:0\n0:0\n" >expect && test_cmp expect actual &&
    stat -c %u "/proc/$(init)/root/usr/lib/tree/file" >actual && echo "$ROOTLESS_UID" >expect && test_cmp expect actual
'

test_done
