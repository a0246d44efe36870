#!/bin/bash
# systemd-nspawn: registered machines, units, a whole booted system.
. "$(dirname "$0")/lib.sh"

leader() { machinectl show -p Leader --value "$1"; }
has_leader() { [ "$(leader "$1" 2>/dev/null || echo 0)" -gt 1 ]; }
no_file='no file of systemd-nspawn holds it'

# cells NAME: of a machine that runs, all but layers and entered. `idle` is a tree that never ran.
cells()
{
    machine=$1
    matrix_yes running NSPAWN "$1: running" 'cps_field "$machine" "[.status, .pid]" >actual && test_json . "[\"running\", $(leader "$machine")]" actual'
    matrix_yes stopped NSPAWN "$1: a tree beside it is a stopped one" 'cps_field idle "[.status, .pid]" >actual && test_json . "[\"exited\", null]" actual'
    matrix_yes name NSPAWN "$1: named as machinectl names it" '
        machinectl list --no-legend | grep "^$machine " && cps_field "$machine" .pid >actual && leader "$machine" | test_cmp - actual &&
        cps --no-headings -o PID "$machine" >actual && test_grep "^ *$(leader "$machine")$" actual'
    matrix_unknown image "$no_file" NSPAWN "$1: the image is unknown" 'cps_field "$machine" .image >actual && test_json . null actual'
    matrix_yes status NSPAWN "$1: paused while it is frozen" '
        freeze=/sys/fs/cgroup$(sed "s/^0:://" "/proc/$(leader "$machine")/cgroup")/cgroup.freeze && echo 1 >"$freeze" &&
        { cps_field "$machine" .status >actual; echo 0 >"$freeze"; } && test_json . paused actual'
    matrix_unknown exit "$no_file" NSPAWN "$1: the exit code is unknown" 'cps_field idle .exit_code >actual && test_json . null actual'
}

# files_of NAME: of that machine and of the tree beside it
files_of()
{
    files_plain
    if [ "$1" = boot ]; then
        files_why[diff-running]='the root is a tmpfs of its own with the /usr of the tree: it has no layers'
        files_why[export-running]=${files_why[diff-running]}
    fi
    matrix_files NSPAWN "$1" "nspawn:$1" "$(leader "$1")" nspawn:idle '/etc/motd=welcome to the test image'
}

# the machine's changes are in its tree
layer_is_tree()
{
    echo "$1" >"/proc/$(leader "$1")/root/made-here" && cps_field "$1" "[.layers.kind, .layers.upper]" >actual &&
        test_json . "[\"directory\", \"/var/lib/machines/$1\"]" actual && [ "$(cat "/var/lib/machines/$1/made-here")" = "$1" ]
}

test_expect NSPAWN 'setup: trees' 'for m in m1 m2 m3 idle; do tree /var/lib/machines/$m || return 1; done'

matrix_row "systemd-nspawn $(version systemd)" 'machine, v2'
matrix_yes entered NSPAWN 'nspawn: a machine that machined knows' '
    { systemd-nspawn -q -M m1 sleep 1000000 >m1.log 2>&1 </dev/null & } && test_wait "has_leader m1" &&
    row "$(leader m1)" machine.slice/machine-m1.scope/payload nspawn m1
'
cells m1
matrix_yes layers NSPAWN 'm1: its layer is the tree' 'layer_is_tree m1'
files_of m1
test_expect NSPAWN 'its nspawn stays with the caller' '
    in_none "$(pgrep -f "^systemd-nspawn -q -M m1")" "$own(/runtime)?"
'
test_expect NSPAWN 'nspawn --keep-unit' '
    systemd-run -q --unit ku -p Delegate=yes systemd-nspawn -q --keep-unit -M m2 sleep 1000000 && test_wait "has_leader m2" &&
    row "$(leader m2)" system.slice/ku.service/payload nspawn m2 &&
    in_none "$(unit_pid ku)" system.slice/ku.service/supervisor
'
test_expect NSPAWN 'one that was terminated is a stopped one' '
    machinectl terminate m1 && test_wait "! has_leader m1" && cps_field m1 "[.status, .pid]" >actual && test_json . "[\"exited\", null]" actual
'

matrix_row "systemd-nspawn $(version systemd)" 'unit systemd-nspawn@, v2'
matrix_yes entered NSPAWN 'the unit systemd-nspawn@' '
    systemctl start systemd-nspawn@m3 && test_wait "has_leader m3" &&
    row "$(leader m3)" "machine.slice/systemd-nspawn@m3.service/payload" nspawn m3 &&
    in_none "$(unit_pid systemd-nspawn@m3)" "machine.slice/systemd-nspawn@m3.service/supervisor"
'
cells m3
matrix_yes layers NSPAWN 'm3: its layer is the tree' 'layer_is_tree m3'
files_of m3

matrix_row "systemd-nspawn $(version systemd)" 'booted, --volatile=yes, v2'
test_expect NSPAWN 'nspawn -b: its pid 1 and its services' '
    { systemd-nspawn -q -b -D / --volatile=yes -M boot >boot.log 2>&1 </dev/null & } &&
    test_wait "has_leader boot && pgrep --ns \$(leader boot) --nslist pid -f systemd-journald" &&
    cgroup_is "$(leader boot)" machine.slice/machine-boot.scope/payload/init.scope && is_in "$(leader boot)" nspawn boot &&
    p=$(pgrep --ns "$(leader boot)" --nslist pid -f systemd-journald) &&
    cgroup_is "$p" machine.slice/machine-boot.scope/payload/system.slice/systemd-journald.service && is_in "$p" nspawn boot
'
matrix_yes entered NSPAWN 'boot: it is entered' 'cnsenter nspawn:boot -- cat /proc/1/comm >actual && echo systemd | test_cmp - actual'
cells boot
matrix_unknown layers 'the root is a tmpfs of its own with the /usr of the tree: it has no layers' NSPAWN 'boot: no layers' '
    cps_field boot .layers >actual && test_json . null actual
'
files_of boot

test_done
