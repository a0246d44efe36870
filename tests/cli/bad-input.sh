#!/bin/bash
# State that is damaged, absurd or not to be read: one line says what is missing, the other stores are listed, status 2.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"

fixtures=$SONDE_SOURCE/tests/fixtures

# host ROW...: their files together, as one dead host
host()
{
    local row
    rm -rf host && mkdir host || return 1
    for row in "$@"; do cp -a "$fixtures/$row/." host/ || return 1; done
}

# listed ENGINE=N...: so many containers of each are listed, and no other
listed()
{
    jq -r '.containers[].engine' out | sort | uniq -c | awk '{ print $2 "=" $1 }' >actual
    printf '%s\n' "$@" | sort >expect && test_cmp expect actual
}

# one_line PATTERN: that, and at most a hint, on standard error
one_line() { test_grep "$1" err && [ "$(grep -c '^cps: ' err)" = 1 ]; }

broken() { python3 "$SONDE_SOURCE/tests/lib/capture/break.py" "$@"; }

for how in cycle range page; do
    test_expect PYTHON,JQ "bolt: podman's database has a bad $how" '
        host podman-4.3 runc-1.1 && broken $how host/var/lib/containers/storage/libpod/bolt_state.db &&
        test_status 2 timeout 20 cps -a --json --sysroot host >out 2>err && one_line "podman store .*bolt_state.db. is damaged" && jq -e ".containers[] | select(.engine == \"runc\")" out
    '
    test_expect PYTHON,JQ "bolt: containerd's database has a bad $how" '
        host containerd-1.6 runc-1.1 && rm -rf host/run/containerd && broken $how host/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db &&
        test_status 2 timeout 20 cps -a --json --sysroot host >out 2>err && test_grep "^cps: .*containerd" err && listed runc=3
    '
done

test_expect JQ 'a truncated database is said, the other stores are listed' '
    host podman-4.3 runc-1.1 docker-20.10-overlay2 && truncate -s 9000 host/var/lib/containers/storage/libpod/bolt_state.db &&
    test_status 2 timeout 20 cps -a --json --sysroot host >out 2>err && test_grep "^cps: podman" err &&
    [ "$(jq "[.containers[] | select(.engine != \"podman\")] | length" out)" = 6 ]
'

test_expect JQ 'a truncated SQLite database: one line, its containers as far as the storage tells, the other stores as ever' '
    host podman-5.4 runc-1.1 docker-20.10-overlay2 && cps -a --json --sysroot host >whole &&
    for size in 9000 8192 50; do
        truncate -s $size host/var/lib/containers/storage/db.sql &&
        test_status 2 timeout 20 cps -a --json --sysroot host >out 2>err && one_line "^cps: podman store .*db.sql" &&
        jq -S "[.containers[] | select(.engine != \"podman\")]" whole >expect && jq -S "[.containers[] | select(.engine != \"podman\")]" out >actual &&
        test_cmp expect actual && jq -e "length == 6" actual &&
        jq -r ".containers[] | select(.engine == \"podman\").name" whole | sort >expect &&
        jq -r ".containers[] | select(.engine == \"podman\").name" out | sort >actual && test_cmp expect actual || return 1
    done
'

test_expect JQ 'truncated JSON: that container is left out, or shown without what was cut' '
    host docker-26-overlay2 crun-1.8 && f=$(find host -name config.v2.json | head -n 1) && truncate -s 500 "$f" &&
    test_status 2 cps -a --json --sysroot host >out 2>err && one_line "docker container" && listed crun=3 docker=2
'

test_expect JQ 'a layer list of 500 entries is shown whole' '
    host docker-20.10-overlay2 && id=$(jq -r "first(.containers[] | select(.name == \"web\")).id" "$fixtures/docker-20.10-overlay2.json") &&
    store=host/var/lib/docker && layer=$(cat $store/image/overlay2/layerdb/mounts/$id/mount-id) &&
    sep= && for n in $(seq 500); do
        mkdir -p $store/overlay2/layer$n/diff && ln -s ../layer$n/diff $store/overlay2/l/L$n && printf "%sl/L%s" "$sep" $n && sep=: || return 1
    done >lower && cp lower $store/overlay2/$layer/lower &&
    test_status 0 cps -a --json --sysroot host >out && test_json "[.containers[] | select(.name == \"web\").layers.lowers | length, .[0], .[499]]" \
        "[500,\"/var/lib/docker/overlay2/layer1/diff\",\"/var/lib/docker/overlay2/layer500/diff\"]" out
'

test_expect JQ 'directories in overlay2 that no container owns change nothing' '
    host docker-20.10-overlay2 && cps -a --json --sysroot host >expect &&
    for n in $(seq 50); do
        mkdir -p host/var/lib/docker/overlay2/orphan$n/{diff,work} && echo ORPHAN$n >host/var/lib/docker/overlay2/orphan$n/link || return 1
    done &&
    test_status 0 cps -a --json --sysroot host >actual && test_json_cmp expect actual
'

test_expect JQ 'one name in several engines: all are shown, a bare name is ambiguous, ENGINE:NAME is not' '
    host docker-20.10-overlay2 podman-4.3 crun-1.8 && cps -a --json --sysroot host >out &&
    test_json "[.containers[] | select(.name == \"web\").engine] | sort" "[\"crun\",\"docker\",\"podman\"]" out &&
    test_status 1 cps --sysroot host web 2>err && test_grep "web. is ambiguous: 3 containers match" err &&
    test_grep "^  docker:web" err && test_grep "^  podman:web" err && test_grep "^  crun:web" err &&
    test_status 1 cps --sysroot host podman:web 2>err && test_grep "not running" err
'

test_expect ROOT,JQ 'a store that may not be read: the others are listed, one line says what is missing' '
    host docker-20.10-overlay2 podman-4.3 crun-1.8 && chmod -R a+rX host && chmod 700 host/var/lib/docker &&
    test_status 2 as_nobody cps -a --json --sysroot "$PWD/host" >out 2>err && one_line "docker.*Permission denied" &&
    [ "$(jq "[.containers[] | select(.engine == \"podman\" or .engine == \"crun\")] | length" out)" = 8 ]
'

test_done
