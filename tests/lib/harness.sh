# shellcheck shell=bash
# The test harness; a test file sources it first and calls test_done last:
#
#   . "$(dirname "$0")/../lib/harness.sh"
#   test_expect DOCKER 'a stopped container has its exit code' '
#           cps -a --json >actual &&
#           test_json ".containers[0].exit_code" 7 actual
#   '
#   test_done
#
# A file prints TAP lines (ok, not ok, ok # skip) and the plan at its end; tests/run adds them up.
# It also runs alone: bash tests/live/cps-docker.sh. Test scripts are && chains, run in this shell
# (variables and functions stay), in the file's own empty directory, without standard input.
#
# Environment: SONDE_BUILD   the build directory with the tools (default: build)
#              SONDE_TEST_DIR  parent of all temporary directories (default: a new one)
#              CI            a missing prerequisite is a failure instead of a skip
#              VERBOSE       show what passing tests print

set -u

SONDE_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SONDE_BUILD=$(realpath -m "${SONDE_BUILD:-$SONDE_SOURCE/build}")
HELPERS=$SONDE_BUILD/helpers
PATH=$SONDE_BUILD:$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
TZ=UTC
export SONDE_SOURCE SONDE_BUILD HELPERS PATH LC_ALL TZ
unset CDPATH DOCKER_HOST DOCKER_CONTEXT CONTAINER_HOST CONTAINERS_CONF CONTAINERS_STORAGE_CONF

test_name=$(basename "$0" .sh)
test_count=0
test_failed=0
test_cleanups=()
test_finished=

# --- prerequisites -----------------------------------------------------------------------------

# test_prereq NAME SCRIPT: defines a prerequisite, tried when it is first asked for.
# test_fact NAME SCRIPT: the same for a property of the host (cgroup version, being root) of which
# the opposite is just as good: missing, it is a skip even with CI set.
declare -A prereq_script prereq_state prereq_is_fact

test_prereq() { prereq_script[$1]=$2; }

test_fact() { prereq_script[$1]=$2; prereq_is_fact[$1]=1; }

# test_have NAME: does the prerequisite hold? `!NAME` asks for the opposite.
test_have()
{
    local name=${1#!}
    if [ -z "${prereq_state[$name]-}" ]; then
        [ -n "${prereq_script[$name]-}" ] || { echo "unknown prerequisite $name" >&2; exit 1; }
        if (eval "${prereq_script[$name]}") >/dev/null 2>&1 </dev/null; then
            prereq_state[$name]=yes
        else
            prereq_state[$name]=no
        fi
    fi
    [ "$1" = "$name" ] && [ "${prereq_state[$name]}" = yes ] && return 0
    [ "$1" != "$name" ] && [ "${prereq_state[$name]}" = no ]
}

have_all() { local c; for c in "$@"; do command -v "$c" || return 1; done; }

test_prereq ROOT     '[ "$(id -u)" = 0 ]'
test_prereq DOCKER   '[ "$(id -u)" = 0 ] && have_all dockerd containerd runc docker ip jq'
test_prereq PODMAN   '[ "$(id -u)" = 0 ] && have_all podman conmon crun runc jq'
test_prereq PODMAN_ROOTLESS '[ "$(id -u)" = 0 ] && have_all podman conmon crun newuidmap useradd setpriv'
test_prereq CONTAINERD '[ "$(id -u)" = 0 ] && have_all containerd ctr runc jq'
test_prereq CRI      '[ "$(id -u)" = 0 ] && have_all containerd ctr runc jq ip && [ -x /usr/lib/cni/bridge ] && /usr/bin/python3 -c "import grpc"'
test_prereq RUNC     '[ "$(id -u)" = 0 ] && have_all runc jq'
test_prereq CRUN     '[ "$(id -u)" = 0 ] && have_all crun jq'
test_prereq LXC      '[ "$(id -u)" = 0 ] && have_all lxc-start lxc-info lxc-copy jq'
test_prereq LXD      '[ "$(id -u)" = 0 ] && have_all lxd lxc jq'
test_prereq NSPAWN   '[ "$(id -u)" = 0 ] && have_all systemd-nspawn jq'
test_prereq UNSHARE  '[ "$(id -u)" = 0 ] && have_all unshare && unshare --pid --fork --mount true'
test_prereq BWRAP    '[ "$(id -u)" = 0 ] && have_all bwrap && bwrap --ro-bind / / true'
test_prereq TMUX     'have_all tmux'
test_prereq STRACE   'have_all strace && strace -o /dev/null true'
test_prereq JQ       'have_all jq'
test_prereq FUSE     '[ -e /dev/fuse ] && have_all fusermount3 && pkg-config --exists fuse3'
test_prereq GDB      'have_all gdb'
test_prereq PYTHON   'have_all python3'
test_prereq SQLITE   'have_all sqlite3'
test_prereq XATTR    'have_all setfattr getfattr'
test_prereq USERNS   'have_all setpriv && setpriv --reuid 65534 --clear-groups unshare --user true'
test_prereq TRIXIE   '[ "$(id -u)" = 0 ] && chroot_ready trixie'
test_fact SID        '[ "$(id -u)" = 0 ] && chroot_ready sid'
test_fact CGROUP_V1  '[ "$(stat -fc %T /sys/fs/cgroup)" = tmpfs ]'
test_fact CGROUP_V2  '[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]'
test_fact SYSTEMD    '[ -d /run/systemd/system ]'
test_fact CI         '[ -n "${CI-}" ]'
test_fact SANITIZED  'nm "$SONDE_BUILD/cps" | grep -q __asan_init'

chroot_ready() { bash -c '. "$0/tests/engines/chroot.sh" && chroot_have "$1"' "$SONDE_SOURCE" "$1"; }

# --- the temporary directory -------------------------------------------------------------------

# Not below /tmp (often a small tmpfs, and overlay cannot lie on every one), and short: unix socket
# addresses end at 108 bytes.
test_make_dir()
{
    test_base=${SONDE_TEST_DIR-}
    if [ -z "$test_base" ]; then
        test_base=$(mktemp -d /var/tmp/sonde.XXXXXX) || exit 1
        chmod 711 "$test_base"
        test_cleanup 'rm -rf --one-file-system "$test_base"'
    fi
    SONDE_TEST_DIR=$(mktemp -d "$test_base/XXXX") || exit 1
    chmod 711 "$SONDE_TEST_DIR"
    export SONDE_TEST_DIR
    TRASH=$SONDE_TEST_DIR/trash
    test_log=$SONDE_TEST_DIR/log
    test_cleanup 'cd / && rm -rf --one-file-system "$SONDE_TEST_DIR"'
    mkdir "$TRASH"
    cd "$TRASH" || exit 1
}

# test_cleanup CMD: runs CMD when the file ends, last registered first; also after a failure or a
# signal. A cleanup that fails is reported and counts as a failed test.
test_cleanup() { test_cleanups+=("$1"); }

test_run_cleanups()
{
    local i out
    for ((i = ${#test_cleanups[@]} - 1; i >= 0; i--)); do
        if ! out=$(eval "${test_cleanups[i]}" 2>&1 </dev/null); then
            test_report 'not ok' "cleanup: ${test_cleanups[i]}"
            test_failed=$((test_failed + 1))
            printf '%s\n' "$out" | sed 's/^/#   /'
        fi
    done
    test_cleanups=()
}

test_on_exit()
{
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    test_run_cleanups
    if [ -z "$test_finished" ]; then
        test_report 'not ok' "$test_name stopped before its end (status $status)"
        test_failed=$((test_failed + 1))
    fi
    echo "1..$test_count"
    [ "$test_failed" = 0 ] || exit 1
    exit 0
}

# A signal ends the file after the command that runs; tests/run signals that one, too. Not at once: in
# the middle of a test standard output is the test's log.
test_interrupted=
trap test_on_exit EXIT
trap 'test_interrupted=130' INT
trap 'test_interrupted=143' TERM
trap 'test_interrupted=129' HUP

test_go_on() { [ -z "$test_interrupted" ] || exit "$test_interrupted"; }

# --- running tests -----------------------------------------------------------------------------

# test_report RESULT TITLE [COMMENT]
test_report()
{
    test_count=$((test_count + 1))
    printf '%s %d - %s%s\n' "$1" "$test_count" "$2" "${3:+ # $3}"
}

# test_expect [PREREQ,...] TITLE SCRIPT: passes when the script's && chain succeeds.
test_expect()
{
    local prereq='' title script
    if [ $# = 3 ]; then prereq=$1; shift; fi
    title=$1 script=$2

    test_go_on
    test_lacks "$prereq" && { test_skip_or_fail "$title"; return 0; }
    if test_eval "$script" >"$test_log" 2>&1 </dev/null; then
        test_report ok "$title"
        [ -z "${VERBOSE-}" ] || { cat "$test_log"; echo; } | sed 's/^/#   /'
    else
        test_failed=$((test_failed + 1))
        test_report 'not ok' "$title"
        # the last echo: a TAP line must begin one
        { printf '%s\n' "$script"; echo '--- printed:'; tail -c 20000 "$test_log"; echo; } | sed 's/^/#   /'
    fi
    cd "$TRASH" || exit 1
    test_go_on
}

# A chain that lost an && would go on after this status, and hide a failure.
test_eval()
{
    local status
    eval "(exit 117) && $1"
    status=$?
    if [ "$status" != 117 ]; then
        echo "broken && chain (or an empty script)"
        return 1
    fi
    eval "$1"
}

# test_lacks A,B: true when one does not hold; its name is in $test_lacking
test_lacks()
{
    local name
    for name in ${1//,/ }; do
        test_have "$name" || { test_lacking=$name; return 0; }
    done
    return 1
}

test_skip_or_fail()
{
    if [ -n "${CI-}" ] && [ -z "${prereq_is_fact[${test_lacking#!}]-}" ]; then
        test_failed=$((test_failed + 1))
        test_report 'not ok' "$1 (missing prerequisite $test_lacking)"
    else
        test_report ok "$1" "skip missing $test_lacking"
    fi
}

# test_done: the last line of every test file
test_done()
{
    test_finished=yes
    exit
}

# --- assertions --------------------------------------------------------------------------------

# test_cmp EXPECT ACTUAL: two files are the same
test_cmp() { diff -u "$1" "$2"; }

# test_json FILTER EXPECT FILE: jq's FILTER of FILE gives the JSON value EXPECT (or, when EXPECT is
# no JSON, that string)
test_json()
{
    local expect actual
    expect=$(jq -cS . <<<"$2" 2>/dev/null) || expect=$(jq -cn --arg s "$2" '$s')
    actual=$(jq -cS "$1" "$3") || { echo "not JSON, or no such field:"; head -c 2000 "$3"; return 1; }
    [ "$expect" = "$actual" ] || {
        printf 'jq %s %s\n  expected: %s\n  actual:   %s\n' "$1" "$3" "$expect" "$actual"
        return 1
    }
}

# test_json_cmp EXPECT ACTUAL: two JSON files say the same
test_json_cmp() { diff -u <(jq -S . "$1") <(jq -S . "$2"); }

# test_grep [-v] PATTERN FILE: the file has (not) a line that matches; shows the file if it fails
test_grep()
{
    local file=${*: -1}
    if [ "$1" = -v ]; then
        ! grep -e "$2" "$file" || { echo "unwanted '$2' in $file"; return 1; }
    else
        grep -q -e "$1" "$file" || { echo "no '$1' in $file:"; head -c 4000 "$file"; return 1; }
    fi
}

# test_status N COMMAND...: the command ends with exactly that status
test_status()
{
    local expect=$1 status=0
    shift
    "$@" || status=$?
    [ "$status" = "$expect" ] || { echo "status $status, expected $expect: $*"; return 1; }
}

# test_empty FILE
test_empty() { [ ! -s "$1" ] || { echo "$1 is not empty:"; head -c 4000 "$1"; return 1; }; }

# test_wait SCRIPT [SECONDS]: until the script succeeds, 10 seconds at most
test_wait()
{
    local end=$((SECONDS + ${2:-10}))
    until eval "$1" >/dev/null 2>&1; do
        if [ "$SECONDS" -gt "$end" ] || [ -n "$test_interrupted" ]; then
            echo "waited in vain for: $1"
            return 1
        fi
        sleep 0.05
    done
}

# as_nobody PROGRAM ARGUMENT...: as a user who may do nothing. One of our tools is copied first: the
# build may lie in a directory that only its owner enters.
as_nobody()
{
    local program
    program=$(command -v "$1")
    shift
    if [ "${program#"$SONDE_BUILD"/}" != "$program" ]; then
        cp "$program" "$SONDE_TEST_DIR/$(basename "$program")" || return 1
        program=$SONDE_TEST_DIR/$(basename "$program")
    fi
    (cd / && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$program" "$@")
}

# --- engines -----------------------------------------------------------------------------------

# test_engine NAME: makes tests/engines/NAME.sh's functions known (NAME_up, NAME_down and its
# client) and takes the engine down when the file ends
test_engine()
{
    # shellcheck source=/dev/null
    . "$SONDE_SOURCE/tests/engines/$1.sh"
    test_cleanup "${1//-/_}_down"
}

# test_names NAME...: variables $NAME with container names that nobody else on this host has
test_names()
{
    local name
    for name in "$@"; do
        declare -g "$name=$name-$(engine_tag)"
    done
}

test_make_dir
