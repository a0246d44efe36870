#!/bin/bash
# ccp, as root, and the containers of a user's podman, on fuse-overlayfs: marks of another kind, and nothing that root may look through.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ccp-engine.sh"
test_engine podman-rootless
test_names web
name=$web
test_prereq FUSE_OVERLAYFS '[ -e /dev/fuse ] && have_all fuse-overlayfs'
ROOTLESS_DRIVER=fuse

up() { podman_rootless_up && pmu run -d --name "$name" "$IMAGE" sh -c "$ccp_init" >/dev/null; }
init() { pmu inspect -f '{{.State.Pid}}' "$name"; }
ours() { ccp "$@"; }
halt() { pmu kill "$name" >/dev/null && test_wait '[ "$(pmu inspect -f "{{.State.Status}}" "$name")" = exited ]'; }
again() { pmu start "$name" >/dev/null; }

# seen DIR: its facts as the container has them: of a copy that its own tar makes
seen() { rm -rf seen && mkdir seen && pmu exec "$name" tar -C "$1" -c . | tar -C seen -xp --numeric-owner && ccp_times='' ccp_facts seen; }
facts() { ccp_times='' ccp_facts "$1"; }

need=PODMAN_ROOTLESS,FUSE_OVERLAYFS

test_expect $need 'out of a running one, from its layers' '
    ccp_fill && up && test_wait "pmu exec $name test -e /ready" && ours "$name:/data" data && facts data >actual && seen /data >expect && test_grep "^dir/file" expect && test_cmp expect actual
'

test_expect $need 'a running one is not written to, and it is said why' '
    test_status 1 ours tree "$name:/srv/" 2>err && test_grep "only its user may use" err && test_grep "^hint: " err && ! pmu exec "$name" ls /srv/tree 2>/dev/null
'

test_expect $need 'out of a stopped one and into it, over what was deleted; it sees that when it is started again' '
    halt && rm -rf data2 && ours "$name:/data" data2 && facts data >expect && facts data2 >actual && test_cmp expect actual &&
    ours tree "$name:/usr/lib/" && ours tree/file "$name:/data/link/new" && ours tree "$name:/data/kept" && tar -C tree --format=posix -c . | ours - "$name:/var/log" && again &&
    facts tree >expect && for dir in /usr/lib/tree /data/kept; do seen $dir >actual && test_cmp expect actual || return 1; done &&
    pmu exec "$name" cat /data/dir/new /var/log/sub/hard >actual && cat tree/file tree/file >expect && test_cmp expect actual
'

test_expect $need 'inside they belong to its root' '
    pmu exec "$name" stat -c "%u:%g" /usr/lib/tree/file /data/kept/sub >actual && printf "0:0\n0:0\n" >expect && test_cmp expect actual
'

test_expect $need 'and can be deleted by it: the marks are the user'"'"'s' '
    pmu exec "$name" rm -rf /data/kept /usr/lib/tree && ! pmu exec "$name" ls -d /data/kept 2>/dev/null
'

test_done
