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
    says "no terminal: -b prints tables instead"
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
    timeout -k 1 60 unshare --pid --fork --kill-child sh -c 'while :; do :; done' &
    busy=$!
    # unshare keeps SIGTERM from itself while it waits
    test_cleanup 'kill -9 "$inner" 2>/dev/null || :'
    test_wait 'inner=$(pgrep -P "$(pgrep -P "$busy")")' && inner=$(pgrep -P "$(pgrep -P "$busy")")
}

test_expect UNSHARE 'a container that has no cgroup is summed over its processes' '
    start_busy && ctop --json -n 2 -d 0.5 >out && tail -n 1 out >last &&
    test_json "[.containers[] | select(.pid == $inner and .cpu > 5 and .summed)] | length" 1 last
'

test_expect UNSHARE 'one that ends is an event' '
    { ctop --json -n 4 -d 0.5 >out & } && reader=$! && sleep 0.7 && kill -9 "$inner" && wait "$reader" &&
    jq -r ".events[] | \"\(.event) \(.name)\"" out >events && test_grep "^exited .*-$inner\$" events
'


# --- the screen ----------------------------------------------------------------------------------

tm_server=0
tm() { tmux -L "ctop-$$-$tm_server" -f /dev/null "$@"; }
have_tmux() { command -v tmux; }
test_prereq TMUX have_tmux
test_cleanup 'tm kill-server 2>/dev/null || :'

# shows PATTERN: the screen has it, soon; look: the whole of it
look() { tm capture-pane -p; }
shows() { test_wait "look | grep -q -- '$1'" 8 || { look; return 1; }; }
keys() { tm send-keys "$@"; }

# open_screen COLUMNS LINES ARGUMENT...: ctop on a terminal of that size, a shell's prompt behind it
open_screen()
{
    local x=$1 y=$2
    shift 2
    tm kill-server 2>/dev/null
    tm_server=$((tm_server + 1)) # the old one may be only just going
    tm new-session -d -x "$x" -y "$y" "stty -a >before; env LC_ALL=C.UTF-8 ${ctop_env-} $(command -v ctop) $*; echo ended \$?; stty -a >after; exec cat"
}

test_expect TMUX 'keys: move, sort, group, columns, help, pause, filter, one container, end; the terminal is as it was' '
    start_busy && open_screen 100 20 -f "sh-$inner" && shows "^sh-$inner" && shows "1 of [0-9]* containers" &&
    keys h && shows "Any key: back" && keys x && shows "^NAME" &&
    keys s && shows "sort by" && keys G Up Up && keys Enter && shows "^NAME" &&
    keys t && shows "^-: 1, cpu" && keys t && shows "^bare: 1, cpu" && keys t &&
    keys c && shows "columns (Space" && keys Down Space Escape && shows "^NAME *TROUBLE" &&
    keys p && shows PAUSED && keys p && keys r && keys a && shows "^sh-$inner" &&
    keys Enter && shows "NSPID S THRD" && shows "^ *$inner *1 R" && keys Escape && shows "^NAME" &&
    keys Escape && shows "^ctop" && keys / no-such-name Enter && shows "no container passes the filter" && keys Escape &&
    keys j k g G PPage NPage Home End Up Down q && shows "^ended 0" && test_cmp before after
'

test_expect TMUX 'a small terminal, and one that changes its size, are no trouble' '
    open_screen 20 5 && shows "^NAME" && tm resize-window -x 1 -y 1 && sleep 0.5 && tm resize-window -x 200 -y 60 && shows "q quit" &&
    tm resize-window -x 80 -y 24 && shows "^NAME" && keys h && keys x && keys q && shows "^ended 0"
'

test_expect TMUX 'stopped and gone on with, or ended by a signal, it gives the terminal back' '
    open_screen 80 24 && shows "^NAME" && pid=$(pgrep -n -x ctop) && kill -TERM "$pid" && shows "^ended 0" && test_cmp before after &&
    open_screen 80 24 && shows "^NAME" && pid=$(pgrep -n -x ctop) && kill -STOP "$pid" && kill -CONT "$pid" && keys h && shows "Any key" &&
    keys x q && shows "^ended 0"
'

test_expect TMUX 'a terminal that is not known, or cannot move its cursor, is said' '
    ctop_env="TERM=no-such-terminal" && open_screen 80 24 && shows "^hint: -b prints tables" && shows "^ended 1" && test_cmp before after &&
    ctop_env="TERM=dumb" && open_screen 80 24 && shows "cannot move its cursor" && shows "^ended 1" && test_cmp before after
'

test_expect TMUX 'without colours and without UTF-8 it is the same screen' '
    ctop_env="NO_COLOR=1 LC_ALL=C" && open_screen 80 24 && shows "^NAME" && tm capture-pane -p -e >raw &&
    test_grep -v "$(printf "\033")\[3[0-8]m" raw && keys q && shows "^ended 0" &&
    ctop_env="" && open_screen 80 24 --theme safe && shows "^NAME" && keys q && shows "^ended 0"
'
test_done
