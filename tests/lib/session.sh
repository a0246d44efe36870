# shellcheck shell=bash
# What the tests of detached sessions share; sourced after the harness.
# shellcheck source=tests/lib/isolated.sh
. "$SONDE_SOURCE/tests/lib/isolated.sh"

SESSIONS=/run/sonde
session_ids=()
test_cleanup 'sessions_down'

# Those that a test has ended are no more; the others are ended.
sessions_down()
{
    local one
    for one in "${session_ids[@]}"; do
        [ ! -e "$SESSIONS/$one" ] || cdebug --stop "$one"
    done
}

# target_up: a first process of its own namespaces that sees the host's files, once; $target is its pid
target_up() { [ -n "${target-}" ] || { isolated 'exec sleep 1000000' && target=$init; }; }

# started OPTION... -- COMMAND...: a detached session of $target; $id, and $holder and $supervisor, its processes
started()
{
    cdebug -q -d "${@:1:$#}" >id.out 2>id.err || { cat id.err; return 1; }
    id=$(cat id.out)
    session_ids+=("$id")
    [[ $id =~ ^[0-9a-f]{12}$ ]] && holder=$(field holder) && read -r -d ' ' supervisor <"/proc/$holder/task/$holder/children"
}

# field NAME [ID]: of the session's entry
field() { tr '\0' '\n' <"$SESSIONS/${2-$id}/session" | sed -n "s/^$1=//p"; }

listed() { cdebug --list --json | jq -e --arg id "$1" '.sessions[] | select(.id == $id)' >/dev/null; }
# list_field NAME: of $id
list_field() { cdebug --list --json | jq -r --arg id "$id" ".sessions[] | select(.id == \$id) | .$1"; }

# ended: nothing of the session $id is there: no entry, process, mount or cgroup
ended()
{
    test_wait '! [ -e "$SESSIONS/$id" ]' && test_wait '! grep -qs "cdebug-$id" /proc/[0-9]*/mountinfo' &&
        test_wait '[ -z "$(find /sys/fs/cgroup -name "sonde-$holder-*" 2>/dev/null)" ]'
}
runs() { [ -e "/proc/$1" ] && ! grep -q "^State:.Z" "/proc/$1/status"; }

# child_of PID: its only child
child_of() { tr -d ' ' <"/proc/$1/task/$1/children"; }

session_client() { timeout 10 python3 "$SONDE_SOURCE/tests/lib/session-client.py" "$@"; }
