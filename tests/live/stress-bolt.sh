#!/bin/bash
# bolt databases are read 10,000 times and more while their engine makes and removes containers all the time: every
# answer is one transaction's, or an error that says it never settled.
# alone
. "$(dirname "$0")/../lib/harness.sh"
test_engine podman
test_engine containerd

reads=10000
seconds=45

# churn COMMAND...: runs it again and again with a number behind it, until the file stop is there
churn()
{
    local n=0
    while [ ! -e stop ]; do
        n=$((n + 1))
        "$@" "$n" >/dev/null 2>&1 || { echo "churn: $* $n: status $?" >>churn.err; sleep 0.1; }
        echo "$n" >"churned.$BASHPID"
    done
}

# slowly COMMAND...: every 203rd of its reads waits 100 ms, as on a busy machine or disk: several commits come between one
# read of the file and the next. Five reads make one reading, so that the wait falls on each of them in turn.
slowly() { strace -f --seccomp-bpf -qq -o /dev/null -e trace=pread64 -e inject=pread64:delay_enter=100000:when=7+203 "$@"; }

# stress KIND FILE CHURN...: reads while each CHURN (a function) runs; the counts go to the file counts
stress()
{
    local kind=$1 file=$2 fn status
    local pids=()
    shift 2
    rm -f stop churn.err churned.*
    for fn in "$@"; do
        churn "$fn" "$fn" &
        pids+=($!)
    done
    slowly "$HELPERS/stress-bolt" "$kind" "$file" "$reads" "$seconds" >counts
    status=$?
    : >stop
    wait "${pids[@]}"
    cat counts
    echo "containers made and removed: $(cat churned.* | awk "{ n += \$1 } END { print n }")"
    [ ! -e churn.err ] || head churn.err
    return "$status"
}

# What a run has to have seen before it says anything.
seen_enough()
{
    jq -e ".reads >= $reads and .wrong == 0 and .answers > .unsettled and .transactions >= ${1-20} and .most >= 2" counts
}

make_and_remove() { pm create --name "$1-$2" "$IMAGE" true && pm rm "$1-$2"; }

test_expect PODMAN 'setup: a podman whose database is bolt' '
    podman_up && pm create --name stays-1 "$IMAGE" true && pm create --name stays-2 "$IMAGE" true &&
    db=$PODMAN_ROOT/libpod/bolt_state.db && [ -f "$db" ]
'

test_expect PODMAN,STRACE 'podman: 10,000 readings during constant churn, none of them torn' '
    stress podman "$db" make_and_remove && seen_enough && sed "s/^/# /" counts >&2
'

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
