#!/bin/bash
# Databases of captured hosts with one page of zeros or of ones: whatever changes the answer is said.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"

. "$SONDE_SOURCE/tests/lib/fixture.sh"

list() { cps -a --json --sysroot host 2>err; }
containers() { jq -S '.containers'; }

# pages ROW FILE: each page of FILE once as zeros, once as ones. An answer that is another needs status 2 and a line; of
# those that name the page there is one. At least one answer must have changed.
pages()
{
    local size page byte status changed=0
    rm -rf host && fixture_copy "$1" && list | containers >sound && cp "host/$2" db || return 1
    size=$(stat -c %s db)
    for ((page = 0; page * 4096 < size; page++)); do
        for byte in '\000' '\377'; do
            head -c 4096 /dev/zero | tr '\000' "$byte" >bytes && cp db "host/$2" &&
                dd if=bytes of="host/$2" bs=4096 seek="$page" conv=notrunc status=none || return 1
            status=0
            list >answer || status=$?
            containers <answer >actual
            if [ "$(grep -c 'is damaged: page' err)" -gt 1 ]; then cat err; return 1; fi
            ! cmp -s sound actual || continue
            changed=$((changed + 1))
            { [ "$status" = 2 ] && [ -s err ]; } || { echo "page $page of $byte: status $status"; diff sound actual; return 1; }
        done
    done
    [ "$changed" -gt 0 ]
}

test_expect JQ "podman's bolt_state.db" 'pages podman-4.3 var/lib/containers/storage/libpod/bolt_state.db'
test_expect JQ "containerd's meta.db below docker" '
    pages docker-28-containerd "$(cd "$SONDE_SOURCE/tests/fixtures/docker-28-containerd" && find . -name meta.db | head -n 1)"
'
test_expect JQ "containerd's meta.db and a snapshotter's" '
    pages containerd-2.1 var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db &&
    pages containerd-2.1 var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/metadata.db
'
test_expect 'podman without its database is one line, too' '
    rm -rf host && fixture_copy podman-5.4 && find host -name "db.sql*" -delete &&
    test_status 2 cps -a --sysroot host >out 2>err && test_grep "it has containers, but neither of its databases" err && test "$(grep -c ^cps: err)" = 1
'

test_done
