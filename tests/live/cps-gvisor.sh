#!/bin/bash
# cps against gVisor's runsc without an engine: its processes are not on the host.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-oci.sh"
test_engine gvisor
ENGINE=gvisor
cps_oci_matrix TRIXIE,RUNC

files_options=(--store "$store")
files_nowhere running 'what has changed is in the memory of the sandbox'
files_nowhere stopped 'what had changed was in the memory of the sandbox, which has ended'
matrix_files TRIXIE runsc "gvisor:$(oci_id web)" "$(oci_pid web)" "gvisor:$(oci_id done7)" /mark=ended

guest_line="its processes run on gVisor's kernel, they are not on this host"

matrix_yes layers TRIXIE 'the layers are what is below the changes, which only the sandbox can read' '
    web_json ".layers | [.kind, .upper, .lowers]" >actual &&
    test_json . "[\"overlay\", null, [\"$OCI_DIR/bundles/web/upper\", \"$(image_dir)/rootfs\"]]" actual
'

matrix_unknown entered 'the processes are known to the sandbox alone, there is nothing of theirs to enter' TRIXIE \
    'cnsenter says in one line that the processes are not on this host' '
    test_status 125 cnsenter --store "$store" "$(oci_id web)" cat /etc/motd 2>err &&
    test_grep "$guest_line" err &&
    test_status 125 cdebug --store "$store" "$(oci_id web)" true 2>err &&
    test_grep "$guest_line" err
'

test_expect TRIXIE 'its network can be entered: that is the kernel'"'"'s' '
    cnsenter --store "$store" -n "$(oci_id web)" readlink /proc/self/ns/net >actual &&
    readlink "/proc/$(oci_pid web)/ns/net" >expect &&
    test_cmp expect actual
'

test_expect TRIXIE 'cps NAME shows the sandbox and says that it is no more' '
    test_status 2 cps --store "$store" --no-headings -o PID "$(oci_id web)" >actual 2>err &&
    test_grep "^ *$(oci_pid web)$" actual && test_grep "$guest_line" err &&
    test_status 2 cps --store "$store" --json "$(oci_id web)" >json &&
    test_json ".diagnostics | length" 1 json
'

test_expect TRIXIE 'the list says whose kernel it is' '
    web_json .guest >actual && test_json . gVisor actual
'

test_expect TRIXIE 'cps -p finds the sandbox; neither it nor its file server is another container' '
    gofer=$(jq .goferPid "$OCI_DIR/state/$(oci_id web)_sandbox:$(oci_id web).state") &&
    cps --store "$store" -p "$(oci_pid web)" >actual && test_grep "$(oci_id web)" actual &&
    cps_list json -a --store "$store" --json &&
    test_json "[.containers[] | select(.engine == \"bare\" and (.pid == $gofer or .pid == $(oci_pid web)))]" "[]" json
'

test_expect TRIXIE 'a sandbox that was killed has ended, though its record says running' '
    kill -KILL "$(oci_pid held)" &&
    test_wait "[ ! -e /proc/$(oci_pid held)/ns/mnt ]" &&
    state=$OCI_DIR/state/$(oci_id held)_sandbox:$(oci_id held).state &&
    test_json .status paused "$state" &&
    cps_field "$(oci_id held)" "[.status, .pid]" --store "$store" >actual &&
    test_json . "[\"exited\", null]" actual
'

test_expect TRIXIE 'a record whose pid another process got meanwhile is a stopped container' '
    { sleep 1000 & } && impostor=$! &&
    test_cleanup "kill $impostor" &&
    jq -c --argjson pid "$impostor" ".sandbox.pid = \$pid" "$state" >changed && cat changed >"$state" &&
    cps_field "$(oci_id held)" "[.status, .pid]" --store "$store" >actual &&
    test_json . "[\"exited\", null]" actual
'

test_expect TRIXIE 'without an overlay of its own the changes are in the root as mounted' '
    gvisor_overlay none &&
    oci_run plain sh -c "echo new >/added; exec sleep 1000000" &&
    test_wait "[ -e \"$OCI_DIR/bundles/plain/upper/added\" ]" &&
    cps_field "$(oci_id plain)" ".layers.upper" --store "$store" >actual &&
    test_json . "$OCI_DIR/bundles/plain/upper" actual
'

test_done
