# shellcheck shell=bash
# Part of run.sh: cps -a over every engine at once. Engines that are installed run containers; the stores of the others, and
# more of theirs, are the fixtures' (tests/fixtures/), named with --store: files of the same form, read in the same way.

# all_fixtures: $stores gets a --store for each store of each fixture
all_fixtures()
{
    local expected row line
    cp -a "$SONDE_SOURCE/tests/fixtures" "$base/fixtures"
    for expected in "$base"/fixtures/*.json; do
        row=${expected%.json}
        for line in $(jq -r '[.containers[] | select(.store) | .engine + "=" + .store] | unique[]' "$expected"); do
            [ -d "$row${line#*=}" ] || continue
            # which option of an engine names it is in docs/formats; not every one has a store of its own
            cps --store "${line%%=*}=$row${line#*=}" -a >/dev/null 2>&1 || [ $? = 2 ] || continue
            stores="$stores --store ${line%%=*}=$row${line#*=}"
            n_stores=$((n_stores + 1))
        done
    done
}

# all_engine NAME COUNT COMMAND...: so many containers of it, when it can be brought up; COMMAND gets a number
all_engine()
{
    local name=$1 n
    local count=$2
    shift 2
    # shellcheck source=/dev/null
    . "$SONDE_SOURCE/tests/engines/$name.sh"
    all_downs="${name//-/_}_down $all_downs"
    "${name//-/_}_up" >"$base/engine.log" 2>&1 || { say "no $name: $(tail -n 1 "$base/engine.log")"; return 0; }
    for ((n = 1; n <= count; n++)); do
        "$@" "$n" >"$base/engine.log" 2>&1 </dev/null || { say "$name: $(tail -n 1 "$base/engine.log")"; return 0; }
    done
    n_stores=$((n_stores + 1))
}

all_docker() { dk run -d --network none --name "all-docker-$1" "$IMAGE"; }
all_podman() { pm run -d --name "all-podman-$1" "$IMAGE"; }
all_oci() { oci_run "all-$1" sleep 1000000; }

all_scene()
{
    say 'containers of every engine'
    all_engine docker 10 all_docker
    stores="$stores --store docker=$DOCKER_DIR/data"
    all_engine podman 8 all_podman
    stores="$stores --store podman=$PODMAN_DIR/root"
    all_engine runc 4 all_oci
    stores="$stores --store runc=$OCI_DIR/state"
    all_fixtures
}

all_down()
{
    local down
    for down in $all_downs; do "$down"; done
    all_downs=
}

# calls_of REFERENCE: system calls of finding one container, without those of starting and of opening the host
calls_of()
{
    # shellcheck disable=SC2086 # words
    echo $(($(calls "$build/helpers/resolve" $stores "$1") - $(calls "$build/helpers/resolve" $stores)))
}

# Each engine's first container, by its whole id: a name that two of them have would be looked for everywhere.
all_calls()
{
    local engine id
    printf '\n%s\n\n| engine | its containers in this list | system calls to find one of them |\n|---|---:|---:|\n' \
        "What each engine costs, of the $n_all containers above: finding ENGINE:ID (\`any\`: a NAME alone), without the start of a program." >"$base/calls"
    printf '| any | %s | %s |\n' "$n_all" "$(calls_of all-docker-1)" >>"$base/calls"
    for engine in $(jq -r '[.containers[].engine] | unique[]' "$base/all.json"); do
        [ "$engine" != bare ] || continue
        id=$(jq -r --arg e "$engine" 'first(.containers[] | select(.engine == $e)).id' "$base/all.json")
        printf '| %s | %s | %s |\n' "$engine" "$(jq --arg e "$engine" '[.containers[] | select(.engine == $e)] | length' "$base/all.json")" \
            "$(calls_of "$engine:$id")" >>"$base/calls"
    done
}

# resolve_row REFERENCE SHOWN WHY: a row of resolving one name, the whole program
resolve_row()
{
    compare "cnsenter $stores --dry-run $1" 'cnsenter --version'
    at_most "resolving one name among them: \`cnsenter --dry-run $2\`" "$(calc %.2f "$ours")" ms 3 \
        "$3; $(calc %.2f "$peer") ms of it are the start of the program"
}

bench_all()
{
    local list
    stores='' n_stores=0 all_downs=''
    all_scene
    # shellcheck disable=SC2086 # words
    cps -a --json $stores >"$base/all.json" 2>"$base/all.err"
    n_all=$(jq '.containers | length' "$base/all.json")
    say "$n_all containers of $n_stores stores"
    compare "cps -a $stores" 'cps --version'
    list=$ours
    at_most "\`cps -a\`, $n_all containers of $n_stores stores" "$(calc %.2f "$list")" ms 30 \
        "reading and parsing every record; $(calc %.2f "$peer") ms of it are the start of the program"
    # shellcheck disable=SC2086
    at_most "system calls of the same, a container" "$(calc %.1f "$(calls cps -a $stores) / $n_all")" calls 40 \
        'opening, looking at and reading its files; a walk over /proc for what nobody claims'
    resolve_row docker:all-docker-1 'docker:NAME' 'the records of all its stores'
    resolve_row all-docker-1 NAME 'every engine is asked whether it has one of that name, too'
    compare "cps $stores --no-headings all-docker-1" 'cps --version'
    row "\`cps NAME\` among them, with its processes" "$(calc %.2f "$ours") ms" - - - - \
        "the start of the program ($(calc %.2f "$peer") ms), and two processes that read what a container could stall"
    all_calls
    all_down
}
