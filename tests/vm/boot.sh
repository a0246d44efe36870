#!/bin/bash
# boot.sh [-t SECONDS] IMAGE INDIR OUTDIR
#
# Boots the guest of make-image.sh (IMAGE: its directory) in an emulated machine, runs INDIR/run there as root in /in, a
# copy of INDIR, and brings /out back into OUTDIR (log: what it printed; console: the guest's; status). The image is
# not changed. Exit status: that of INDIR/run; 124 when it took longer than SECONDS (default 600); 125 when the
# guest ended without a result. About 7 s to INDIR/run on two idle cores.
#
# cx16=off: qemu 7.2's TCG spoils the flags around cmpxchg16b, of which Linux 6.12 dies in one boot of three. One
# NVMe disk, the root, for which the kernel has a driver built in; the others are found by their serials.
set -u

seconds=600
[ "${1-}" != -t ] || { seconds=$2; shift 2; }
image=$1 in=$2 out=$3
work=$(mktemp -d "${SONDE_TEST_DIR:-/var/tmp}/boot.XXXXXX") || exit 125
qemu=
# shellcheck disable=SC2317 # the trap
cleanup() { [ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

kernel_options='root=/dev/nvme0n1 rootfstype=ext4 rw console=hvc0 quiet loglevel=3 panic=-1 reboot=t mitigations=off
    nokaslr audit=0 apparmor=0 lsm= no_timer_check tsc=nowatchdog cryptomgr.notests random.trust_cpu=on
    systemd.show_status=no systemd.log_target=journal systemd.unified_cgroup_hierarchy=1'

# disk NAME FILE
disk() { echo "-drive file=$2,format=raw,if=none,id=$1,cache=unsafe -device virtio-blk-pci,serial=$1,drive=$1,romfile="; }

tar -C "$in" -b 256 -cf "$work/in.tar" . && truncate -s 256M "$work/out.tar" && mkdir -p "$out" && rm -f "$out/status" ||
    exit 125

# shellcheck disable=SC2046,SC2086 # lists of options
timeout -k 5 "$seconds" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -machine q35 \
    -accel tcg,thread=multi,tb-size=512 -cpu max,la57=off,cx16=off -smp 2 -m 3072 \
    -kernel "$image/vmlinux" -append "$(echo $kernel_options)" \
    -device virtio-serial-pci -chardev "file,id=con,path=$work/console" -device virtconsole,chardev=con \
    -drive "file=$image/root.ext4,format=raw,if=none,id=root,snapshot=on,cache=unsafe,discard=unmap" \
    -device nvme,serial=root,drive=root \
    $(disk in "$work/in.tar") $(disk out "$work/out.tar") </dev/null >"$work/qemu.log" 2>&1 &
qemu=$!
wait "$qemu"
status=$?
qemu=

tar -C "$out" -xf "$work/out.tar" 2>/dev/null
cat "$work/console" "$work/qemu.log" >"$out/console" 2>/dev/null
[ "$status" != 124 ] || exit 124
[ -s "$out/status" ] || exit 125
exit "$(cat "$out/status")"
