#!/bin/bash
# cps against a containerd that ctr drives.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/cps-containerd.sh"
test_engine containerd
test_names web done7 held made mortal

matrix_row "$(containerd_version)" 'ctr, overlayfs'
containerd_tests CONTAINERD

# --- what ctr can do besides ---------------------------------------------------------------------

test_expect CONTAINERD 'containers of two namespaces with the same id are both there' '
    NS=$CONTAINERD_NS-2 containerd_import && NS=$CONTAINERD_NS-2 ct run -d $CONTAINERD_IMAGE $web sleep 1000000 &&
    cps_list cps.json --json --no-trunc &&
    jq -c --arg id $web "[.containers[] | select(.id == \$id).cgroup] | sort" cps.json >actual &&
    test_json . "[\"/$CONTAINERD_NS-2/$web\",\"/$CONTAINERD_NS/$web\"]" actual
'
test_expect CONTAINERD 'a runtime root of its own is looked at, by the options in the record' '
    ct run -d --runc-root $CONTAINERD_DIR/rr $CONTAINERD_IMAGE $web-rr sleep 1000000 &&
    test -e $CONTAINERD_DIR/rr/$CONTAINERD_NS/$web-rr/state.json &&
    cps_field $web-rr "{ status, pid }" >actual &&
    test_json . "{\"status\":\"running\",\"pid\":$(ct tasks ls | awk -v id=$web-rr "\$1 == id { print \$2 }")}" actual
'
test_expect CONTAINERD 'a read-only container has the layers of its image, and native snapshots whole trees' '
    ct run -d --read-only $CONTAINERD_IMAGE $web-ro sleep 1000000 &&
    ct run -d --snapshotter native $CONTAINERD_IMAGE $web-nat sleep 1000000 &&
    cps_field $web-ro ".layers | [.kind, (.lowers | length)]" >actual && test_json . "[\"overlay\", 4]" actual &&
    cps_field $web-nat .layers >actual && test_json .kind "\"directory\"" actual &&
    test_json .upper "\"$(ct snapshots --snapshotter native mounts /x $web-nat | cut -d" " -f4)\"" actual &&
    [ -e "$(jq -r ".lowers[0]" actual)/etc/motd" ]
'
test_expect CONTAINERD 'what a label says is shown escaped' '
    ct run -d --label "nerdctl/name=$(printf "a\033]0;x\007")" $CONTAINERD_IMAGE $web-esc sleep 1000000 &&
    cps_list list --no-trunc && test_grep "$web-esc.*a.x1b\]0;x.x07" list &&
    ! grep -q "$(printf "\033")" list
'
test_expect CONTAINERD 'a damaged database is one line and status 2, and the others are listed' '
    mkdir -p broken/io.containerd.metadata.v1.bolt &&
    head -c 5000 /dev/urandom >broken/io.containerd.metadata.v1.bolt/meta.db &&
    test_status 2 cps -a --store "containerd=$PWD/broken" >list 2>err &&
    test_grep "containerd store .*broken.*neither meta page is valid" err && test_grep "$web-pretty" list
'
test_done
