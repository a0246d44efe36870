# shellcheck shell=bash
# Engines newer than the host's: a Debian suite in a directory, built once and kept (like an installed package), and
# for each test a root of its own on top of it, so that no test sees what another one did.
#
#   chroot.sh make SUITE        builds $CHROOT_CACHE/SUITE: trixie, sid. Nothing to do when it is there
#   chroot_have SUITE           whether it was built
#   chroot_up SUITE, chroot_down SUITE
#   in_chroot SUITE COMMAND...  chroot(2), as most engines take it
#   in_pivot SUITE COMMAND...   a mount namespace and pivot_root(2): user namespaces can be made there
#   chroot_root SUITE           the root's path on the host; exec'd programs show up below it in /proc/PID/exe
#
# $SONDE_TEST_DIR is the same directory inside and outside: put roots, sockets and configuration there. What is
# mounted inside a chroot of in_pivot is not seen outside.

. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

CHROOT_CACHE=${SONDE_CHROOT_CACHE:-/var/cache/sonde/chroot}
CHROOT_SUITES='trixie sid'

chroot_packages()
{
    case $1 in
    trixie) echo docker.io docker-cli containerd runc crun podman buildah conmon netavark aardvark-dns catatonit \
                fuse-overlayfs iptables iproute2 procps jq incus incus-client runsc ;;
    sid)    echo docker.io docker-cli containerd runc crun podman conmon netavark aardvark-dns catatonit \
                iptables iproute2 procps jq apptainer ;;
    *)      return 1 ;;
    esac
}

# The mirror that this host's apt uses.
chroot_mirror()
{
    cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\) .*/\2/p' | head -n 1
}

# What was built, so that a changed list of packages is noticed.
chroot_stamp() { chroot_packages "$1" | cksum; }

chroot_have() { [ -e "$CHROOT_CACHE/$1/.sonde" ] && [ "$(cat "$CHROOT_CACHE/$1/.sonde")" = "$(chroot_stamp "$1")" ]; }

chroot_bootstrap()
{
    local dir=$1 suite=$2
    [ ! -x "$dir/usr/bin/apt-get" ] || [ -d "$dir/debootstrap" ] || return 0
    rm -rf --one-file-system "$dir"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$dir" "$(chroot_mirror)"
}

# No daemon may start, and packages' scripts see no /proc or /sys of the host's engines.
chroot_install()
{
    local dir=$1 suite=$2
    printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d" && chmod 755 "$dir/usr/sbin/policy-rc.d" || return 1
    cp /etc/resolv.conf "$dir/etc/resolv.conf"
    # shellcheck disable=SC2046 # a list
    unshare --mount --propagation private sh -c '
        mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
        exec chroot "$0" env DEBIAN_FRONTEND=noninteractive sh -c "
            apt-get -o Acquire::Check-Valid-Until=false update -qq &&
            apt-get install -y -qq --no-install-recommends $* && apt-get clean"' \
        "$dir" $(chroot_packages "$suite")
}

chroot_make()
{
    local suite=$1 dir=$CHROOT_CACHE/$1
    chroot_packages "$suite" >/dev/null || { echo "chroot.sh: no suite '$suite': one of $CHROOT_SUITES" >&2; return 1; }
    mkdir -p "$CHROOT_CACHE" || return 1
    exec 9>"$CHROOT_CACHE/$suite.lock" && flock 9 || return 1
    ! chroot_have "$suite" || return 0
    { chroot_bootstrap "$dir" "$suite" && chroot_install "$dir" "$suite"; } >"$CHROOT_CACHE/$suite.log" 2>&1 || {
        tail -n 20 "$CHROOT_CACHE/$suite.log" >&2
        echo "chroot.sh: $suite could not be built: all of it in $CHROOT_CACHE/$suite.log" >&2
        return 1
    }
    chroot_stamp "$suite" >"$dir/.sonde"
}

# --- a test's own root -------------------------------------------------------------------------

chroot_root() { echo "$SONDE_TEST_DIR/chroot-$1/root"; }

chroot_up()
{
    local suite=$1 dir=$SONDE_TEST_DIR/chroot-$1 d
    chroot_have "$suite" || { echo "no chroot of $suite: tests/engines/chroot.sh make $suite" >&2; return 1; }
    [ ! -e "$dir/up" ] || return 0
    mkdir -p "$dir"/{root,upper,work} && chmod 711 "$dir" || return 1
    # runc and crun pivot_root: their root must be a mount point
    mount -t overlay overlay "$dir/root" -o "lowerdir=$CHROOT_CACHE/$suite,upperdir=$dir/upper,workdir=$dir/work" &&
        mount --make-private "$dir/root" || return 1
    for d in proc sys dev; do
        mount --rbind "/$d" "$dir/root/$d" && mount --make-rprivate "$dir/root/$d" || return 1
    done
    mount -t tmpfs -o mode=755 tmpfs "$dir/root/run" &&
        mkdir -p "$dir/root$SONDE_TEST_DIR" &&
        mount --bind "$SONDE_TEST_DIR" "$dir/root$SONDE_TEST_DIR" && mount --make-private "$dir/root$SONDE_TEST_DIR" &&
        touch "$dir/up"
}

in_chroot() { local root; root=$(chroot_root "$1"); shift; chroot "$root" "$@"; }

in_pivot()
{
    local root
    root=$(chroot_root "$1")
    shift
    unshare --mount --propagation private sh -c 'cd "$0" && pivot_root . mnt && umount -l /mnt && exec "$@"' "$root" "$@"
}

# The engines in it must be down.
chroot_down()
{
    local dir=$SONDE_TEST_DIR/chroot-$1
    [ -d "$dir" ] || return 0
    engine_remove "$dir"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    case ${1-} in
    make) shift; for suite in "$@"; do chroot_make "$suite" || exit 1; done ;;
    *)    echo "usage: $0 make SUITE... ($CHROOT_SUITES)" >&2; exit 1 ;;
    esac
fi
