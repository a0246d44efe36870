#!/bin/bash
# containerd's bolt database is read 10,000 times and more while containerd makes and removes containers all the time: every
# answer is one transaction's, or an error that says it never settled.
# last
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/stress-bolt.sh"
test_engine containerd

make_and_remove_in_containerd()
{
    ct containers create --label "me=churn-$BASHPID-$2" "$CONTAINERD_IMAGE" "churn-$BASHPID-$2" run "churn-$BASHPID-$2" && ct containers rm "churn-$BASHPID-$2"
}
another_one() { make_and_remove_in_containerd "$@"; }

test_expect CONTAINERD 'setup: a containerd' '
    containerd_up && ct containers create --label me=stays-1 "$CONTAINERD_IMAGE" stays-1 run stays-1 &&
    ct containers create --label me=stays-2 "$CONTAINERD_IMAGE" stays-2 run stays-2 &&
    db=$CONTAINERD_ROOT/io.containerd.metadata.v1.bolt/meta.db && [ -f "$db" ]
'

test_expect CONTAINERD,STRACE 'containerd: 10,000 readings during constant churn, none of them torn' '
    stress containerd "$db" make_and_remove_in_containerd another_one && seen_enough && sed "s/^/# /" counts >&2
'

test_done
