#!/bin/bash
# make bench: how fast the tools are beside what does their job otherwise, both in one run of hyperfine, and the
# table in docs/benchmarks.md, which is only ever written here.
#
# BENCH_RUNS=N   runs of each command (default 30); with another number the table goes to build/benchmarks.md
# BENCH_PARTS=…  only these of docker podman namespaces all export files copy; the table goes to build/benchmarks.md
# BENCH_SCALE=N  containers (default 60); processes are 5000, or 50 times that if less
#
# As root, on a quiet machine: it brings up a dockerd and a podman of its own, one after the other.
set -u

SONDE_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath "${SONDE_BUILD:-$SONDE_SOURCE/build}")
PATH=$build:$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL SONDE_SOURCE
unset DOCKER_HOST DOCKER_CONTEXT CONTAINER_HOST

runs=${BENCH_RUNS:-30}
rounds=5
parts=${BENCH_PARTS:-docker podman namespaces all export files copy}
count=${BENCH_SCALE:-60}
processes=$((count * 50 < 5000 ? count * 50 : 5000))
[ "$runs" -ge "$rounds" ] || rounds=$runs
[ "$count" -lt 60 ] || processes=5000

say() { printf 'bench: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] || die 'needs root: it starts engines'
for program in hyperfine jq strace dockerd podman nsenter lsns mksquashfs; do
    command -v "$program" >/dev/null || die "needs $program: sudo make check-deps"
done

base=$(mktemp -d /var/tmp/sonde.XXXXXX) || exit 1
chmod 711 "$base"
SONDE_TEST_DIR=$base/bench
mkdir "$SONDE_TEST_DIR"
export SONDE_TEST_DIR
. "$SONDE_SOURCE/tests/engines/docker.sh"
. "$SONDE_SOURCE/tests/engines/podman.sh"
. "$SONDE_SOURCE/tests/bench/all-engines.sh"
. "$SONDE_SOURCE/tests/bench/debug.sh"
. "$SONDE_SOURCE/tests/bench/export.sh"
. "$SONDE_SOURCE/tests/bench/files.sh"
. "$SONDE_SOURCE/tests/bench/copy.sh"
all_downs=
rows=$base/rows
: >"$rows"

spawner=
down()
{
    trap '' INT TERM HUP
    trap - EXIT
    [ -z "$spawner" ] || kill "$spawner" 2>/dev/null
    all_down
    docker_down
    podman_down
    rm -rf --one-file-system "$base"
}
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- measuring ---------------------------------------------------------------------------------

# compare OURS PEER...: median milliseconds of ours and of the fastest of the peers, in $ours and $peer. The commands
# are run without a shell, in turns of a few runs each, so that what else the machine does hits all of them. Ours may end with 2: this host may have something that cannot be read.
# ${prepare[@]}: hyperfine's options for what is done before each run. $warmup: runs of each turn that do not count.
prepare=()
warmup=2
compare()
{
    local status=0 round
    [ ${#prepare[@]} = 0 ] || ${prepare[1]}
    # shellcheck disable=SC2086 # words
    $1 >"$base/once" 2>&1 || status=$?
    [ "$status" = 0 ] || [ "$status" = 2 ] || { cat "$base/once" >&2; die "status $status: $1"; }
    rm -f "$base"/round.*
    for ((round = 0; round < rounds; round++)); do
        hyperfine -N -i --warmup $warmup --runs $((runs / rounds)) --style none "${prepare[@]}" --export-json "$base/round.$round" "$@" \
            >"$base/hyperfine.log" 2>&1 || { cat "$base/hyperfine.log" >&2; die "cannot run: $*"; }
    done
    jq -s 'def median: sort | .[length / 2 | floor];
        [.[].results[]] | group_by(.command) | map({ key: .[0].command, value: (map(.times[]) | median * 1000) }) |
        from_entries' "$base"/round.* >"$base/medians"
    ours=$(jq --arg c "$1" '.[$c]' "$base/medians")
    peer=$(jq --arg c "$1" 'del(.[$c]) | [.[]] | min' "$base/medians")
    fastest=$(jq -r --arg c "$1" 'del(.[$c]) | to_entries | min_by(.value).key' "$base/medians")
}

calc() { awk "BEGIN { printf(\"$1\", ($2)) }"; }
met() { if [ "$(calc %d "$1")" = 1 ]; then echo yes; else echo '**no**'; fi; }

# seldom RUNS WARMUP COMMAND...: with no more runs than these, and so many in each turn that do not count: for what takes
# seconds. (Ours has run once before it is measured.)
seldom()
{
    local runs=$((runs < $1 ? runs : $1)) rounds=$rounds warmup=$2
    [ "$rounds" -le "$runs" ] || rounds=$runs
    "${@:3}"
}

# row TITLE OURS PEER RATIO TARGET MET WHY: of the table
row()
{
    printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$@" >>"$rows"
    say "$1: $2, $4 (target $5): $6"
}

# faster TITLE N WHY: a row: at least N times as fast as the peer
faster()
{
    local ratio
    ratio=$(calc %.1f "$peer / $ours")
    row "$1" "$(calc %.2f "$ours") ms" "$(calc %.2f "$peer") ms" "$ratio times faster" "at least $2" \
        "$(met "$peer / $ours >= $2")" "$3"
}

# within TITLE N WHY: a row: at most N times what the peer takes
within()
{
    local ratio
    ratio=$(calc %.2f "$ours / $peer")
    row "$1" "$(calc %.2f "$ours") ms" "$(calc %.2f "$peer") ms" "$ratio of its time" "at most $2" \
        "$(met "$ours / $peer <= $2")" "$3"
}

# at_most TITLE VALUE UNIT LIMIT WHY: a row without a peer
at_most()
{
    [[ $2 =~ ^[0-9.]+$ ]] || die "no figure: $1"
    row "$1" "$2 $3" - - "at most $4 $3" "$(met "$2 <= $4")" "$5"
}

# peak COMMAND...: its largest resident set in MiB
peak()
{
    local status=0
    "$build/helpers/peak-memory" "$base/peak" "$@" >/dev/null 2>"$base/once" || status=$?
    [ "$status" = 0 ] || [ "$status" = 2 ] || { cat "$base/once" >&2; return 1; }
    calc %.1f "$(cat "$base/peak") / 1024"
}

# calls COMMAND...: its system calls, with those of its children
calls()
{
    strace -f -qq -c -o "$base/strace" "$@" >/dev/null 2>&1
    awk '$NF == "total" { print $4 }' "$base/strace"
}

memory_row() { at_most "peak memory of \`$1\`" "$2" MiB 8 "$3"; }

# --- 60 docker containers ------------------------------------------------------------------------

docker_scene()
{
    local n
    say "dockerd and $count containers"
    docker_up || die 'dockerd does not start'
    dk run -d --network none --name bench-web "$IMAGE" >/dev/null || die 'docker run'
    for ((n = 2; n <= count; n++)); do
        dk run -d --network none --name "bench-$n" "$IMAGE" >/dev/null || die 'docker run'
    done
}

# Every docker client in PATH: the fastest is the peer.
docker_clients() { type -aP docker | xargs -n1 realpath | sort -u; }

docker_peers()
{
    local client
    peers=()
    for client in $(docker_clients); do
        if "$client" -H "unix://$DOCKER_DIR/docker.sock" ps >/dev/null 2>&1; then
            peers+=("$client -H unix://$DOCKER_DIR/docker.sock $*")
        fi
    done
}

bench_docker()
{
    local pid store="--store docker=$DOCKER_DIR/data"
    docker_scene
    docker_peers ps
    [ "$(cps -q --filter engine=docker | wc -l)" -ge "$count" ] || die "cps does not see the $count containers"
    compare "cps $store" "${peers[@]}"
    faster "\`cps\` and \`docker ps\`, $count containers" 5 '13 system calls a container (its record, the runtime'"'"'s start time, `/proc/PID/stat`), 4 a process, reading the mount table'
    docker_client="$("${fastest%% *}" --version)"

    pid=$(dk inspect -f '{{.State.Pid}}' bench-web)
    compare "cnsenter $store bench-web true" "nsenter -t $pid -a true"
    within '`cnsenter web true` and `nsenter -t PID -a true`' 1.5 'finding it: the records of all engines and one link a process, half of it; a copy of 2.9 MB of program, sealed, a fifth; two starts'
    docker_peers exec bench-web true
    compare "cnsenter $store bench-web true" "${peers[@]}"
    faster '`cnsenter web true` and `docker exec web true`' 15 'the same'
    bench_debug "$store" "$pid"
    memory_row "cps, $count containers" "$(peak cps)" 'jansson values of one record at a time, the libraries'
    memory_row 'cps web' "$(peak cps bench-web)" 'the same'
    memory_row 'cnsenter web true' "$(peak cnsenter bench-web true)" 'a static program, twice: the file and the sealed copy'
    memory_row 'cdebug web -- true' "$(peak cdebug bench-web -- true)" 'the same'
    docker_version=$(dk version -f '{{.Server.Version}}')
    docker_down
}

# --- 60 podman containers ------------------------------------------------------------------------

podman_scene()
{
    local n
    say "podman and $count containers"
    podman_up || die 'podman does not work'
    for ((n = 1; n <= count; n++)); do
        pm run -d --name "bench-$n" "$IMAGE" >/dev/null </dev/null 2>"$base/podman.log" ||
            { cat "$base/podman.log" >&2; die 'podman run'; }
    done
}

bench_podman()
{
    podman_scene
    export CONTAINERS_CONF=$PODMAN_DIR/containers.conf CONTAINERS_STORAGE_CONF=$PODMAN_DIR/storage.conf
    compare "cps --store podman=$PODMAN_DIR/root" \
        "podman --root $PODMAN_DIR/root --runroot $PODMAN_DIR/run --tmpdir $PODMAN_DIR/tmp --cgroup-manager cgroupfs ps"
    faster "\`cps\` and \`podman ps\`, $count containers" 10 "the container's state in podman's database, and its pid file"
    podman_version=$(podman --version)
    podman_down
}

# --- 5,000 processes -----------------------------------------------------------------------------

bench_namespaces()
{
    local n have
    say "$processes processes"
    mkfifo "$base/hold"
    "$build/helpers/spawn-many" "$processes" 20 <"$base/hold" >"$base/ready" &
    spawner=$!
    exec 8>"$base/hold"
    for ((n = 0; n < 300; n++)); do
        ! grep -q ready "$base/ready" || break
        sleep 0.1
    done
    have=$(find /proc -maxdepth 1 -name '[0-9]*' 2>/dev/null | wc -l)
    compare 'cps --ns' lsns
    faster "\`cps --ns\` and \`lsns\`, $have processes" 8 'eight namespace links of each process; the kernel makes a name for each'
    at_most "system calls of \`cps --ns\` a process" "$(calc %.1f "$(calls cps --ns) / $have")" calls 12 \
        'eight `readlink`, and opening and closing its directory'
    memory_row "cps --ns, $have processes" "$(peak cps --ns)" 'a few bytes a process, one entry a namespace'
    exec 8>&-
    wait "$spawner"
    spawner=
}

# --- the table -----------------------------------------------------------------------------------

cpu() { sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1; }

table()
{
    cat <<END
# Benchmarks

Written by \`make bench\` (tests/bench/run.sh), never by hand. A row compares $runs runs of each command by hyperfine, without
a shell, in $rounds turns of which each has 2 runs that do not count; times are medians. Where a tree is copied it is 3 runs, in 3 turns,
where one is archived 10, of a file of 1 GiB 5. Of several docker clients the fastest
is taken. The docker and podman that are measured have stores of their own, which the tools are told with \`--store\`: the
default ones would be found by their pid file and their place.

- $(date -u +%Y-%m-%d), sonde $(cps --version | awk '{ print $NF }') at $(git -C "$SONDE_SOURCE" describe --always --dirty)
- $(nproc) processors ($(cpu)), $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r); load at the start $load;
  $others containers that were there already, which \`cps\` lists too
- dockerd ${docker_version-?}, client ${docker_client-?}; ${podman_version-?}; $(nsenter --version | sed 's/^nsenter from //'); $(hyperfine --version)

| what | ours | peer | ratio | target | met | what limits |
|---|---|---|---|---|---|---|
END
    cat "$rows"
    [ ! -e "$base/calls" ] || cat "$base/calls"
}

main()
{
    local out=$SONDE_SOURCE/docs/benchmarks.md part from
    load=$(cut -d' ' -f1 /proc/loadavg)
    others=$(cps -q 2>/dev/null | wc -l)
    [ "$others" = 0 ] || say "there are $others containers already: cps lists them too and looks slower than it is"
    [ "$runs$count${BENCH_PARTS-}" = 3060 ] || out=$build/benchmarks.md
    for part in $parts; do
        case $part in
            files | copy) ;;
            *) files_down ;;
        esac
        from=$SECONDS
        "bench_$part"
        say "part $part: $((SECONDS - from)) s"
    done
    files_down
    table >"$base/table" && cp "$base/table" "$out" && say "written: $out" && cat "$out"
}

main
