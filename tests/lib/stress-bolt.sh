# shellcheck shell=bash
# Reading a bolt database 10,000 times while its engine makes and removes containers all the time.

reads=10000
# Where the readings stop if the machine is too busy for them: the test fails then.
seconds=150

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
