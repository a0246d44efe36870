#!/bin/bash
# cps against apptainer's instances.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
test_engine apptainer
test_names web killed gone
store=apptainer=$APPTAINER_CONFIG

test_expect SID 'setup: three instances, one killed with its supervisor, one stopped' '
    apptainer_up &&
    matrix_row "apptainer $(ap --version | sed "s/.* //")" "instance of a directory" &&
    apptainer_start "$web" && apptainer_start "$killed" && apptainer_start "$gone" &&
    ap instance list --json >list && pid=$(apptainer_pid "$killed") &&
    kill -KILL "$(awk "/^PPid:/ { print \$2 }" "/proc/$pid/status")" && { kill -KILL "$pid" || true; } &&
    test_wait "[ ! -e /proc/$pid/ns/mnt ]" && ap instance stop "$gone"
'

matrix_yes running SID 'a running instance is listed, with its pid' '
    cps_field "$web" "[.engine, .status, .pid]" --store "$store" >actual &&
    test_json . "[\"apptainer\", \"running\", $(apptainer_pid "$web")]" actual
'

matrix_yes name SID 'it is called as apptainer calls it, and that names it' '
    jq -r ".instances[].instance" list >names && test_grep "^$web$" names &&
    cps_list pids --store "$store" --no-headings -o PID "apptainer:$web" &&
    test_grep "^ *$(apptainer_pid "$web")$" pids
'

matrix_yes image SID 'its image is the one that apptainer lists' '
    cps_field "$web" .image --store "$store" >actual &&
    test_json . "$(jq ".instances[] | select(.instance == \"$web\").img" list)" actual
'

matrix_yes status SID 'one whose process was killed has ended' '
    cps_field "$killed" "[.status, .pid]" --store "$store" >actual &&
    test_json . "[\"exited\", null]" actual
'

matrix_unknown stopped 'stopping an instance removes its record; only its logs stay' SID \
    'a stopped instance is not listed' '
    [ -e "$APPTAINER_CONFIG/instances/logs/$(hostname)/root/$gone.out" ] &&
    cps_field "$gone" .status --store "$store" >actual && test_empty actual
'

matrix_unknown exit 'the record is written at start and removed at the end' SID 'the exit code is unknown' '
    cps_field "$killed" .exit_code --store "$store" >actual && test_json . null actual
'

matrix_yes layers SID 'the layers are the image and the overlay; the bind that was asked for is a mount' '
    ap exec --no-privs "instance://$web" sh -c "echo new >/added" &&
    cps_field "$web" ".layers | [.kind, .upper, .lowers]" --store "$store" >actual &&
    test_json . "[\"overlay\", \"$APPTAINER_DIR/$web/upper\", [\"$APPTAINER_DIR/image\"]]" actual &&
    [ -e "$APPTAINER_DIR/$web/upper/added" ] &&
    cps_field "$web" .mounts --store "$store" >actual &&
    test_json . "[{\"type\":\"bind\",\"name\":null,\"source\":\"$APPTAINER_DIR/volume\",
                   \"destination\":\"/mnt\",\"read_only\":true}]" actual
'

matrix_yes entered SID 'cnsenter runs a command in it' '
    cnsenter --store "$store" "apptainer:$web" cat /etc/motd >actual &&
    test_cmp "$(image_dir)/rootfs/etc/motd" actual
'

files_options=(--store "$store")
matrix_files SID apptainer "apptainer:$web" "$(apptainer_pid "$web")" '' ''
files_absent stopped 'stopping an instance removes its record; only its logs stay' SID 'there is nothing of a stopped instance' '
    for tool in cdiff cexport; do files_refused $tool "apptainer:$gone" || return 1; done && files_refused ccp "apptainer:$gone:/added" copied
'

test_expect SID 'its log is named' '
    cps_field "$web" .log --store "$store" >actual &&
    test_json . "$(jq ".instances[] | select(.instance == \"$web\").logOutPath" list)" actual
'

test_expect SID 'a record of another host is not listed, nor a link' '
    cp -r "$APPTAINER_CONFIG/instances/app/$(hostname)" "$APPTAINER_CONFIG/instances/app/other" &&
    mv "$APPTAINER_CONFIG/instances/app/other/root/$web" "$APPTAINER_CONFIG/instances/app/other/root/elsewhere" &&
    ln -s "$APPTAINER_CONFIG/instances/app/$(hostname)" "$APPTAINER_CONFIG/instances/app/link" &&
    cps_list json -a --json --store "$store" &&
    test_json "[.containers[] | select(.name == \"$web\")] | length" 1 json
'

test_done
