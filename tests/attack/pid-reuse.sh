#!/bin/bash
# A pid that a record still names after its process is gone, and that belongs to somebody else by now. Pids come
# around within minutes on a busy host. What belongs to it is told by the start time.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine runc
test_engine bare

# The record of a runc container that died with the machine's attention elsewhere: its init's pid is that of a
# foreign process (in namespaces of its own, so that it matters which are entered).
stale_up()
{
    runc_up && bare_up || return 1
    [ ! -e "$TRASH/foreign" ] || { foreign=$(cat "$TRASH/foreign") && return 0; }
    oci_run stale sleep 1000000 && bare_run foreign && foreign=$(bare_pid foreign) || return 1
    state=$OCI_DIR/state/$(oci_id stale)/state.json
    kill -KILL "$(oci_pid stale)" && test_wait '! kill -0 "$(jq .init_process_pid "$state")"' || return 1
    jq --argjson pid "$foreign" '.init_process_pid = $pid' "$state" >"$state.new" && mv "$state.new" "$state" &&
        echo "$foreign" >"$TRASH/foreign"
}
state_of_stale() { echo "$OCI_DIR/state/$(oci_id stale)/state.json"; }

test_expect RUNC,UNSHARE 'naive: nsenter with the pid of the record is inside a foreign process' '
    stale_up &&
    nsenter -t "$(jq .init_process_pid "$(state_of_stale)")" -u hostname >actual &&
    echo foreign >expect && test_cmp expect actual
'

test_expect RUNC,UNSHARE 'cps shows such a container as exited, without a pid' '
    stale_up &&
    { cps --store runc="$OCI_DIR/state" -a --json >actual 2>err || test $? = 2; } &&
    jq ".containers[] | select(.name == \"$(oci_id stale)\")" actual >row &&
    test_json .status exited row && test_json .pid null row
'

test_expect RUNC,UNSHARE 'the foreign process is not said to be of that container' '
    stale_up &&
    { cps --store runc="$OCI_DIR/state" -p "$foreign" >actual 2>err || test $? = 2; } &&
    test_grep -v "$(oci_id stale)" actual
'

test_expect RUNC,UNSHARE 'cnsenter does not enter it, cdebug is beside what has ended, and both say that it does not run' '
    stale_up &&
    test_status 125 cnsenter --store runc="$OCI_DIR/state" "$(oci_id stale)" hostname >actual 2>err &&
    test_empty actual && test_grep "is exited" err && test "$(wc -l <err)" -le 2 &&
    cdebug --store runc="$OCI_DIR/state" "$(oci_id stale)" -- sh -c "hostname; readlink /proc/self/ns/uts" >actual 2>err &&
    test_grep -v foreign actual && ! grep -qxF "$(readlink "/proc/$foreign/ns/uts")" actual && test_grep "exited" err
'

# The other way round: the right start time, and a pid that no longer is.
test_expect RUNC,UNSHARE 'a record whose process is gone altogether is shown exited too' '
    stale_up && state=$(state_of_stale) && cp "$state" kept &&
    sleep 0.01 & gone=$! && wait $gone &&
    jq --argjson pid $gone ".init_process_pid = \$pid" kept >"$(state_of_stale)" &&
    { cps --store runc="$OCI_DIR/state" -a --json >actual 2>err || test $? = 2; } &&
    jq ".containers[] | select(.name == \"$(oci_id stale)\")" actual >row &&
    test_json .status exited row && test_json .pid null row
'

test_done
