#!/bin/bash
# lxc with its defaults.
. "$(dirname "$0")/lib.sh"

# start NAME OPTION...
start()
{
    local name=$1
    shift
    tree "/var/lib/lxc/$name/rootfs" && printf '%s\n' "lxc.rootfs.path = dir:/var/lib/lxc/$name/rootfs" "lxc.uts.name = $name" \
        'lxc.net.0.type = empty' 'lxc.mount.auto = proc:mixed sys:ro cgroup:mixed' "lxc.init.cmd = /bin/sleep 1000000" "$@" \
        >"/var/lib/lxc/$name/config" && lxc-start -n "$name" -o "$name.log" -l INFO || { tail "$name.log"; return 1; }
}
pid_of() { lxc-info -n "$1" -p -H; }
no_file='no file of lxc holds it'

matrix_row "lxc $(version lxc)" 'dir, v2'

matrix_yes entered LXC 'lxc' 'start l1 && row "$(pid_of l1)" lxc.payload.l1 lxc l1'
test_expect LXC 'a process of lxc-attach' '
    { lxc-attach -n l1 -- sleep 4731 & } && test_wait "pgrep -f \"^sleep 4731\"" &&
    cgroup_is "$(pgrep -f "^sleep 4731")" "lxc.payload.l1/.lxc" && is_in "$(pgrep -f "^sleep 4731")" lxc l1
'
test_expect LXC 'the monitor is in no container' 'in_none "$(pgrep -f "^.lxc monitor. /var/lib/lxc l1")" lxc.monitor.l1'
test_expect LXC 'lxc.cgroup.relative' 'start l2 "lxc.cgroup.relative = 1" && row "$(pid_of l2)" "$own(/runtime)?/lxc.payload.l2" lxc l2'
matrix_yes running LXC 'lxc: running' 'cps_field l1 "{ status, pid }" >actual && test_json .pid "$(pid_of l1)" actual && test_json .status running actual'
matrix_yes stopped LXC 'lxc: stopped' '
    lxc-stop -k -n l2 && test_wait "lxc-info -n l2 -s -H | grep -q STOPPED" && cps_field l2 "[.status, .pid]" >actual &&
    test_json . "[\"exited\", null]" actual
'
matrix_yes name LXC 'lxc: name' 'lxc-ls -1 | sort >a && cps_list json -a --json && jq -r ".containers[] | select(.engine == \"lxc\").name" json | sort | test_cmp a -'
matrix_unknown image "$no_file" LXC 'lxc: the image is unknown' 'cps_field l1 .image >actual && test_json . null actual'
matrix_yes status LXC 'lxc: status' '
    lxc-freeze -n l1 && { cps_field l1 .status >actual; lxc-unfreeze -n l1; } && test_json . paused actual && [ "$(lxc-info -n l1 -sH)" = RUNNING ]
'
matrix_unknown exit "$no_file" LXC 'lxc: the exit code is unknown' 'cps_field l2 .exit_code >actual && test_json . null actual'
matrix_yes layers LXC 'lxc: layers' '
    echo changed >"/proc/$(pid_of l1)/root/made-here" && cps_field l1 .layers.upper >actual && [ "$(cat "$(jq -r . actual)/made-here")" = changed ]
'
files_plain
matrix_files LXC lxc lxc:l1 "$(pid_of l1)" lxc:l2 "/etc/motd=welcome to the test image"

test_done
