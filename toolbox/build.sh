#!/bin/bash
# build.sh OUT.squashfs: a toolbox for cdebug(1), of Debian packages, as one squashfs file.
#
# Needs mmdebstrap and sqfstar (squashfs-tools 4.5), and no privileges where unprivileged user namespaces are allowed and the
# caller has subordinate ids (subuid(5)); or is root, for whom debootstrap and mksquashfs do, too.
#   TOOLBOX_SUITE   Debian's release (default: trixie)
#   TOOLBOX_MIRROR  where it is (default: as this host's apt has it)
#   TOOLBOX_EXTRA   more packages, comma separated
# Nothing is left behind but OUT, which appears whole or not at all.
set -euo pipefail

out=$(realpath -m "${1:?where to? build.sh OUT.squashfs}")
suite=${TOOLBOX_SUITE:-trixie}
max=$((150 * 1024 * 1024))

# apt and its keys, so that more can be installed in a session
packages=apt,ca-certificates,debian-archive-keyring
packages+=,bash,bash-completion,coreutils,procps,psmisc,util-linux,less,file,xxd,vim-tiny,vim,jq,ripgrep
packages+=,iproute2,iputils-ping,iputils-tracepath,netcat-openbsd,socat,tcpdump,curl,bind9-dnsutils,openssl,ethtool,nftables
packages+=,strace,ltrace,gdb,lsof,htop,linux-perf
packages+=${TOOLBOX_EXTRA:+,$TOOLBOX_EXTRA}

# What nobody reads in a session. Copyrights stay.
excludes=(
    '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' '/usr/share/lintian/*' '/usr/share/bug/*'
    '/usr/share/vim/vim*/doc/*' '/usr/share/vim/vim*/lang/*' '/usr/share/vim/vim*/tutor/*' '/usr/share/vim/vim*/spell/*'
    '/usr/share/doc-base/*' '/usr/share/linda/*'
)
keep='/usr/share/doc/*/copyright'

have() { command -v "$1" >/dev/null; }
die() { echo "make toolbox: $*" >&2; exit 1; }

mirror()
{
    local found
    found=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        sed -n 's/^URIs: *\([^ ]*debian[^ ]*\).*/\1/p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*debian[^ ]*\) .*/\2/p' |
        grep -v security | head -n 1) || true
    found=${TOOLBOX_MIRROR:-$found}
    [ -n "$found" ] || die "this host's apt names no mirror of Debian: set TOOLBOX_MIRROR"
    echo "$found"
}

# In the tree that is $1: what only a machine of its own has.
# shellcheck disable=SC2016 # for sh
tidy='rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/* "$1"/var/cache/debconf/*-old "$1"/var/log/* "$1"/boot/* &&
    rm -f "$1"/etc/machine-id "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/etc/hosts "$1"/etc/shadow- "$1"/etc/passwd- &&
    echo sonde >"$1"/etc/debian_chroot && ldconfig -r "$1"'

by_mmdebstrap()
{
    local options=() pattern
    for pattern in "${excludes[@]}"; do options+=("--dpkgopt=path-exclude=$pattern"); done
    TMPDIR=/var/tmp mmdebstrap --quiet --variant=minbase --include="$packages" "${options[@]}" "--dpkgopt=path-include=$keep" \
        --aptopt='APT::Install-Recommends "false"' --customize-hook="sh -c '${tidy}' sh \"\$1\"" \
        "$suite" - "$from" | sqfstar -comp zstd -b 256K -quiet -no-progress "$part"
}

by_debootstrap()
{
    local pattern
    debootstrap --variant=minbase "$suite" "$tree" "$from" >&2
    for pattern in "${excludes[@]}"; do echo "path-exclude=$pattern"; done >"$tree/etc/dpkg/dpkg.cfg.d/sonde"
    echo "path-include=$keep" >>"$tree/etc/dpkg/dpkg.cfg.d/sonde"
    printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d" && chmod 755 "$tree/usr/sbin/policy-rc.d"
    chroot "$tree" env DEBIAN_FRONTEND=noninteractive sh -c "apt-get -qq update &&
        apt-get -qq install -y --no-install-recommends $(echo "$packages" | tr , ' ') && apt-get clean" >&2
    rm -f "$tree/usr/sbin/policy-rc.d"
    sh -c "$tidy" sh "$tree"
    mksquashfs "$tree" "$part" -comp zstd -Xcompression-level 19 -b 256K -quiet -no-progress -noappend
}

from=$(mirror) || exit 1
mkdir -p "$(dirname "$out")"
part=$out.part tree=
trap 'rm -f "$part"; [ -z "$tree" ] || rm -rf --one-file-system "$tree"' EXIT
rm -f "$part"
if have mmdebstrap && have sqfstar; then
    by_mmdebstrap
elif [ "$(id -u)" = 0 ] && have debootstrap && have mksquashfs; then
    tree=$(mktemp -d /var/tmp/sonde-toolbox.XXXXXX)
    by_debootstrap
else
    die 'mmdebstrap and squashfs-tools are needed, or as root debootstrap and squashfs-tools'
fi
size=$(stat -c %s "$part")
[ "$size" -le "$max" ] || die "it has $((size / 1024 / 1024)) MB, more than $((max / 1024 / 1024))"
mv "$part" "$out"
trap - EXIT
echo "$out: $((size / 1024 / 1024)) MB"
