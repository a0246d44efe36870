#!/bin/bash
# systemd-nspawn: registered machines, units, a whole booted system.
. "$(dirname "$0")/lib.sh"

leader() { machinectl show -p Leader --value "$1"; }
has_leader() { [ "$(leader "$1" 2>/dev/null || echo 0)" -gt 1 ]; }

matrix_row "systemd-nspawn $(version systemd)" 'machine, v2'
test_expect SYSTEMD 'setup: trees' 'for m in m1 m2 m3; do tree /var/lib/machines/$m || return 1; done'
matrix_yes entered SYSTEMD 'nspawn: a machine that machined knows' '
    { systemd-nspawn -q -M m1 sleep 1000000 >m1.log 2>&1 </dev/null & } && test_wait "has_leader m1" 30 &&
    row "$(leader m1)" machine.slice/machine-m1.scope/payload nspawn m1
'
matrix_yes running SYSTEMD 'it is listed' 'cps_field m1 .status >actual && echo "\"running\"" | test_cmp - actual'
matrix_yes name SYSTEMD 'by its name' 'cps_field m1 .pid >actual && leader m1 | test_cmp - actual'
test_expect SYSTEMD 'its nspawn stays with the caller' '
    in_none "$(pgrep -f "^systemd-nspawn -q -M m1")" "$own(/runtime)?"
'
test_expect SYSTEMD 'nspawn --keep-unit' '
    systemd-run -q --unit ku -p Delegate=yes systemd-nspawn -q --keep-unit -M m2 sleep 1000000 && test_wait "has_leader m2" 30 &&
    row "$(leader m2)" system.slice/ku.service/payload nspawn m2 &&
    in_none "$(unit_pid ku)" system.slice/ku.service/supervisor
'
matrix_row "systemd-nspawn $(version systemd)" 'unit systemd-nspawn@, v2'
matrix_yes entered SYSTEMD 'the unit systemd-nspawn@' '
    systemctl start systemd-nspawn@m3 && test_wait "has_leader m3" 30 &&
    row "$(leader m3)" "machine.slice/systemd-nspawn@m3.service/payload" nspawn m3 &&
    in_none "$(unit_pid systemd-nspawn@m3)" "machine.slice/systemd-nspawn@m3.service/supervisor"
'
matrix_yes running SYSTEMD 'it is listed' 'cps_field m3 .pid >actual && leader m3 | test_cmp - actual'
matrix_row "systemd-nspawn $(version systemd)" 'booted, v2'
matrix_yes running SYSTEMD 'nspawn -b: its pid 1 and its services' '
    { systemd-nspawn -q -b -D / --volatile=yes -M boot >boot.log 2>&1 </dev/null & } &&
    test_wait "has_leader boot && pgrep --ns \$(leader boot) -f systemd-journald" 60 &&
    cgroup_is "$(leader boot)" machine.slice/machine-boot.scope/payload/init.scope && is_in "$(leader boot)" nspawn boot &&
    p=$(pgrep --ns "$(leader boot)" --nslist pid -f systemd-journald) &&
    cgroup_is "$p" machine.slice/machine-boot.scope/payload/system.slice/systemd-journald.service && is_in "$p" nspawn boot
'
matrix_yes entered SYSTEMD 'and it is entered' 'cnsenter nspawn:boot -- cat /proc/1/comm >actual && echo systemd | test_cmp - actual'

test_done
