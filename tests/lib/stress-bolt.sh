# shellcheck shell=bash
# Reading a bolt database 10,000 times while its engine makes and removes containers all the time.
. "$SONDE_SOURCE/tests/lib/churn.sh"

reads=10000
# Where the readings stop if the machine is too busy for them: the test fails then.
seconds=150

# slowly COMMAND...: every 203rd of its reads waits 100 ms, as on a busy machine or disk: several commits come between one
# read of the file and the next. Five reads make one reading, so that the wait falls on each of them in turn.
slowly() { strace -f --seccomp-bpf -qq -o /dev/null -e trace=pread64 -e inject=pread64:delay_enter=100000:when=7+203 "$@"; }

# stress KIND FILE CHURN...: reads while each CHURN (a function) runs; the counts go to the file counts
stress()
{
    local kind=$1 file=$2 status=0
    shift 2
    while_churning "$@" -- slowly "$HELPERS/stress-bolt" "$kind" "$file" "$reads" "$seconds" >counts || status=$?
    cat counts
    return "$status"
}

# What a run has to have seen before it says anything.
seen_enough()
{
    jq -e ".reads >= $reads and .wrong == 0 and .answers > .unsettled and .transactions >= ${1-20} and .most >= 2" counts
}
