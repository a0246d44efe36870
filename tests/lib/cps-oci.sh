# shellcheck shell=bash
# The same tests for runc and crun without an engine: cps_oci_tests PREREQ

cps_oci_tests()
{
    store="$OCI=$OCI_DIR/state"

    test_expect "$1" 'setup: containers created, running, paused and stopped' '
        oci_up &&
        oci_run web sh -c "sleep 1000000 & sleep 1000001" &&
        oci_run done7 sh -c "exit 7" &&
        oci_run held sleep 1000000 && rt pause "$(oci_id held)" &&
        oci_bundle made sleep 1000000 &&
        rt create --bundle "$OCI_DIR/bundles/made" "$(oci_id made)" >output 2>&1 &&
        test_wait "rt state \$(oci_id done7) | jq -e \".status == \\\"stopped\\\"\""
    '

    test_expect "$1" "cps -a says of every container what $OCI says" '
        records_of_oci >expect &&
        [ "$(jq length expect)" = 4 ] &&
        records_of_cps expect --store "$store" >actual &&
        test_cmp expect actual
    '

    test_expect "$1" 'without -a the stopped and the created one are not listed' '
        cps --json --no-trunc --store "$store" >json &&
        jq -r ".containers[].name" json >names &&
        test_grep "^$(oci_id web)$" names && test_grep "^$(oci_id held)$" names &&
        test_grep -v "^$(oci_id done7)$" names && test_grep -v "^$(oci_id made)$" names
    '

    test_expect "$1" 'cps NAME pairs each process with its pid inside' '
        ns_pids $(same_pidns "$(oci_pid web)") >expect &&
        [ "$(wc -l <expect)" = 2 ] &&
        cps --store "$store" --no-headings -o PID,NSPID "$(oci_id web)" | awk "{ print \$1, \$2 }" >actual &&
        test_cmp expect actual
    '

    test_expect "$1" 'cps -p says whose process it is' '
        cps --store "$store" -p "$(oci_pid web)" >actual &&
        test_grep "$(oci_id web)" actual
    '

    test_expect "$1" 'a state file whose pid another process got meanwhile is a stopped container' '
        { sleep 1000 & } && impostor=$! &&
        test_cleanup "kill $impostor" &&
        state=$OCI_DIR/state/$(oci_id done7) &&
        for file in "$state/state.json" "$state/status"; do
            [ -f "$file" ] || continue
            jq -c --argjson pid "$impostor" \
                "if has(\"init_process_pid\") then .init_process_pid = \$pid else .pid = \$pid end" \
                "$file" >changed && cat changed >"$file" || return 1
        done &&
        cps_field "$(oci_id done7)" "{ status, pid }" --store "$store" >actual &&
        test_json . "{\"status\":\"exited\",\"pid\":null}" actual
    '
}
