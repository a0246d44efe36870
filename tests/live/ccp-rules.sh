#!/bin/bash
# What goes where: ccp beside docker cp on every pair of docs/copying.md.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ccp-rules.sh"
test_engine docker
test_names web # another docker may have one, too

cp_ours() { ccp --docker-root "$DOCKER_DATA" -q "$@"; }

# its files as they are, without what is mounted in it
root_of() { dk inspect -f '{{.GraphDriver.Data.MergedDir}}' "$1"; }

# Of what both may do one kind is left out: known differences.
known()
{
    case "$1 $2 $3" in
    out\ */.\ linkdir/*|in\ dir*\ missing/.*|in\ linkdir/*\ missing/.*|in\ linkdir\ missing/.\ -L|*dir/.\ samedir*) ;;
    *) return 1 ;;
    esac
}

# rule_case in|out N SRC DST [OPTION]: both programs; says what differs
rule_case()
{
    local way=$1 n=$2 src=$3 dst=$4 option=${5-} from=src/ to='' theirs=0 ours=0 place=.
    if [ "$way" = out ]; then from=$web:/rules/src/; else to=$web:/rules/; place=$root/rules; fi
    # shellcheck disable=SC2086 # no option is no word
    dk cp $option "$from$src" "${to}docker/$n/$dst" >"said.$n" 2>&1 || theirs=1
    # shellcheck disable=SC2086
    cp_ours $option "$from$src" "${to}ours/$n/$dst" >>"said.$n" 2>&1 || ours=1
    ! known "$way" "$src" "${dst}${option:+ $option}" || return 0
    if [ "$theirs" != "$ours" ] || ! diff <(rules_facts "$place/docker/$n") <(rules_facts "$place/ours/$n"); then
        echo "$way: $src to $dst $option: docker $theirs, ours $ours" && cat "said.$n"
    fi
}

# rule_some in|out K: every third of them
rule_some()
{
    local n=0 src dst option
    while read -r src dst option; do
        n=$((n + 1))
        [ $((n % 3)) != "$2" ] || rule_case "$1" "$n" "$src" "$dst" "$option" </dev/null
    done <cases
}

# rule_cases in|out: all of them; most of the time is the daemon's
rule_cases()
{
    rm -f said.* && rule_some "$1" 0 >differ.0 & rule_some "$1" 1 >differ.1 & rule_some "$1" 2 >differ.2 & wait
    [ "$(find . -maxdepth 1 -name 'said.*' | wc -l)" = "$(wc -l <cases)" ] && cat differ.* && [ -z "$(cat differ.*)" ]
}

test_expect DOCKER 'setup: sources and destinations, on the host and in a container' '
    docker_up && dk run -d --name "$web" "$IMAGE" sleep 1000000 >/dev/null && root=$(root_of "$web") && test -d "$root" &&
    rules_cases >cases && sh -c "$rules_script" - "$PWD" && rules_copies . &&
    dk exec "$web" sh -c "$rules_script" - /rules && rules_copies "$root/rules"
'

test_expect DOCKER 'out of a container' 'rule_cases out'

test_expect DOCKER 'into a container' 'rule_cases in'

test_done
