#!/bin/bash
# make-image.sh: the Debian guest of `make check-vm`: systemd, pure cgroup v2, the container engines of that release.
#
# Built once (about 30 s) below ${SONDE_VM_CACHE:-/var/cache/sonde/vm} and kept until this file, guest/init or the
# mirror changes. Prints the directory it lies in: root.ext4 (sparse) and vmlinux.
#
# Nothing of the host changes elsewhere: the tree is put together in a tmpfs of a private mount namespace. The kernel is
# the cloud flavour: nvme, ext4 and virtio are built in, so it boots without an initrd; uncompressed, because
# an emulated processor unpacks slowly.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../engines/chroot.sh"

suite=trixie
cache=${SONDE_VM_CACHE:-/var/cache/sonde/vm}
size=2G
# engines; what the tests call; what our programs, built on the host, are linked to
packages='systemd systemd-sysv systemd-container dbus libpam-systemd dbus-user-session kmod iproute2 iptables nftables
    podman crun netavark conmon uidmap passt fuse-overlayfs catatonit docker.io docker-cli containerd runc lxc
    busybox-static procps jq sqlite3 attr
    libsmartcols1 libjansson4 libcap2 libsqlite3-0 libyaml-0-2 libarchive13t64 libnettle8t64'
# directories of the kernel's modules that containers need
modules='net|fs/(overlayfs|autofs|fuse)|lib|crypto|drivers/(net/(veth|tun|tap|dummy|macvlan.*|ipvlan.*|virtio_net|net_failover)|block/(loop|virtio_blk)|virtio|char/hw_random)'
# Units that a test machine does without: half of the time to boot. udev among them, so the guest's init loads
# modules by name and tmpfiles.d opens the devices that users need.
masked='getty.target getty@tty1.service serial-getty@.service console-getty.service systemd-udevd.service
    systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service systemd-udev-settle.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
    logrotate.timer man-db.timer systemd-tmpfiles-clean.timer systemd-random-seed.service systemd-update-utmp.service
    systemd-update-utmp-runlevel.service systemd-firstboot.service ldconfig.service systemd-hwdb-update.service
    systemd-journal-catalog-update.service systemd-update-done.service systemd-journal-flush.service
    systemd-machine-id-commit.service systemd-pstore.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount
    systemd-remount-fs.service systemd-fsck-root.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount
    sys-kernel-tracing.mount sys-kernel-config.mount modprobe@configfs.service modprobe@drm.service
    modprobe@efi_pstore.service modprobe@fuse.service systemd-modules-load.service systemd-tpm2-setup.service
    systemd-tpm2-setup-early.service systemd-pcrmachine.service systemd-pcrphase.service
    systemd-pcrphase-sysinit.service systemd-pcrextend.socket systemd-pcrlock.socket systemd-creds.socket
    systemd-sysext.socket systemd-mountfsd.socket systemd-nsresourced.socket systemd-ask-password-console.path
    systemd-ask-password-wall.path systemd-network-generator.service systemd-networkd-persistent-storage.service
    systemd-initctl.socket lxc-net.service lxc-monitord.service lxcfs.service netavark-dhcp-proxy.service
    netavark-dhcp-proxy.socket'
# Started by the tests that want them.
disabled='docker.service docker.socket containerd.service podman.socket podman.service podman-auto-update.service
    podman-auto-update.timer podman-restart.service podman-clean-transient.service lxc.service machines.target'

mirror=$(chroot_mirror)
key=$({ cat "$here/make-image.sh" "$here/guest/init"; echo "$mirror"; } | sha256sum | cut -c1-16)
dir=$cache/$key
root=$cache/tree

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }

# Without what nobody reads there, and without starting anything.
base()
{
    debootstrap --variant=minbase --cache-dir="$cache/deb" "$suite" "$root" "$mirror"
    printf 'force-unsafe-io\n' >"$root/etc/dpkg/dpkg.cfg.d/lean"
    printf 'path-exclude=/usr/share/%s/*\n' man doc locale info bash-completion >>"$root/etc/dpkg/dpkg.cfg.d/lean"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    echo "deb $mirror $suite main" >"$root/etc/apt/sources.list"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    [ ! -s /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$root/etc/apt/apt.conf.d/zz-host"
    mount -t proc proc "$root/proc"
    mount --bind "$cache/apt" "$root/var/cache/apt/archives"
}

install_packages()
{
    in_root apt-get -q -o Acquire::Check-Valid-Until=false update
    # shellcheck disable=SC2086 # a list
    in_root apt-get -q -y --no-install-recommends -o APT::Keep-Downloaded-Packages=true \
        -o Binary::apt-get::APT::Keep-Downloaded-Packages=true install $packages
}

# number FILE OFFSET: 32 bits of it
number() { od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '; }

# The ELF file inside a bzImage: Documentation/arch/x86/boot.rst, payload_offset and payload_length; zstd's frame is
# followed by its unpacked size in four bytes.
unpack_kernel()
{
    local setup offset length
    setup=$(od -An -tu1 -j $((0x1f1)) -N 1 "$1" | tr -d ' ')
    offset=$(((setup + 1) * 512 + $(number "$1" $((0x248)))))
    length=$(($(number "$1" $((0x24c))) - 4))
    tail -c "+$((offset + 1))" "$1" | head -c "$length" | zstd -dqf -o "$2"
}

# Unpacked, not installed: no initrd is made.
install_kernel()
{
    local package version deb tree=$root/tmp/kernel
    package=$(in_root apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
    version=${package#linux-image-}
    in_root sh -c "cd /var/cache/apt/archives && apt-get -q -o APT::Sandbox::User=root download $package"
    deb=$(find "$cache/apt" -name "${package}_*.deb" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
    mkdir "$tree"
    dpkg -x "$deb" "$tree"
    unpack_kernel "$tree/boot/vmlinuz-$version" "$dir.new/vmlinux"
    mkdir -p "$root/usr/lib/modules"
    mv "$tree/usr/lib/modules/$version" "$root/usr/lib/modules/"
    rm -rf "$tree"
    # uncompressed they are loaded faster
    (cd "$root/usr/lib/modules/$version/kernel" &&
        find . -type f -regextype posix-extended -not -regex "\\./($modules)[/.].*" -delete &&
        find . -name '*.ko.xz' -exec xz -d {} +)
    in_root depmod "$version"
}

configure()
{
    local unit
    echo sonde-vm >"$root/etc/hostname"
    printf '127.0.0.1 localhost sonde-vm\n' >"$root/etc/hosts"
    printf 'nameserver 127.0.0.1\n' >"$root/etc/resolv.conf"
    : >"$root/etc/fstab"
    systemd-id128 new >"$root/etc/machine-id" 2>/dev/null || tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    install -m 755 "$here/guest/init" "$root/usr/local/sbin/sonde-tests"
    cat >"$root/etc/systemd/system/sonde-tests.service" <<END
[Unit]
Description=run the tests, then power off
After=basic.target dbus.socket
Wants=dbus.socket
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/sonde-tests
TimeoutStartSec=infinity
LimitNOFILE=65536
[Install]
WantedBy=multi-user.target
END
    in_root systemctl -q set-default multi-user.target
    in_root systemctl -q enable sonde-tests.service
    for unit in $disabled; do in_root systemctl -q disable "$unit" 2>/dev/null || true; done
    for unit in $masked; do ln -sfn /dev/null "$root/etc/systemd/system/$unit"; done
    mkdir -p "$root"/etc/systemd/{journald,system}.conf.d "$root/var/lib/systemd/linger"
    printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nAudit=no\n' >"$root/etc/systemd/journald.conf.d/lean.conf"
    printf '[Manager]\nDefaultTimeoutStopSec=5s\nShowStatus=no\nDefaultDeviceTimeoutSec=5s\n' >"$root/etc/systemd/system.conf.d/lean.conf"
    printf 'z /dev/net/tun 0666\nz /dev/fuse 0666\n' >"$root/etc/tmpfiles.d/devices.conf"
}

prune()
{
    umount "$root/var/cache/apt/archives" "$root/proc"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/* \
        "$root"/usr/share/{man,doc,info,locale,lintian,bash-completion,zoneinfo} "$root"/usr/lib/python3* \
        "$root"/usr/lib/udev/hwdb.* "$root/usr/sbin/policy-rc.d" "$root/etc/apt/apt.conf.d/zz-host" "$root"/tmp/*
    mkdir -p "$root/var/cache/apt/archives/partial"
}

# In a mount namespace of its own.
build()
{
    mount -t tmpfs -o size=6g,mode=755 tree "$root"
    base
    install_packages
    install_kernel
    configure
    prune
    mkfs.ext4 -q -F -L root -O ^has_journal,^metadata_csum -E lazy_itable_init=1,nodiscard -m 0 -N 60000 -d "$root" \
        "$dir.new/root.ext4" "$size"
}

main()
{
    mkdir -p "$cache/apt/partial" "$cache/deb" "$root"
    exec 9>"$cache/lock"
    flock 9
    if [ ! -e "$dir/vmlinux" ]; then
        rm -rf "$dir.new"
        mkdir "$dir.new"
        unshare --mount --propagation private bash "$0" build >"$cache/build.log" 2>&1 </dev/null || {
            tail -n 20 "$cache/build.log" >&2
            echo "make-image.sh: the guest could not be built: all of it in $cache/build.log" >&2
            return 1
        }
        mv "$dir.new" "$dir"
        # those before
        find "$cache" -mindepth 1 -maxdepth 1 -name '????????????????*' -not -name "$key" -exec rm -rf {} +
    fi
    echo "$dir"
}

case ${1-} in
build) build ;;
'')    main ;;
*)     echo "usage: $0" >&2; exit 1 ;;
esac
