# shellcheck shell=bash
# An engine that makes and removes containers all the time, in the background of a stress test.

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

# while_churning CHURN... -- COMMAND...: its status; each CHURN is a function. What they did goes to standard error
while_churning()
{
    local status=0 pids=()
    rm -f stop churn.err churned.*
    while [ "$1" != -- ]; do
        churn "$1" "$1" &
        pids+=($!)
        shift
    done
    shift
    "$@" || status=$?
    : >stop
    wait "${pids[@]}"
    echo "containers made and removed: $(cat churned.* | awk "{ n += \$1 } END { print n }")" >&2
    [ ! -e churn.err ] || head churn.err >&2
    return "$status"
}
