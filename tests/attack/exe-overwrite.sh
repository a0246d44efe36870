#!/bin/bash
# CVE-2019-5736: /proc/PID/exe of a process that enters leads to the host's program file. The container
# holds it open, waits until it no longer runs (ETXTBSY), and writes: the host's next call of the tool is
# the container's. A program of the container that is a '#!/proc/self/exe' script runs the tool a second
# time, inside, where the container has all the time it wants.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine runc

# Copies: a test that fails must not destroy the build. The attacker touches only these, and memfds.
copies=$TRASH/programs
mkdir "$copies"

# Dynamic programs would load the container's libraries after the script's detour.
copy() { cp "$1" "$copies/" && sha256sum "$copies/${1##*/}" >"$copies/${1##*/}.sum"; }
unchanged() { sha256sum -c "$copies/$1.sum"; }

overwrite_up()
{
    runc_up && attacker "$1" - overwrite /trash/programs/ memfd: &&
        printf '#!/proc/self/exe\n' >"$OCI_DIR/bundles/$1/rootfs/bin/again" &&
        chmod 755 "$OCI_DIR/bundles/$1/rootfs/bin/again"
}

# run_again TOOL NAME: its status is whatever the second run makes of it
run_again() { within 10 "$copies/$1" "$2" /bin/again || true; }

test_expect RUNC 'naive: the host program of a process that enters is overwritten' '
    copy "$HELPERS/naive-enter" &&
    overwrite_up robbed &&
    within 10 "$copies/naive-enter" "$(oci_pid robbed)" /bin/true &&
    loot_has robbed "^written .*naive-enter" &&
    ! unchanged naive-enter &&
    grep -q "overwritten by the container" "$copies/naive-enter"
'

test_expect RUNC 'naive: a script whose interpreter is /proc/self/exe gives the program away too' '
    copy "$HELPERS/naive-enter" &&
    overwrite_up robbed2 &&
    run_again naive-enter "$(oci_pid robbed2)" &&
    loot_has robbed2 "^written .*naive-enter" &&
    ! unchanged naive-enter
'

test_expect RUNC 'cnsenter cannot be overwritten through /proc/PID/exe' '
    copy "$SONDE_BUILD/cnsenter" &&
    overwrite_up target &&
    repeat 40 "$copies/cnsenter" "pid:$(oci_pid target)" /bin/true &&
    repeat 3 "$copies/cnsenter" "pid:$(oci_pid target)" /bin/sleep 0.2 &&
    loot_has target "^seen" &&
    loot_lacks target "^written" &&
    unchanged cnsenter
'

test_expect RUNC 'cnsenter cannot be overwritten by a script whose interpreter is /proc/self/exe' '
    copy "$SONDE_BUILD/cnsenter" &&
    overwrite_up target2 &&
    repeat 20 run_again cnsenter "pid:$(oci_pid target2)" &&
    loot_has target2 "^seen" &&
    loot_lacks target2 "^written" &&
    unchanged cnsenter
'

test_expect RUNC 'cdebug cannot be overwritten through /proc/PID/exe' '
    copy "$SONDE_BUILD/cdebug" &&
    overwrite_up debugged &&
    repeat 20 "$copies/cdebug" "pid:$(oci_pid debugged)" -- /bin/true &&
    repeat 3 "$copies/cdebug" "pid:$(oci_pid debugged)" -- /bin/sleep 0.2 &&
    { within 10 "$copies/cdebug" "pid:$(oci_pid debugged)" -- /target/bin/again || test $? != 137; } &&
    loot_has debugged "^seen" &&
    loot_lacks debugged "^written" &&
    unchanged cdebug
'

test_done
