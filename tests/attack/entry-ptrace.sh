#!/bin/bash
# CVE-2016-9962 (runc), CVE-2016-8649 (lxc-attach): a process that joins a container can be looked into
# by the container's root from the moment it is in its pid namespace. What it still holds of the host, a
# directory fd above all, is the container's then.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine runc

secret=$TRASH/secret
echo "the host's secret" >"$secret"
chmod 600 "$secret"

# The container has DAC_OVERRIDE-less runc defaults: root, and the file is root's.
steal_up() { runc_up && attacker "$1" "$2" steal "$secret"; }

test_expect RUNC 'naive: an fd of the host is stolen from a process that enters' '
    steal_up robbed - &&
    within 10 "$HELPERS/naive-enter" "$(oci_pid robbed)" /bin/true &&
    loot_has robbed "^stolen .* via fd/.*the host.s secret"
'

# Once it runs, the command is a program of the container's with the container's capabilities: its root may trace it,
# as it may trace what docker exec starts. Before that it must get nothing.
test_expect RUNC 'nothing is stolen from cnsenter while it enters' '
    steal_up target - &&
    caps=$(sed -n "s/^CapPrm:.//p" "/proc/$(oci_pid target)/status") &&
    repeat 40 cnsenter "pid:$(oci_pid target)" /bin/true &&
    repeat 3 cnsenter "pid:$(oci_pid target)" /bin/sleep 0.2 &&
    loot_has target "^seen" &&
    loot_lacks target "^stolen" &&
    ! grep "^ptraced" "$(loot target)" | grep -v "caps=$caps "
'

test_expect RUNC 'nothing is stolen from cdebug while it enters, and while it runs' '
    steal_up debugged - &&
    repeat 20 cdebug "pid:$(oci_pid debugged)" -- /bin/true &&
    repeat 3 cdebug "pid:$(oci_pid debugged)" -- /bin/sleep 0.2 &&
    loot_has debugged "^seen" &&
    loot_lacks debugged "^stolen\|^ptraced"
'

test_expect RUNC 'naive: a container with CAP_SYS_PTRACE traces what enters, before it is inside' '
    steal_up tracer CAP_SYS_PTRACE &&
    within 10 "$HELPERS/naive-enter" "$(oci_pid tracer)" /bin/true &&
    loot_has tracer "^ptraced .*naive-enter" &&
    loot_has tracer "^stolen"
'

# It may trace whatever is in its pid namespace. That must not be worth more than what it has already:
# no fd of the host, and no capability that the container has not.
test_expect RUNC 'a container with CAP_SYS_PTRACE gets nothing of the host through cnsenter' '
    steal_up tracer2 CAP_SYS_PTRACE &&
    caps=$(sed -n "s/^CapPrm:.//p" "/proc/$(oci_pid tracer2)/status") &&
    repeat 40 cnsenter "pid:$(oci_pid tracer2)" /bin/true &&
    repeat 3 cnsenter "pid:$(oci_pid tracer2)" /bin/sleep 0.2 &&
    loot_has tracer2 "^seen" &&
    loot_lacks tracer2 "^stolen" &&
    ! grep "^ptraced" "$(loot tracer2)" | grep -v "caps=$caps "
'

test_expect RUNC 'cdebug outside the pid namespace is out of reach of CAP_SYS_PTRACE' '
    steal_up tracer3 CAP_SYS_PTRACE &&
    repeat 3 cdebug --ns net,ipc,uts "pid:$(oci_pid tracer3)" -- /bin/sleep 0.2 &&
    test "$(seen tracer3)" = 0 &&
    loot_lacks tracer3 "^stolen\|^ptraced"
'

test_done
