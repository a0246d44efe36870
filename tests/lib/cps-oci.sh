# shellcheck shell=bash
# The same tests for every runtime without an engine: cps_oci_tests PREREQ; after test_engine, and oci_use if it is not
# the host's runtime. $ENGINE: what cps calls it (default: $OCI).

. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"

# web_json FILTER: of what cps says of the container `web`, with its files
web_json() { cps_field "$(oci_id web)" "$1" --store "$store"; }

# What no plain runtime keeps, and what it says itself.
cps_oci_matrix()
{
    store="${ENGINE:-$OCI}=$OCI_DIR/state"

    test_expect "$1" 'setup: containers created, running, paused and stopped' '
        oci_up &&
        matrix_row "$OCI $(oci_version)" "plain" &&
        oci_run web sh -c "sleep 1000000 & sleep 1000001" &&
        oci_run done7 sh -c "echo ended >/mark; exit 7" &&
        oci_run held sleep 1000000 && rt pause "$(oci_id held)" &&
        oci_bundle made sleep 1000000 &&
        rt create --bundle "$OCI_DIR/bundles/made" "$(oci_id made)" >output 2>&1 &&
        test_wait "rt state \$(oci_id done7) | jq -e \".status == \\\"stopped\\\"\""
    '

    matrix_yes status "$1" "cps -a says of every container what $OCI says" '
        records_of_oci >expect &&
        [ "$(jq length expect)" = 4 ] &&
        records_of_cps expect --store "$store" >actual &&
        test_cmp expect actual
    '

    matrix_yes running "$1" 'without -a the stopped and the created one are not listed' '
        cps_list json --json --no-trunc --store "$store" &&
        jq -r ".containers[].name" json >names &&
        test_grep "^$(oci_id web)$" names && test_grep "^$(oci_id held)$" names &&
        test_grep -v "^$(oci_id done7)$" names && test_grep -v "^$(oci_id made)$" names
    '

    matrix_yes stopped "$1" 'with -a the stopped one is, as exited' '
        cps_field "$(oci_id done7)" "[.engine, .status]" --store "$store" >actual &&
        test_json . "[\"${ENGINE:-$OCI}\", \"exited\"]" actual
    '

    matrix_yes name "$1" 'the id is the name, and names it' '
        cps_list pids --store "$store" --no-headings -o PID "${ENGINE:-$OCI}:$(oci_id web)" &&
        test_grep "^ *$(oci_pid web)$" pids &&
        web_json "[.id, .name]" >actual && test_json . "[\"$(oci_id web)\", \"$(oci_id web)\"]" actual
    '

    matrix_unknown image 'a runtime is given a directory, not an image' "$1" 'the image is unknown' '
        web_json .image >actual && test_json . null actual
    '

    matrix_unknown exit 'the runtime writes down no exit code' "$1" 'the exit code is unknown' '
        cps_field "$(oci_id done7)" .exit_code --store "$store" >actual && test_json . null actual
    '

    test_expect "$1" 'the configuration is read: command, host name, annotations, the volume' '
        web_json "[.command, .hostname, .labels[\"org.sonde.note\"]]" >actual &&
        test_json . "[\"sh -c sleep 1000000 & sleep 1000001\", \"web\", \"a b\"]" actual &&
        web_json .mounts >actual &&
        test_json . "[{\"type\":\"bind\",\"name\":null,\"source\":\"$OCI_DIR/volume\",
                       \"destination\":\"/vol\",\"read_only\":true}]" actual
    '
}

cps_oci_tests()
{
    cps_oci_matrix "$1"

    matrix_yes layers "$1" 'the layers are those that were mounted' '
        web_json ".layers | [.kind, .upper, .lowers]" >actual &&
        test_json . "[\"overlay\", \"$OCI_DIR/bundles/web/upper\", [\"$(image_dir)/rootfs\"]]" actual
    '

    # what a chroot has mounted is not at that path of the host
    test_expect "$1" 'the layers of the stopped one are those still mounted, if the host has them there' '
        cps_field "$(oci_id done7)" .layers.upper --store "$store" >actual &&
        if [ -z "$(oci_suite)" ]; then test_json . "$OCI_DIR/bundles/done7/upper" actual; else test_json . null actual; fi
    '

    matrix_yes entered "$1" 'cnsenter runs a command in it' '
        cnsenter --store "$store" "$(oci_id web)" cat /etc/motd >actual &&
        test_cmp "$(image_dir)/rootfs/etc/motd" actual
    '

    files_options=(--store "$store")
    [ -z "$(oci_suite)" ] || files_nowhere stopped 'its root is mounted where the runtime was called, in a chroot, and not at that path of this host'
    matrix_files "$1" "$OCI" "${ENGINE:-$OCI}:$(oci_id web)" "$(oci_pid web)" "${ENGINE:-$OCI}:$(oci_id done7)" /mark=ended

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
