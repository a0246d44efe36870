#!/bin/bash
# cdebug's limits where systemd owns the cgroup tree: a transient scope.
. "$(dirname "$0")/lib.sh"
test_engine runc
web='' front='' unit='' p=''

debug() { cdebug --store "runc=$OCI_DIR/state" "$@"; }

# session OPTION... -- COMMAND...: in the background, with its pid in $front and its scope in $unit
session()
{
    rm -f actual
    cdebug --store "runc=$OCI_DIR/state" "$@" >actual 2>err &
    front=$!
    test_wait '[ -s actual ]' || { cat err; return 1; }
    unit=$(systemctl list-units --all --plain --no-legend "sonde-$front-*" | cut -d' ' -f1)
}
end_session() { kill "$front" && { wait "$front" || true; }; }
gone() { test_wait "[ -z \"\$(systemctl list-units --all --plain --no-legend 'sonde-[0-9]*')\" ]" && [ -z "$(find /sys/fs/cgroup -name 'sonde-[0-9]*')" ]; }
oom_kills() { sed -n 's/^oom_kill //p' "/sys/fs/cgroup$1/memory.events"; }
target_cgroup() { sed 's/^0:://' "/proc/$(oci_pid web)/cgroup"; }

test_expect RUNC 'setup: a container' '
    oci_up && oci_run web sleep 1000000 && web=$(oci_id web)
'
test_expect RUNC,SYSTEMD 'with limits the session is a scope of systemd, which has them' '
    session --memory 64M --cpus 0.5 --pids 50 "$web" -- sh -c "cat /proc/self/cgroup; exec sleep 1000" &&
    printf "%s\n" CPUQuotaPerSecUSec=500ms MemoryMax=67108864 MemorySwapMax=0 TasksMax=50 Slice=system.slice \
        ActiveState=active "ControlGroup=/system.slice/$unit" Transient=yes | sort >expect &&
    systemctl show -p CPUQuotaPerSecUSec,MemoryMax,MemorySwapMax,TasksMax,Slice,ActiveState,ControlGroup,Transient "$unit" | sort |
        test_cmp expect - &&
    (cd "/sys/fs/cgroup/system.slice/$unit" && cat memory.max memory.swap.max cpu.max pids.max) >now &&
    printf "67108864\n0\n50000 100000\n50\n" | test_cmp - now &&
    test_wait "[ \"\$(cat /sys/fs/cgroup/system.slice/$unit/pids.current)\" = 1 ]" &&
    p=$(cat "/sys/fs/cgroup/system.slice/$unit/cgroup.procs") && grep -a sleep "/proc/$p/comm"
'
test_expect RUNC 'neither cdebug itself nor anything of the container is in it' '
    [ "$(cat /proc/$front/cgroup)" = "$(cat /proc/self/cgroup)" ] &&
    ! grep -x "$(oci_pid web)" "/sys/fs/cgroup/system.slice/$unit/cgroup.procs" &&
    ! grep -x "$p" "/sys/fs/cgroup$(target_cgroup)/cgroup.procs"
'
test_expect RUNC 'it is gone when the session has ended' 'end_session && gone'
test_expect RUNC 'and after kill -9 of cdebug, or of its supervisor' '
    session --pids 20 "$web" -- sh -c "echo on; setsid sleep 1001 & sleep 1002" && kill -9 "$front" && { wait "$front" || true; } && gone &&
    session --pids 20 "$web" -- sh -c "echo on; setsid sleep 1001 & sleep 1002" && kill -9 $(tr -d " " <"/proc/$front/task/$front/children") &&
    { wait "$front" || true; } && gone && ! pgrep -f "sleep 100[12]"
'
test_expect RUNC 'systemctl stop ends the session' '
    session --pids 20 "$web" -- sh -c "echo on; exec sleep 1000" && systemctl stop "$unit" && { wait "$front"; [ $? = 143 ]; } && gone
'
test_expect RUNC 'memory: a process of the session is killed, the session goes on, the container is not harmed' '
    debug --memory 64M "$web" -- sh -c "head -c 100M /dev/zero | tail | wc -c; echo \$?; sleep 0.5; echo on" >actual &&
    test_grep -v 104857600 actual && test_grep "^on" actual && [ "$(oom_kills "$(target_cgroup)")" = 0 ] && gone &&
    debug --memory 400M "$web" -- sh -c "head -c 100M /dev/zero | tail | wc -c" >actual && test_grep 104857600 actual && gone
'
test_expect RUNC 'processes: as many and no more' '
    test_status 2 debug --pids 5 "$web" -- dash -c "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done" 2>err && test_grep "Cannot fork" err &&
    debug --pids 2 "$web" -- sh -c "sleep 0.1; sleep 0.1; echo on" >actual && echo on | test_cmp - actual && gone
'
test_expect RUNC 'it works from a slice that hands no controller down, and from a cgroup that is no leaf' '
    systemd-run -q --scope --slice plain.slice -- sh -c "cat /proc/self/cgroup; cat /sys/fs/cgroup/plain.slice/cgroup.subtree_control" >actual &&
    test_grep -v cpu actual &&
    systemd-run -q --scope --slice plain.slice -- "$SONDE_BUILD/cdebug" --store "runc=$OCI_DIR/state" --memory 64M --cpus 0.5 "$web" -- \
        sh -c "cat /proc/self/cgroup" >actual && test_grep "^0::/system.slice/sonde-.*\.scope" actual && gone
'
test_expect RUNC 'the caller'"'"'s environment and the container have no say in it' '
    mkdir fake && printf "#!/bin/sh\necho fake >>%s/ran\nexit 1\n" "$PWD" | tee fake/busctl >"/proc/$(oci_pid web)/root/bin/busctl" &&
    chmod 755 fake/busctl "/proc/$(oci_pid web)/root/bin/busctl" &&
    { PATH=$PWD/fake:$PATH busctl status; [ -e ran ] && rm ran; } &&
    PATH=$PWD/fake:$PATH DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere SYSTEMD_LOG_LEVEL=debug debug --pids 20 "$web" -- cat /proc/self/cgroup >actual 2>err &&
    test_grep "^0::/system.slice/sonde-.*\.scope" actual && test_empty err && [ ! -e ran ] && [ ! -e "/proc/$(oci_pid web)/root$PWD/ran" ] && gone
'
test_expect RUNC 'without a limit there is no scope' '
    debug "$web" -- cat /proc/self/cgroup >actual && cat /proc/self/cgroup | test_cmp - actual
'
test_expect RUNC 'a systemd that does not answer is one line and a hint, within seconds' '
    bus=$(systemctl show -p MainPID --value dbus) && kill -STOP "$bus" &&
    { test_status 125 debug --pids 20 "$web" -- true 2>err; s=$?; kill -CONT "$bus"; [ $s = 0 ]; } &&
    test_grep "did not answer within" err && [ "$(wc -l <err)" = 2 ] && gone
'
test_expect RUNC 'a host without busctl is told so' '
    mount --bind /dev/null /usr/bin/busctl && { test_status 125 debug --pids 20 "$web" -- true 2>err; s=$?; umount /usr/bin/busctl; [ $s = 0 ]; } &&
    test_grep "has no .usr.bin.busctl" err && test_grep "^hint:" err
'
test_expect RUNC 'the plan says so' 'debug --dry-run --memory 64M "$web" >actual && test_grep "^cgroup .*, a scope of systemd" actual'

test_done
