#!/bin/bash
# cexport beside docker export, and beside what the container itself sees.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
test_engine docker
test_names web

out() { command cexport --docker-root "$DOCKER_DATA" "$@"; }

# the container's root without what is mounted in it
root_of() { dk inspect -f '{{.GraphDriver.Data.MergedDir}}' "$1"; }

test_expect DOCKER,XATTR 'setup: a container with what archives lose' '
    docker_up && dk run -d --name $web -e FOO="a b" -w /tmp -u 1000 -l some.label=x --entrypoint sleep "$IMAGE" 1000000 >/dev/null && dk exec -u 0 $web sh -c "$export_fill" &&
    export_fill_attributes "$(root_of $web)"
'

test_expect DOCKER 'of a running container: the names, and each but its data as docker export has them' '
    out $web >ours.tar 2>err && test_empty err && dk export $web >docker.tar &&
    tar -tf docker.tar | LC_ALL=C sort >expect && tar -tf ours.tar | LC_ALL=C sort >actual && test_cmp expect actual &&
    export_unpack docker.tar docker && export_unpack ours.tar ours &&
    export_facts docker | sed "s/ xattrs=[^ ]*//" >expect && export_facts ours | sed "s/ xattrs=[^ ]*//" >actual && test_cmp expect actual
'

test_expect DOCKER 'and as the container sees them, with attributes, holes and nanoseconds' '
    export_facts "$(root_of $web)" --times --holes >expect && export_facts ours --times --holes >actual &&
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

# what a container of an image has, but for what docker puts into each
loaded_facts()
{
    local layers
    dk create --name loaded "$1" >/dev/null && out loaded >loaded.tar && export_unpack loaded.tar loaded && dk rm loaded >/dev/null &&
        (cd loaded && rm -rf dev etc .dockerenv) && export_facts loaded --times
}
kept_facts() { rm -rf kept && cp -a ours kept && (cd kept && rm -rf dev etc .dockerenv) && export_facts kept --times; }
config_of() { dk inspect "$1" | jq -S ".[0].Config | {User, Env, Entrypoint, Cmd, WorkingDir, Labels}"; }

test_expect DOCKER '--format docker: docker load takes it, with the configuration that the container ran with' '
    out $web --format docker -t shop/crashed -o image.tar && dk load -i image.tar >actual && test_grep "shop/crashed:latest" actual &&
    config_of $web >expect && config_of shop/crashed >actual && test_cmp expect actual && test_grep "a b" actual &&
    kept_facts >expect && loaded_facts shop/crashed >actual && test_cmp expect actual && dk rmi -f shop/crashed >/dev/null
'

test_expect DOCKER '--format oci does, too, compressed and through a pipe' '
    out $web --format oci --gzip -t shop/piped:2 | dk load >actual && test_grep "shop/piped:2" actual &&
    config_of shop/piped:2 >actual && config_of $web >expect && test_cmp expect actual &&
    loaded_facts shop/piped:2 >actual && kept_facts >expect && test_cmp expect actual
'

test_expect DOCKER '--upper on top of the image is the container' '
    dk create --name fresh "$IMAGE" >/dev/null && out docker:fresh >fresh.tar && dk rm fresh >/dev/null && export_unpack fresh.tar fresh &&
    out $web --upper >upper.tar && [ "$(stat -c %s upper.tar)" -lt "$(stat -c %s fresh.tar)" ] && tar -tf upper.tar >names && test_grep "^etc/.wh.app.conf$" names &&
    test_grep "^data/opaque/.wh.fresh" names && test_grep -v "^etc/passwd$" names &&
    apply_layer fresh upper.tar && rm -rf fresh/dev fresh/etc/host* fresh/etc/resolv.conf fresh/.dockerenv &&
    rm -rf kept && cp -a ours kept && rm -rf kept/dev kept/etc/host* kept/etc/resolv.conf kept/.dockerenv &&
    export_facts fresh >actual && export_facts kept >expect && test_cmp expect actual
'

test_expect DOCKER 'the examples of cexport(1) work' '
    sed -n "/^# EXAMPLES/,/^# SEE/s/^\t\(cexport.*\)/\1/p" "$SONDE_SOURCE/docs/man/cexport.1.scd" | tr -d "\\\\" >lines &&
    [ "$(wc -l <lines)" -ge 6 ] && mkdir examples && cd examples &&
    (cexport() { local a args=(); for a; do [ "$a" != web ] || a=$web; args+=("$a"); done; out "${args[@]}"; } && docker() { dk "$@"; } && while read -r line; do
        echo "$line" && (set -o pipefail && eval "$line") </dev/null || exit 1
    done <../lines >../printed) && test_grep "passwd" ../printed && zstd -qdc web-etc.tar.zst | tar -t | cmp - <(tar -tf ../ours.tar | grep ^etc/) &&
    dk image inspect web:crashed >/dev/null && cd ..
'

test_expect DOCKER 'of a stopped one it is the same' '
    dk kill $web >/dev/null && out $web >stopped.tar 2>err && test_empty err && test_cmp ours.tar stopped.tar
'

test_expect DOCKER 'and when its daemon is dead' '
    docker_kill && out $web >dead.tar && test_cmp ours.tar dead.tar
'

test_done
