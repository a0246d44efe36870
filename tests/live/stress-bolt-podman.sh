#!/bin/bash
# podman's bolt database is read 10,000 times and more while podman makes and removes containers all the time: every
# answer is one transaction's, or an error that says it never settled.
# last
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/stress-bolt.sh"
test_engine podman

make_and_remove() { pm create --name "$1-$2" "$IMAGE" true && pm rm "$1-$2"; }

test_expect PODMAN 'setup: a podman whose database is bolt' '
    podman_up && pm create --name stays-1 "$IMAGE" true && pm create --name stays-2 "$IMAGE" true &&
    db=$PODMAN_ROOT/libpod/bolt_state.db && [ -f "$db" ]
'

test_expect PODMAN,STRACE 'podman: 10,000 readings during constant churn, none of them torn' '
    stress podman "$db" make_and_remove && seen_enough && sed "s/^/# /" counts >&2
'

test_done
