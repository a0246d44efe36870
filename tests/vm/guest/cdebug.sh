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

test_done
