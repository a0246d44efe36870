#!/bin/bash
# ctop without an engine: wrong input, forms of output, a container of ours that no engine claims.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/isolated.sh"
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
    isolated "exec sleep 1000000" && start_busy && open_screen 100 20 -f "sh-$inner" && shows "^sh-$inner" && shows "1 of [0-9]* containers" &&
    keys h && shows "Any key: back" && keys x && shows "^NAME" &&
    keys s && shows "sort by" && keys G Up Up && keys Enter && shows "^NAME" &&
    keys t && shows "^-: 1, cpu" && keys t && shows "^bare: 1, cpu" && keys t &&
    keys c && shows "columns (Space" && keys Down Space Escape && shows "^NAME *TROUBLE" &&
    keys p && shows PAUSED && keys p && keys r && keys a && shows "^sh-$inner" &&
    keys Enter && shows "NSPID S THRD" && shows "^ *$inner *1 R" && keys Escape && shows "^NAME" &&
    keys Escape && shows "^ctop" && keys / no-such-name Enter && shows "no container passes the filter" && keys Escape &&
    keys j g G PPage NPage Home End Up Down q && shows "^ended 0" && test_cmp before after
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

test_expect TMUX 'the keys that one is lost without are whole on 80 columns' '
    open_screen 80 24 && shows "^q quit  h help  / filter  Enter open  e shell  d diff  k signal  s sort  a all" && keys / x && shows "^/x_  Enter keep  Esc all" &&
    keys Enter && shows "^/x  Esc all" && keys q && shows "^ended 0"
'

test_expect TMUX 'what could not be read is on the screen, and does not look like a host without containers' '
    : >file && open_screen 80 24 --store podman=file --store docker=file -f no-such-name && shows "^not all is seen (2): .*file" && keys q && shows "^ended 2"
'

# Not under $SONDE_BUILD: what stands beside it is started.
own_ctop()
{
    mkdir -p own && cp "$(command -v ctop)" own/ && PATH=$PWD/own:$PATH && hash -r &&
        printf "#!/bin/sh\necho got \"\$@\"\nexit \$(cat %s)\n" "$PWD/status" >own/cdebug && chmod +x own/cdebug && cp own/cdebug own/cdiff
}

test_expect TMUX,UNSHARE 'e and d start the programs beside it, with its --store; why there is no session can be read' '
    start_busy && own_ctop && mkdir -p nowhere && echo 125 >status &&
    open_screen 120 20 --store "podman=$PWD/nowhere" -f "sh-$inner" && shows "^sh-$inner" &&
    keys e && shows "^got --store podman=$PWD/nowhere -- bare:" && shows "Enter: back to ctop" && keys Enter && shows "^sh-$inner" &&
    echo 0 >status && keys d && shows "Enter: back to ctop" && keys Enter && shows "^sh-$inner" && keys e && shows "^sh-$inner" && keys q && shows "^ended 0"
'

test_expect TMUX,UNSHARE 'one container: its processes scroll, and help leads back there' '
    { timeout -k 1 60 unshare --pid --fork --kill-child sh -c "for i in 1 2 3 4 5 6 7 8 9; do sleep 9\$i\$i & done; for i in 1 2 3 4 5 6 7 8 9; do sleep 8\$i\$i & done; wait" & } &&
    many=$! && test_cleanup "kill -9 \$(pgrep -P \$(pgrep -P $many)) 2>/dev/null || :" && test_wait "pgrep -P \$(pgrep -P $many)" && many=$(pgrep -P "$(pgrep -P $many)") &&
    open_screen 80 24 -f "sh-$many" && shows "^sh-$many" && keys Enter && shows "COMMAND  (1 to 9 of 19)" && shows "^Esc back  e shell" &&
    keys Down && shows "(2 to 10 of 19)" && keys h && shows "Any key: back" && keys x && shows "(2 to 10 of 19)" && keys G && shows "(11 to 19 of 19)" &&
    shows "sleep 899" && keys PPage && shows "(2 to 10 of 19)" && keys g && shows "(1 to 9 of 19)" && keys Escape && shows "^NAME" && keys q && shows "^ended 0"
'

test_expect TMUX,UNSHARE 'k sends a signal after a question, to the one that was there; nothing without y' '
    { timeout -k 1 60 unshare --pid --fork --kill-child sh -c "trap \"echo hup >>$PWD/got\" HUP; while :; do sleep 0.2; done" & } && one=$! &&
    test_wait "pgrep -P \$(pgrep -P $one)" && one=$(pgrep -P "$(pgrep -P $one)") && test_cleanup "kill -9 $one 2>/dev/null || :" &&
    open_screen 80 24 -f "sh-$one" && shows "^sh-$one" && keys k && shows "(Enter, Esc) to process $one, the first of bare sh-$one" &&
    keys j Down Enter && shows "^send HUP to process $one, the first of bare sh-$one? y" && keys Enter && shows "^nothing was sent" &&
    keys k && shows "(Enter, Esc)" && keys Escape && shows "^sh-$one" && test ! -e got && keys Enter && shows "^Esc back" &&
    keys k && shows "(Enter, Esc)" && keys j j Enter && shows "^send HUP" && keys y && shows "^HUP was sent to process $one" && test_wait "test -e got" && shows "NSPID" &&
    keys q && shows "^NAME" && keys k && shows "(Enter, Esc)" && keys G Enter && shows "^send KILL" && kill -9 "$one" && sleep 0.3 &&
    keys y && shows "^KILL was not sent: process $one has ended" && keys k && keys q && shows "^ended 0" && test "$(cat got)" = hup
'

# --- recordings ----------------------------------------------------------------------------------

"$SONDE_SOURCE/tests/lib/ctop-recording.py" "$TRASH/recorded"
golden=$SONDE_SOURCE/tests/fixtures/ctop

# same_screen SIZE: the screen is that of the fixture; SONDE_GOLDEN=write makes it so
same_screen()
{
    look >actual
    [ "${SONDE_GOLDEN-}" != write ] || cp actual "$golden/$1"
    test_cmp "$golden/$1" actual
}

# replayed COLUMNS LINES ARGUMENT...: the recording's last sample is on the screen
replayed()
{
    ctop_env="TZ=UTC LC_ALL=C.UTF-8" open_screen "$1" "$2" --replay "$TRASH/recorded" -d 0.1 "${@:3}" && shows "END"
}

for size in 80x24 120x40 200x60; do
    test_expect TMUX "the screen of $size is as it was seen and found good" "
        replayed ${size%x*} ${size#*x} && same_screen $size && keys q && shows '^ended 0'
    "
done

test_expect TMUX 'other views of a recording: groups, one container, ASCII, a small terminal' '
    replayed 80 24 && keys t && shows "^farm: 20, cpu" && same_screen 80x24-groups && keys t t / evil Enter && shows "1 of 28" && keys Enter &&
    shows "^SOURCE\|SOURCE *cgroup" && same_screen 80x24-one && keys q q && shows "^ended 0" && replayed 20 5 && same_screen 20x5 && keys q &&
    ctop_env="TZ=UTC LC_ALL=C" && open_screen 80 24 --replay "$TRASH/recorded" -d 0.1 && shows END && same_screen 80x24-ascii && keys q
'

test_expect TMUX 'no byte of a hostile name gets to the terminal as it is' '
    replayed 120 40 && tm capture-pane -p -e >raw && LC_ALL=C grep -c "owned" raw && ! tm display-message -p "#{pane_title}" | grep owned &&
    ! LC_ALL=C grep -q "$(printf "\007\|\377\|\342\200\256")" raw
'

test_expect TMUX 'Left and Right step in time' '
    replayed 80 24 && keys Left && shows "08:26:44 PAUSED" && keys Left && shows "08:26:43" && keys Right && shows "08:26:44" && keys Right &&
    shows "08:26:45" && keys Right && shows "08:26:45 END" && keys Left Left Left Left Left Left && shows "08:26:41" && keys q && shows "^ended 0"
'

test_expect 'a recording is text, too, and begins at a time' '
    ctop --replay recorded --json >json && test "$(wc -l <json)" = 5 && jq -r ".events[] | \"\(.event) \(.name) \(.number)\"" json >events &&
    printf "throttled web 60\nexited payments 137\nstarted payments-2 null\n" >expect && test_cmp expect events &&
    ctop --replay recorded --at 2025-11-22T08:26:44Z --json >json && jq -r .time json >times &&
    printf "%s\n" 2025-11-22T08:26:44.000000000Z 2025-11-22T08:26:45.000000000Z >expect && test_cmp expect times &&
    says ".recorded. ends before that time" --replay recorded --at 2025-11-23T00:00:00Z -b &&
    ctop --replay recorded -b -n 1 -f evil -o NAME -H >out && echo "evil\\x1b]0;owned\\x07\\xff\\u{202e}" >expect && test_cmp expect out
'

test_expect 'a recording that is cut off, damaged, newer or none is no accident' '
    head -c -5 recorded >cut && ctop --replay cut --json >json && test "$(wc -l <json)" = 4 &&
    head -c 12 recorded >empty && ctop --replay empty --json >json && test_empty json &&
    { head -c 11 recorded; printf "\\002"; } >newer && says ".newer. is of version 2, known here is 1" --replay newer -b &&
    test_grep "newer sonde" err && echo hello >none && says ".none. is no recording of ctop" --replay none -b &&
    says ".none. is no recording of ctop" --record none && says "open .absent.: No such file or directory" --replay absent -b &&
    says "--record and --replay exclude each other" --record a --replay b && mkfifo pipe && says "open .pipe.: .*" --replay pipe -b
'

test_expect 'what is recorded while it is killed can be replayed and gone on with' '
    { ctop --record rec -d 0.1 & } && pid=$! && test_wait "test \$(stat -c %s rec) -gt 300" &&
    test_status 1 ctop --record rec -n 1 2>err && test_grep "another ctop records to" err && kill -9 $pid && test_status 137 wait $pid &&
    before=$(ctop --replay rec --json | wc -l) && ctop --record rec -n 2 -d 0.1 && ctop --replay rec --json >json &&
    test "$(wc -l <json)" = $((before + 3)) &&
    test "$(stat -c %a rec)" = 600
'
test_done
