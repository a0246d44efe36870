#!/bin/bash
# cps against lxc, which tells the truth of itself by lxc-info and lxc-ls.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
test_engine lxc

store=lxc=$LXC_PATH
version=$(lxc-start --version 2>/dev/null)

# records_of_lxc: lxc knows neither images nor exit codes, and one word for what does not run
records_of_lxc()
{
    local name
    for name in $(lxc-ls -P "$LXC_PATH" -1); do
        lxc-info -P "$LXC_PATH" -n "$name" -sp | awk -v name="$name" '
            /^State:/ { state = $2 } /^PID:/ { pid = $2 }
            END { print name, state, pid + 0 }'
    done | jq -nR '[inputs | split(" ") | { id: .[0], name: .[0], image: null, exit_code: null, pid: (.[2] | tonumber),
        status: ({ RUNNING: "running", FROZEN: "paused", STOPPED: "exited" }[.[1]]) }] |'"$records_filter"
}

test_expect LXC 'setup: containers of a directory and of an overlay, running, frozen, stopped, never started' '
    lxc_up &&
    lxc_dir web "sleep 1000000 & exec sleep 1000001" && lxc_dir base "exit 0" && lxc_dir held "exec sleep 1000000" &&
    lxc_overlay over base "echo new >/added; rm /etc/motd; exec sleep 1000000" &&
    lxc_overlay done7 base "echo new >/added; exit 7" &&
    lxc_start web && lxc_start held && lxc_start over && lx freeze held &&
    { lxc_run done7 || true; } &&
    lx copy base -N "$(lxc_name snap)" -s -B overlay
'

test_expect LXC 'cps -a says of every container what lxc says' '
    records_of_lxc >expect && test_json length 6 expect &&
    records_of_cps expect --store "$store" >actual && test_cmp expect actual
'

test_expect LXC 'a running monitor tells its lxcpath: without --store the list is the same' '
    records_of_cps expect >actual && test_cmp expect actual
'

test_expect LXC 'a name is resolved without a walk over /proc, also where another is running' '
    for name in web over; do
        cps --store "$store" --no-headings -o PID "$(lxc_name $name)" >pids && test_grep "^ *$(lxc_pid $name)$" pids || return 1
    done &&
    test_status 1 cps --store "$store" "$(lxc_name done7)"
'

test_expect LXC,STRACE,!SANITIZED 'which is seen: no process but the monitor and its container is looked at' '
    strace -f -o trace cps --store "$store" "lxc:$(lxc_name web)" >out &&
    test_grep "$(lxc_pid web)/" trace && ! grep -q "\"$$/stat" trace
'

test_expect LXC 'cps NAME pairs each process with its pid inside, cps -p finds it' '
    ns_pids $(same_pidns "$(lxc_pid web)") >expect &&
    cps --store "$store" --no-headings -o PID,NSPID "$(lxc_name web)" | awk "{ print \$1, \$2 }" >actual &&
    test_cmp expect actual &&
    cps -p "$(lxc_pid over)" >actual && test_grep "$(lxc_name over)" actual
'

test_expect LXC 'a directory is its layer, its mounts and its console are told' '
    dir=$LXC_PATH/$(lxc_name web) &&
    cps_field "$(lxc_name web)" "[.layers.kind, .layers.upper, .rootfs, .log, .hostname, .created]" --store "$store" >actual &&
    test_json . "[\"directory\",\"$dir/rootfs\",\"$dir/rootfs\",\"$dir/console.log\",\"web\",null]" actual &&
    cps_field "$(lxc_name web)" ".mounts" --store "$store" >actual &&
    test_json "map([.type, .source, .destination, .read_only])" "[[\"bind\",\"$LXC_DIR/data\",\"/mnt\",true]]" actual
'

test_expect LXC 'an overlay has the layers that the kernel mounted' '
    awk "\$5 == \"/\" { print \$NF }" "/proc/$(lxc_pid over)/mountinfo" | head -n 1 | tr , "\n" >options &&
    cps_field "$(lxc_name over)" "[.layers.kind, .layers.upper, .layers.work, .layers.lowers[]]" --store "$store" >actual &&
    test_json . "[\"overlay\",\"$(sed -n s/^upperdir=//p options)\",\"$(sed -n s/^workdir=//p options)\",\"$(sed -n s/^lowerdir=//p options)\"]" actual &&
    upper=$(jq -r ".[1]" actual) && test_cmp "$upper/added" <(echo new)
'

test_expect LXC 'a snapshot that was never started has its layers too' '
    cps_field "$(lxc_name snap)" "[.status, .layers.lowers[0], .layers.upper]" --store "$store" >actual &&
    test_json . "[\"exited\",\"$LXC_PATH/$(lxc_name base)/rootfs\",\"$LXC_PATH/$(lxc_name snap)/overlay/delta\"]" actual
'

# --- what a container can do -------------------------------------------------------------------

# v2 where it is mounted, else the first hierarchy
cgroup_top() { if [ -d /sys/fs/cgroup/unified ]; then echo /sys/fs/cgroup/unified; else echo /sys/fs/cgroup; fi; }

test_expect LXC 'a process that makes cgroups called like another container, and calls itself its monitor, is not it' '
    victim=$(lxc_name done7) && own=$(cgroup_top)/lxc.payload.$(lxc_name web) && child=$(pgrep -P "$(lxc_pid web)") &&
    mkdir "$own/lxc.payload.$victim" "$own/lxc.monitor.$victim" &&
    test_cleanup "rmdir $own/lxc.payload.$victim $own/lxc.monitor.$victim 2>/dev/null || :" &&
    echo "$child" >"$own/lxc.payload.$victim/cgroup.procs" &&
    cps_field "$victim" "[.status, .pid]" --store "$store" >actual && test_json . "[\"exited\", null]" actual &&
    test_status 1 cps --store "$store" "$victim" &&
    cps -p "$child" >actual && test_grep "$(lxc_name web)" actual &&
    echo "$child" >"$own/cgroup.procs"
'

# bash as lxc-start
test_expect LXC,USERNS 'nor is one that a user calls so, in the very cgroup' '
    victim=$(lxc_name done7) && top=$(cgroup_top) && fake="[lxc monitor] $LXC_PATH $victim" &&
    cp "$(command -v bash)" lxc-start && chmod 755 lxc-start && mkdir "$top/lxc.monitor.$victim" &&
    test_cleanup "rmdir $top/lxc.monitor.$victim 2>/dev/null || :" &&
    printf "unshare --user --map-root-user --mount sleep 1000000 & wait\n" >script &&
    daemon_start "$TRASH/fake" "$TRASH/fake.log" setpriv --reuid 65534 --clear-groups bash -c "
        exec -a \"$fake\" \"$PWD/lxc-start\" \"$PWD/script\"" &&
    test_cleanup "kill -KILL \$(pgrep -P \$(daemon_pid $TRASH/fake)) 2>/dev/null; daemon_signal $TRASH/fake KILL" &&
    test_wait "pgrep -P \$(daemon_pid $TRASH/fake) -x sleep" &&
    daemon_pid "$TRASH/fake" >"$top/lxc.monitor.$victim/cgroup.procs" &&
    cps_field "$victim" "[.status, .pid]" --store "$store" >actual && test_json . "[\"exited\", null]" actual &&
    test_status 1 cps --store "$store" "$victim" &&
    kill -KILL $(pgrep -P "$(daemon_pid "$TRASH/fake")") && daemon_signal "$TRASH/fake" KILL
'

test_expect LXC 'the same by root of this host is believed: that is who may' '
    victim=$(lxc_name done7) && fake="[lxc monitor] $LXC_PATH $victim" &&
    cp "$(command -v unshare)" lxc-start &&
    daemon_start "$TRASH/fake" "$TRASH/fake.log" bash -c "
        exec -a \"$fake\" \"$PWD/lxc-start\" --pid --mount --fork --kill-child sleep 1000000" &&
    test_wait "[ -n \"\$(pgrep -P \$(daemon_pid $TRASH/fake))\" ]" &&
    cps_field "$victim" .status --store "$store" >actual && test_json . running actual && daemon_signal "$TRASH/fake" KILL
'

test_expect LXC 'a container whose directory is gone is listed by its monitor' '
    mv "$LXC_PATH/$(lxc_name held)" "$LXC_DIR/held.away" &&
    cps_field "$(lxc_name held)" "[.engine, .status]" --store "$store" >actual && test_json . "[\"lxc\", \"paused\"]" actual &&
    mv "$LXC_DIR/held.away" "$LXC_PATH/$(lxc_name held)"
'

# --- the matrix --------------------------------------------------------------------------------

no_file='no file of lxc holds it'

row()
{
    local name=$1 stopped=$2
    matrix_row "lxc ${version%.*}" "$3"
    matrix_yes running LXC "$3: listed running" '
        cps_field "$(lxc_name '"$name"')" .status --store "$store" >actual && test_json . running actual'
    matrix_yes stopped LXC "$3: listed stopped" '
        cps_field "$(lxc_name '"$stopped"')" .status --store "$store" >actual && test_json . exited actual'
    matrix_yes name LXC "$3: called as lxc-ls does" '
        lxc-ls -P "$LXC_PATH" -1 | grep -x "$(lxc_name '"$name"')" && cps_field "$(lxc_name '"$name"')" .name --store "$store"  >actual &&
        test_json . "$(lxc_name '"$name"')" actual'
    matrix_unknown image "$no_file" LXC "$3: the image is unknown" '
        cps_field "$(lxc_name '"$name"')" .image --store "$store" >actual && test_json . null actual'
    matrix_yes status LXC "$3: its status is that of lxc-info" '
        [ "$(lx info '"$name"' -sH)" = RUNNING ] && [ "$(lx info '"$stopped"' -sH)" = STOPPED ] &&
        cps_field "$(lxc_name '"$name"')" "[.status, .pid]" --store "$store" >actual &&
        test_json . "[\"running\", $(lxc_pid '"$name"')]" actual'
    matrix_unknown exit "$no_file" LXC "$3: the exit code is unknown" '
        cps_field "$(lxc_name '"$stopped"')" .exit_code --store "$store" >actual && test_json . null actual'
    matrix_yes layers LXC "$3: the uppermost layer is what the container sees" '
        cps_field "$(lxc_name '"$name"')" .layers.upper --store "$store" >actual &&
        [ "$(stat -c %i "$(jq -r . actual)/init.sh")" = "$(stat -c %i "/proc/$(lxc_pid '"$name"')/root/init.sh")" ]'
    matrix_yes entered LXC "$3: cnsenter enters it" '
        cnsenter "$(lxc_name '"$name"')" -- cat /init.sh >actual && test_grep sleep actual'
    files_options=(--store "$store")
    matrix_files LXC "$3" "lxc:$(lxc_name "$name")" "$(lxc_pid "$name")" "lxc:$(lxc_name "$stopped")" "$4"
}

files_plain
row web base 'dir' '/etc/motd=welcome to the test image'
row over done7 'overlay (lxc-copy -s)' /added=new

test_done
