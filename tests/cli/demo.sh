#!/bin/bash
# `make demo` on a host that has other troubles too.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"

test_expect ROOT,UNSHARE,JQ 'the demo goes on where a record of the host cannot be read' '
    docker_record disk 1 broken && : >disk/var/lib/docker/containers/"$(docker_id 1)"/config.v2.json &&
    unshare --mount sh -c "mount --bind disk/var/lib /var/lib && exec bash \"\$0\"" "$SONDE_SOURCE/docs/demo/demo.sh" >out 2>err </dev/null &&
    test_grep "^cps: docker container $(docker_id 1 | cut -c 1-12): " err && test_grep "^in demo-shop, beside pid" out &&
    test_grep "^Nothing was written to it" out
'

test_done
