#!/bin/bash
# ctop without an engine: wrong input, forms of output, a container of ours that no engine claims.
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck disable=SC2034 # used in the test scripts
schema=$SONDE_SOURCE/docs/json/ctop.schema.json

# says TEXT ARGUMENT...: it fails at once, TEXT (a regular expression) is its first line
says()
{
    local text=$1
    shift
    test_status 1 ctop "$@" >out 2>err && test_empty out && head -n 1 err >first && test_grep "^ctop: $text\$" first
}

test_expect 'a wrong command line is one line' '
    says "--csv and --json exclude each other" --csv --json && says "--delay is 0.1 to 3600 seconds" -b -d 0.01 &&
    says "unknown column .NOPE." -b -o NOPE && says "unknown column .NOPE." -b -s -NOPE &&
    says ".web. is not wanted: .*" -b web && says "option .--iterations.: .x. is not a valid N" -b -n x &&
    says "one of --batch, --csv and --json is needed"
'

test_expect 'a table has its headings, and without them only rows' '
    ctop -b -n 1 -d 0.1 -o NAME,CPU,MEM -f no-such-name >out && echo "NAME CPU MEM(ws)" >expect && test_cmp expect out &&
    ctop -b -H -n 1 -d 0.1 -f no-such-name >out && test_empty out
'

test_expect 'CSV has the keys once, JSON a valid object a line' '
    ctop --csv -n 2 -d 0.1 -o NAME,CPUPCT -f no-such-name >out && echo time,name,cpu_of_limit >expect && test_cmp expect out &&
    ctop --json -n 3 -d 0.1 >out && test "$(wc -l <out)" = 3 &&
    while read -r line; do
        echo "$line" >one && python3 "$SONDE_SOURCE/tests/lint/schema.py" "$schema" one || return 1
    done <out && test_json .schema 1 one
'

can_unshare() { [ "$(id -u)" = 0 ] && unshare --pid --fork true; }
test_prereq UNSHARE can_unshare

# A container that has nothing but a pid namespace, and uses what it gets of a processor.
start_busy()
{
    timeout 60 unshare --pid --fork --kill-child sh -c 'while :; do :; done' &
    busy=$!
    test_cleanup 'kill "$busy" 2>/dev/null || :'
    test_wait 'pgrep -P "$(pgrep -P "$busy")"'
}

test_expect UNSHARE 'a container that has no cgroup is summed over its processes' '
    start_busy && inner=$(pgrep -P "$(pgrep -P "$busy")") && ctop --json -n 2 -d 0.5 >out && tail -n 1 out >last &&
    test_json "[.containers[] | select(.pid == $inner and .cpu > 5 and .summed)] | length" 1 last
'

test_expect UNSHARE 'one that ends is an event' '
    { ctop --json -n 4 -d 0.5 >out & } && reader=$! && sleep 0.7 && kill -9 "$inner" && wait "$reader" &&
    jq -r ".events[] | \"\(.event) \(.name)\"" out >events && test_grep "^exited .*-$inner\$" events
'

test_done
