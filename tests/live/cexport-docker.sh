#!/bin/bash
# cexport beside docker export, and beside what the container itself sees.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
test_engine docker

out() { cexport --docker-root "$DOCKER_DATA" "$@"; }

# the container's root without what is mounted in it
root_of() { dk inspect -f '{{.GraphDriver.Data.MergedDir}}' "$1"; }

test_expect DOCKER,XATTR 'setup: a container with what archives lose' '
    docker_up && dk run -d --name web "$IMAGE" sleep 1000000 >/dev/null && dk exec web sh -c "$export_fill" &&
    export_fill_attributes "$(root_of web)"
'

test_expect DOCKER 'of a running container: the names, and each but its data as docker export has them' '
    out web >ours.tar 2>err && test_empty err && dk export web >docker.tar &&
    tar -tf docker.tar | LC_ALL=C sort >expect && tar -tf ours.tar | LC_ALL=C sort >actual && test_cmp expect actual &&
    export_unpack docker.tar docker && export_unpack ours.tar ours &&
    export_facts docker | sed "s/ xattrs=[^ ]*//" >expect && export_facts ours | sed "s/ xattrs=[^ ]*//" >actual && test_cmp expect actual
'

test_expect DOCKER 'and as the container sees them, with attributes, holes and nanoseconds' '
    export_facts "$(root_of web)" --times --holes >expect && export_facts ours --times --holes >actual &&
    test_grep "user.text=value" expect && test_grep "security.capability=" expect && test_grep "posix_acl_access=" expect &&
    test_grep "holes=True" expect && test_grep "123456789" expect &&
    test_cmp expect actual
'

# It takes no ACL that is written as an attribute, and a time before 1970 for another.
test_expect DOCKER 'and once more unpacked by bsdtar' '
    kept() { export_facts "$@" | sed "s/system.posix_acl_access=[^, ]*,//; /^.x.dangling /s/ mtime=.*//"; } &&
    rm -rf bsd && mkdir bsd && LC_ALL=C.UTF-8 bsdtar -C bsd -xpf ours.tar --numeric-owner &&
    kept bsd --times >actual && kept ours --times >expect && test_cmp expect actual
'

test_expect DOCKER 'of a stopped one it is the same' '
    dk kill web >/dev/null && out web >stopped.tar 2>err && test_empty err && test_cmp ours.tar stopped.tar
'

test_expect DOCKER 'and when its daemon is dead' '
    docker_kill && out web >dead.tar && test_cmp ours.tar dead.tar
'

test_done
