# shellcheck shell=bash
# What the guest's own tests share; sourced first. They use engines as the distribution sets them up: its paths, its
# units, its defaults. That machine is thrown away afterwards, so they leave things as they are.

. "$(dirname "${BASH_SOURCE[0]}")/../../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/engines/lib.sh"
. "$SONDE_SOURCE/tests/engines/image.sh"

# An emulated machine takes its time, and looking too often takes it from what is waited for.
eval "$(declare -f test_wait | sed 's/2:-10/2:-60/; s/sleep 0.05/sleep 0.3/')"

# version PACKAGE: without Debian's part
version() { dpkg-query -W -f '${Version}' "$1" | sed 's/^[0-9]*://; s/[+~-].*//'; }

# cgroup_is PID FORM: the process is in the cgroup /FORM, an extended regular expression
cgroup_is()
{
    local actual
    actual=$(cat "/proc/$1/cgroup") || return 1
    [[ $actual =~ ^0::/$2$ ]] || { echo "process $1 is in $actual, expected 0::/$2"; return 1; }
}

# is_in PID ENGINE NAME: cps -p says so
is_in()
{
    cps_list pid.json -p "$1" --json || return 1
    jq -r '.containers[] | "\(.engine) \(.name)"' pid.json >pid.actual
    echo "$2 $3" | test_cmp - pid.actual
}

# in_none PID FORM: a process in that cgroup, and of no container
in_none()
{
    local status=0
    cgroup_is "$1" "$2" || return 1
    cps -p "$1" >pid.out 2>pid.err || status=$?
    [ "$status" = 1 ] || [ "$status" = 2 ] || { echo "cps -p $1: status $status"; cat pid.out pid.err; return 1; }
    test_empty pid.out && test_grep "process $1 is in no container" pid.err
}

# row PID FORM ENGINE NAME: in that cgroup, known as that container, and can be entered: its files are the image's
row()
{
    [ "${1:-0}" -gt 1 ] && cgroup_is "$1" "$2" && is_in "$1" "$3" "$4" && entered "$3:$4"
}

entered()
{
    cnsenter "$1" -- cat /etc/motd >entered.actual && echo 'welcome to the test image' | test_cmp - entered.actual
}

# unit_pid UNIT: its main process; unit_cgroup UNIT: its path without the first /
unit_pid() { systemctl show -p MainPID --value "$1"; }
unit_cgroup() { systemctl show -p ControlGroup --value "$1" | cut -c2-; }

# tree DIR: the image's files, with an init
tree()
{
    mkdir -p "$(dirname "$1")" && cp -a "$(image_dir)/rootfs" "$1" && ln -s ../bin/busybox "$1/sbin/init"
}

# columns PREREQ TITLE COLUMN...: cells that compare the records in `expect` (the engine's) and `actual` (cps')
columns()
{
    local prereq=$1 title=$2 column
    shift 2
    for column in "$@"; do
        matrix_yes "$column" "$prereq" "$title: $column" "same_column $column"
    done
}
same_column()
{
    local filter="map({ id, $1 })"
    case $1 in
    running) filter='map(select(.pid))' ;;
    stopped) filter='map(select(.pid | not))' ;;
    exit)    filter='map({ id, exit_code })' ;;
    esac
    jq "$filter" expect >a && jq "$filter" actual | test_cmp a - && [ "$(jq length a)" -gt 0 ]
}

own=$(sed 's,^0::/,,; s,/runtime$,,' /proc/self/cgroup)
