#!/bin/bash
# cps on stores of a dead host (--sysroot): what it lists, how it draws, what it says of wrong input.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"

root=$TRASH/host
# shellcheck disable=SC2034 # used in the test scripts
schemas=$SONDE_SOURCE/docs/json

dead() { cps --sysroot "$root" "$@"; }

names() { dead --no-headings -o NAME "$@"; }

# names_are NAMES ARGUMENT...: the names that cps lists, in order
names_are()
{
    local expect=$1
    shift
    names "$@" >actual && tr ' ' '\n' <<<"$expect" | sed '/^$/d' >wanted && test_cmp wanted actual
}

valid() { python3 "$SONDE_SOURCE/tests/lint/schema.py" "$schemas/cps-$1.schema.json" "$2"; }

# says STATUS TEXT ARGUMENT...: nothing on stdout, TEXT (a regular expression) as first line on stderr
says()
{
    local status=$1 text=$2
    shift 2
    test_status "$status" cps "$@" >out 2>err && test_empty out && head -n 1 err >first && test_grep "^cps: $text\$" first
}

usage_error()
{
    says 1 "$@" && test "$(wc -l <err)" = 2 && test_grep "^Try 'cps --help'\.\$" err
}

# --- help, version, usage ------------------------------------------------------------------------

test_expect '--help and --version go to standard output' '
    cps --help >out 2>err && test_empty err && test_grep "^Usage: cps \[OPTION...\]$" out &&
    cps --version >out 2>err && test_empty err && test_grep "^cps (sonde) [0-9]" out
'

test_expect 'a usage error is one line and the hint to --help' '
    usage_error "unknown option .--foo." --foo && usage_error "unknown option .-z." -z &&
    usage_error "option .--last.: .x. is not a valid N" -n x && usage_error "--pid needs a pid" -p &&
    usage_error "option .--last.: .0. is not a valid N" -n 0 && usage_error "option .--last.: .4294967296. is too large a N" -n 4294967296 &&
    usage_error "--tree needs a container" --tree && usage_error "--ns takes one container" --ns a b &&
    usage_error "--type goes with --ns" -t net && usage_error "--quiet excludes .*" -q --json &&
    usage_error "--all, .*" -a web && usage_error "one question at a time: .* exclude each other" -p --ns 1
'

test_expect 'unknown columns, filters and stores are said, with what is known' '
    says 1 "unknown column .NOPE." -o NOPE && test_grep "^hint: --list-columns" err &&
    says 1 "unknown column .nope." -o NAME --sort=-nope &&
    says 1 "--filter .colour=red.: unknown key" -f colour=red && test_grep "^hint: keys are name, " err &&
    says 1 "--filter .name.: not KEY=VALUE" -f name &&
    says 1 "--filter .status=asleep.: unknown status" -f status=asleep && test_grep "^hint: one of created" err &&
    says 1 "--filter name=.\[.: .*" -f "name=[" &&
    says 1 "--store .docker.: not ENGINE=DIR" --store docker &&
    says 1 "--store .dokcer=/x.: unknown engine" --store dokcer=/x && test_grep "^hint: engines: docker, .*, youki\$" err &&
    says 1 "--store .bare=/x.: unknown engine" --store bare=/x &&
    says 1 "--filter .engine=dokcer.: unknown engine" -f engine=dokcer && test_grep "^hint: engines: .*, bare\$" err &&
    for code in x "" 999 256 -1 0x1; do says 1 "--filter .exited=$code.: no exit code, 0 to 255" -f "exited=$code" || return 1; done &&
    says 1 ".x. is no type of namespace" --ns -t net,x
'

test_expect 'an option that is nearly right is told' '
    says 1 "unknown option .--prot." --prot 80 && test_grep "^hint: did you mean --port?\$" err &&
    says 1 "unknown option .--sysrot." --sysrot=/x && test_grep "^hint: did you mean --sysroot?\$" err &&
    says 1 "unknown option .--colour." --colour && test_grep -v "^hint" err
'

test_expect 'a full disk is a failure' '
    test -c /dev/full && test_status 1 cps --help >/dev/full 2>err && test_grep "^cps: write to stdout: No space" err &&
    test_status 1 cps -f engine=bare -f name=no-such >/dev/full 2>err && test_grep "^cps: write to stdout: No space" err &&
    [ "$(grep -c "" err)" = 1 ]
'

# --- lists ---------------------------------------------------------------------------------------

test_expect 'no container at all: only the headings, status 0' '
    mkdir empty && test_status 0 cps --sysroot empty -a >out 2>err &&
    echo "hint: no engine'"'"'s state is there: is it where the host'"'"'s root is mounted?" >expect && test_cmp expect err &&
    echo "ID NAME ENGINE IMAGE STATUS PID UPTIME" >expect && test_cmp expect out &&
    cps --sysroot empty --no-headings >out && test_empty out &&
    cps --sysroot empty --json >out 2>err && test_empty err && test_json . "{\"schema\":1,\"containers\":[],\"diagnostics\":[]}" out
'

test_expect JQ 'a dead host has no running containers' '
    docker_record "$root" 1 web ".State.ExitCode = 7 | .Config.Labels = {tier: \"front\", \"com.docker.compose.project\": \"shop\"}" &&
    docker_record "$root" 2 db ".State.Running = true | .State.Pid = 1 | .Config.Image = \"reg.example/lib/redis:7\"" &&
    docker_record "$root" 3 fresh ".State.StartedAt = \"0001-01-01T00:00:00Z\" | .State.FinishedAt = \"0001-01-01T00:00:00Z\"" &&
    docker_record "$root" 4 web-2 ".Config.Labels = {tier: \"back\"} | .RestartCount = 3" &&
    names_are "" 2>err && echo "hint: nothing runs on a host that is not this one: -a shows what stopped" >expect && test_cmp expect err
'

test_expect JQ '-a lists stopped ones, the newest first' '
    names_are "web-2 fresh db web" -a
'

test_expect JQ 'status and exit code are those of the record; one that died unseen has none' '
    dead -a --no-headings -o NAME,STATUS,EXIT >out && sed "s/  */ /g" out >actual && cat >expect <<-\EOT &&
	web-2 exited (0) 0
	fresh created -
	db exited -
	web exited (7) 7
	EOT
    test_cmp expect actual
'

test_expect JQ 'what waits for its next restart has the code it ended with, and no time that it is up' '
    docker_record "$TRASH/loops" 1 loop ".State.Running = true | .State.Restarting = true | .State.ExitCode = 3" &&
    cps --docker-root "$TRASH/loops/var/lib/docker" -f name=^loop$ --no-headings -o NAME,STATUS,PID,UPTIME >out &&
    sed "s/  */ /g" out >actual && echo "loop restarting (3) - -" >expect && test_cmp expect actual
'

test_expect JQ '-l and -n take the newest in any state' '
    names_are "web-2" -l && names_are "web-2 fresh" -n 2 && names_are "web-2 fresh db web" -n 9
'

test_expect JQ '-q prints ids, cut to 12 characters unless --no-trunc' '
    dead -aq >out && docker_id 4 | cut -c 1-12 >expect && head -n 1 out >actual && test_cmp expect actual &&
    dead -a -q --no-trunc >out && docker_id 4 | sed "\$a\\" >expect && head -n 1 out >actual && test_cmp expect actual
'

test_expect JQ 'filters of one key are alternatives, of different keys must all hold' '
    names_are "web-2 web" -a -f name=web && names_are "web" -a -f "name=^web$" &&
    names_are "db web" -a -f name=db -f "name=^web$" &&
    names_are "web" -a -f name=web -f label=tier=front &&
    names_are "web-2 web" -a -f label=tier && names_are "" -a -f label=tie &&
    names_are "fresh" -a -f status=created && names_are "web-2 db web" --filter=status=exited &&
    names_are "web" -f exited=7 && names_are "" -a -f exited=9 &&
    names_are "db" -a -f image=redis && names_are "db" -a -f image=lib/redis:7 && names_are "" -a -f image=edis &&
    names_are "db" -a -f ancestor=reg.example/lib/redis &&
    names_are "web" -a -f project=shop && names_are "db" -a -f id="$(docker_id 2 | cut -c 1-6)" &&
    names_are "" -a -f engine=podman && names_are "db" -a -f engine=docker -f name=db
'

test_expect JQ '--sort sorts by any column, numbers as numbers, unknown ones last' '
    names_are "db fresh web web-2" -a --sort NAME && names_are "web-2 web fresh db" -a --sort=-name &&
    names_are "web-2 web fresh db" -a --sort exit && names_are "web web-2 fresh db" -a --sort=-exit &&
    names_are "web db fresh web-2" -a --sort created && names_are "web-2 fresh db web" -a --sort restarts --sort=-restarts
'

test_expect '-o takes and adds columns; every column that is listed can be shown' '
    dead -a -o name,image >out && head -n 1 out | sed "s/  */ /g" >actual && echo "NAME IMAGE" >expect && test_cmp expect actual &&
    dead -a -o +PROJECT >out && head -n 1 out | sed "s/  */ /g" >actual &&
    echo "ID NAME ENGINE IMAGE STATUS PID UPTIME PROJECT" >expect && test_cmp expect actual &&
    all=$(cps --list-columns | cut -d" " -f1 | paste -sd,) && dead -a -o "$all" >out &&
    head -n 1 out | tr -s " " "," >actual && echo "$all" >expect && test_cmp expect actual
'

# --- JSON ----------------------------------------------------------------------------------------

test_expect JQ,PYTHON 'JSON is as its schema says, with whole ids and every field' '
    dead -a --json >out && valid containers out &&
    test_json "[.containers[].name]" "[\"web-2\",\"fresh\",\"db\",\"web\"]" out &&
    test_json ".containers[3] | [.id, .status, .exit_code, .pid, .engine, .project, .labels.tier]" \
        "[\"$(docker_id 1)\",\"exited\",7,null,\"docker\",\"shop\",\"front\"]" out &&
    test_json ".containers[3].created" "2026-01-01T00:01:00.000000000Z" out &&
    test_json "[.containers[] | has(\"procs\") or has(\"process\")] | any" false out &&
    test_json ".containers[2].exit_code" null out && test_json ".containers[0].restarts" 3 out
'

test_expect JQ 'with -o JSON has the keys of those columns only' '
    dead -a --json -o NAME,PROCS,UPTIME >out && test_json ".containers[0]" "{\"name\":\"web-2\",\"procs\":null}" out
'

# --- hostile and broken stores ----------------------------------------------------------------------

test_expect JQ,PYTHON 'escape sequences, controls and bidirectional marks do not reach the terminal' '
    evil=$TRASH/evil &&
    docker_record "$evil" 1 "x" ".Name = \"/a\u001b[31mb\u009bc\u202ed\ne\" | .Config.Image = \"i\\tm\" | .Config.Labels = {\"k\u0007\": \"v\u007f\"}" &&
    cps --sysroot "$evil" -a -o NAME,IMAGE,LABELS --no-trunc >out && ! LC_ALL=C grep -q "[^ -~]" out && test "$(wc -l <out)" = 2 &&
    test_grep "a.x1b\[31mb" out &&
    cps --sysroot "$evil" -a --json >json && ! LC_ALL=C grep -q "[^ -~]" json && valid containers json &&
    jq -j ".containers[0].name" json >actual && printf "a\033[31mb\302\233c\342\200\256d\ne" >expect && cmp expect actual
'

test_expect JQ 'a record that cannot be read is a diagnostic with status 2; the rest is listed' '
    broken=$TRASH/broken && docker_record "$broken" 1 good && docker_record "$broken" 2 bad &&
    bad=$broken/var/lib/docker/containers/$(docker_id 2)/config.v2.json && head -c 300 "$bad" >cut && cp cut "$bad" &&
    test_status 2 cps --sysroot "$broken" -a -o NAME >out 2>err && printf "NAME\ngood\n" >expect && test_cmp expect out &&
    test_grep "^cps: docker container $(docker_id 2 | cut -c 1-12): " err && test "$(grep -c "^cps: " err)" = 1 &&
    test_status 2 cps --sysroot "$broken" -a --json >out 2>err && test_json ".containers | length" 1 out &&
    test_json ".diagnostics | length" 1 out && test_grep "^cps: docker container " err
'

test_expect JQ '1,000 containers are listed' '
    docker_records "$TRASH/many" 1000 && cps --sysroot "$TRASH/many" -aq --no-trunc >out &&
    test "$(sort -u out | wc -l)" = 1000 && cps --sysroot "$TRASH/many" -a --json >out && test_json ".containers | length" 1000 out
'

test_expect ROOT,JQ 'a hint that several diagnostics share is said once' '
    locked=$TRASH/locked && docker_record "$locked" 1 a && docker_record "$locked" 2 b &&
    chmod 711 "$locked" "$locked"/var/lib/docker && chmod 700 "$locked"/var/lib/docker/containers/* &&
    test_status 2 as_nobody cps --sysroot "$locked" -a >out 2>err &&
    test "$(grep -c "^cps: .*Permission denied$" err)" = 2 && test "$(grep -c "^hint: " err)" = 1 && tail -n 1 err >last && test_grep "^hint: .*root" last
'

# --- operands ------------------------------------------------------------------------------------

test_expect JQ 'an unknown name fails, an ambiguous one shows the candidates' '
    says 1 "no container .nope." --sysroot "$root" nope && test_grep "^hint: .cps -a. lists" err &&
    says 1 ".000. is ambiguous: 4 containers match" --sysroot "$root" 000 && test_grep "^  docker:web-2  000" err &&
    test_status 1 cps --sysroot "$root" --json nope >out 2>err && test_json .processes "[]" out
'

test_expect JQ 'a stopped container has no processes: one line and a hint' '
    says 1 "container .web. is not running: exited (7) on 2026-01-01 00:01:02 UTC" --sysroot "$root" web &&
    echo "hint: the host that is looked at does not run" >expect && tail -n +2 err >hint && test_cmp expect hint &&
    docker_record "$TRASH/ended" 1 ended ".State.ExitCode = 7 | .LogPath = \"/some/where.log\"" &&
    docker_record "$TRASH/ended" 2 loops ".State.Running = true | .State.Restarting = true | .State.ExitCode = 3" &&
    ended=$TRASH/ended/var/lib/docker && says 1 "container .ended. is not running: exited (7) on .*" --docker-root "$ended" "docker:$(docker_id 1)" &&
    test_grep "^hint: start it first; its log is /some/where.log\$" err &&
    says 1 "container .loops. is not running: restarting (3)" --docker-root "$ended" loops && test_grep "^hint: its engine starts it again and again" err
'

test_expect 'wrong pids and hosts without processes are said' '
    says 1 ".x. is not a pid" -p x && says 1 ".0. is not a pid" -p 0 && says 1 ".99999999999. is not a pid" -p 99999999999 &&
    says 1 "pid 1: not the running host" --sysroot "$root" -p 1 &&
    says 1 "list namespaces: not the running host" --sysroot "$root" --ns &&
    says 1 "open the host.s root .*No such file or directory" --sysroot "$TRASH/nowhere"
'

# --- the running host ------------------------------------------------------------------------------

# ns ARGUMENT...: the namespaces in `out`; where even root may not look at pid 1, status 2 is right
ns() { cps --ns "$@" >out 2>err || test $? = 2; }

# plain: `out` with single blanks in `actual`
plain() { sed 's/^ *//; s/  */ /g' out >actual; }

# family: a container of two processes, $init and $child
family()
{
    unshare --pid --fork --mount-proc sh -c "sleep 301 & exec sleep 300" &
    outer=$!
    test_cleanup "kill -9 $outer 2>/dev/null; wait"
    test_wait 'init=$(pgrep -P $outer) && child=$(pgrep -P $init)' && init=$(pgrep -P "$outer") && child=$(pgrep -P "$init") &&
        test_cleanup "kill -9 $init 2>/dev/null; true" && test_wait "pgrep -x -P $outer sleep && pgrep -x -P $init sleep"
}

test_expect JQ,PYTHON 'namespaces are as the schema says; those that cps is in are the host'"'"'s' '
    ns --json && valid namespaces out && test_json "[.namespaces[] | select(.type == \"uts\" and .host)] | length" 1 out &&
    test_json "[.namespaces[] | select(.type == \"net\" and .host) | .ns][0]" "$(stat -Lc %i /proc/self/ns/net)" out &&
    ns -t net,uts --json && test_json "[.namespaces[].type] | unique" "[\"net\",\"uts\"]" out
'

test_expect UNSHARE,JQ,PYTHON 'the processes of a container, as table, tree and JSON' '
    family && cps "pid:$init" --no-headings -o PID,NSPID,COMMAND >out && plain && sort -n actual >sorted &&
    printf "%s 1 sleep 300\n%s 2 sleep 301\n" "$init" "$child" | sort -n >expect && test_cmp expect sorted &&
    cps "pid:$init" --tree -o COMMAND --no-headings >out && printf "sleep 300\n\`-sleep 301\n" >expect && test_cmp expect out &&
    cps "pid:$init" --json >out && valid processes out &&
    test_json ".processes[] | select(.pid == $child) | [.ns_pid, .ppid, .command, .host_uid]" "[2,$init,\"sleep 301\",0]" out
'

test_expect UNSHARE,JQ,PYTHON '-p tells the container of a process, --ns its namespaces' '
    family && cps -p "$child" --no-headings -o PROCESS,PID >out && plain && echo "$child $init" >expect && test_cmp expect actual &&
    cps -p "$child" "$init" --json >out && valid containers out && test_json "[.containers[].process]" "[$child,$init]" out &&
    cps -o PID,PROCS -f engine=bare --no-headings >out && test_grep "^ *$init  *2$" out &&
    ns "pid:$init" -t pid --no-headings -o NS,NPROCS,PID && plain &&
    echo "$(stat -Lc %i "/proc/$init/ns/pid") 2 $init" >expect && test_cmp expect actual
'

test_expect 'a process in no container fails with one line; the others are shown' '
    says 1 "process $$ is in no container" -p $$ && test_grep "^hint: " err
'

test_expect ROOT 'a user without privileges gets a list, and told what needs root' '
    test_status 2 as_nobody cps --ns -t uts >out 2>err && test_grep "^hint: run as root" err && test_grep " uts " out
'

test_done
