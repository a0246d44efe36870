#!/bin/bash
# install-deps.sh build|check [--dry-run]
#
# Installs what the build (`build`), or the build and every test (`check`) needs, by apt package
# name. Prints nothing and touches nothing when all of it is there. Only for Debian and Ubuntu: on
# another distribution it names what is needed and fails.
#
# One line a requirement: PACKAGE[|PACKAGE...] TEST. TEST is a program looked up in PATH, an absolute
# path, `lib:NAME` (pkg-config), `header:NAME` or a function below; a requirement whose test passes
# is left alone whatever package it came from (a docker-ce is not replaced by docker.io). Of several
# packages the first that the release has is taken.
set -u

build_needs='
gcc|clang                       have_cc
libc6-dev|musl-dev              header:stdio.h
make                            make
pkg-config|pkgconf              pkg-config
libjansson-dev                  lib:jansson
libsqlite3-dev                  lib:sqlite3
libyaml-dev                     lib:yaml-0.1
libsmartcols-dev                lib:smartcols
libarchive-dev                  lib:libarchive
libzstd-dev                     lib:libzstd
libbz2-dev                      header:bzlib.h
liblzma-dev                     lib:liblzma
zlib1g-dev                      lib:zlib
nettle-dev                      lib:nettle
libncurses-dev                  lib:ncursesw
libcap-dev                      header:sys/capability.h
scdoc                           scdoc
busybox-static                  have_static_busybox
'

check_needs='
libcmocka-dev                   lib:cmocka
gcc                             gcc
clang                           clang
clang-format                    clang-format
clang-tidy                      clang-tidy
libclang-rt-dev|libclang-rt-14-dev|libclang-rt-18-dev|libclang-common-14-dev have_clang_san
shellcheck                      shellcheck
python3                         python3
jq                              jq
sqlite3                         sqlite3
docker.io                       dockerd
docker-cli|docker.io            docker
containerd                      containerd
runc                            runc
crun                            crun
podman                          podman
conmon                          conmon
netavark|containernetworking-plugins have_podman_net
aardvark-dns|containernetworking-plugins have_podman_net
catatonit                       catatonit
iptables                        iptables
fuse-overlayfs                  fuse-overlayfs
slirp4netns                     slirp4netns
uidmap                          newuidmap
passwd                          useradd
libfuse3-dev                    lib:fuse3
fuse3                           fusermount3
attr                            setfattr
btrfs-progs                     mkfs.btrfs
squashfs-tools                  mksquashfs
erofs-utils                     mkfs.erofs
libarchive-tools                bsdtar
skopeo                          skopeo
bubblewrap                      bwrap
buildah                         buildah
debootstrap                     debootstrap
lxc                             lxc-start
lxd                             lxd
lxd-client                      /usr/bin/lxc
systemd-container               systemd-nspawn
containernetworking-plugins     /usr/lib/cni/bridge
python3-grpcio                  have_grpc
qemu-system-x86                 qemu-system-x86_64
e2fsprogs                       mkfs.ext4
zstd                            zstd
xz-utils                        xz
bc                              bc
hyperfine                       hyperfine
iproute2                        ip
libcap2-bin                     capsh
man-db                          man
procps                          ps
strace                          strace
tmux                            tmux
util-linux                      nsenter
bash-completion                 /usr/share/bash-completion/bash_completion
'

# the tools live in sbin too, which a user's PATH may lack
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

have_cc() { command -v cc || command -v gcc || command -v clang; }

have_static_busybox()
{
    local b
    b=$(command -v busybox) && ! ldd "$b"
}

have_clang_san()
{
    local dir
    dir=$(clang -print-resource-dir) && ls "$dir"/lib/*/libclang_rt.asan*.a "$dir"/lib/*/libclang_rt.fuzzer*.a
}

# Debian's python, which has Debian's modules; another may come first in PATH
have_grpc() { /usr/bin/python3 -c 'import grpc'; }

have_podman_net() { [ -e /usr/lib/podman/netavark ] || [ -d /usr/lib/cni ] || [ -d /opt/cni/bin ]; }

have()
{
    case $1 in
    lib:*)      pkg-config --exists "${1#lib:}" ;;
    header:*)   echo "#include <${1#header:}>" | "$(have_cc)" -E - ;;
    /*)         [ -e "$1" ] ;;
    have_*)     "$1" ;;
    *)          command -v "$1" ;;
    esac >/dev/null 2>&1
}

# missing NEEDS: the lines whose test fails
missing()
{
    local packages test
    while read -r packages test; do
        [ -z "$packages" ] || have "$test" || echo "$packages $test"
    done <<<"$1"
}

is_debian() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

say() { printf 'install-deps: %s\n' "$*" >&2; }

# pick A|B|C: the first of the alternatives that apt can install
pick()
{
    local candidate
    for candidate in ${1//|/ }; do
        if apt-cache policy "$candidate" 2>/dev/null | grep -q '^  Candidate: [^(]'; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

# pick_all NEEDS: fills `packages`; fails when one requirement has no package
pick_all()
{
    local alternatives package
    packages=()
    while read -r alternatives _; do
        package=$(pick "$alternatives") || return 1
        packages+=("$package")
    done <<<"$1"
}

# Nothing that is installed here may start a daemon: invoke-rc.d and deb-systemd-invoke ask this file
# first. What was there before comes back when the script ends.
policy=/usr/sbin/policy-rc.d
policy_saved=
apt_log=

clean_up()
{
    [ -z "$apt_log" ] || rm -f "$apt_log"
    [ -z "$policy_saved" ] || restore_policy
}

forbid_daemons()
{
    policy_saved=$(mktemp) || return 1
    if [ -e "$policy" ]; then cp -p "$policy" "$policy_saved"; else rm -f "$policy_saved"; fi
    printf '#!/bin/sh\n# put here by install-deps.sh of sonde while it runs; safe to delete\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_policy()
{
    if [ -e "$policy_saved" ]; then mv -f "$policy_saved" "$policy"; else rm -f "$policy"; fi
}

# What apt says is worth reading only when it fails.
apt() { DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >>"$apt_log" 2>&1 </dev/null; }

apt_install() { apt install -y --no-install-recommends "${packages[@]}"; }

# A repository of the user's own that cannot be reached is no reason to stop: the install decides.
apt_update() { say 'apt-get update' && { apt update || true; }; }

install_missing()
{
    local updated=
    apt_log=$(mktemp) || return 1
    pick_all "$1" || { apt_update && updated=1 && pick_all "$1"; } || {
        cat "$apt_log" >&2
        say 'no package in the configured repositories for one of:'
        printf '%s\n' "$1" >&2
        return 1
    }
    say "installing ${packages[*]}"
    forbid_daemons || return 1
    apt_install || { [ -z "$updated" ] && apt_update && apt_install; } || {
        cat "$apt_log" >&2
        say 'apt-get failed'
        return 1
    }
}

explain_other_distribution()
{
    say 'only Debian and Ubuntu are set up automatically. Please install what provides:'
    awk '{ print "  " $2 "  (Debian: " $1 ")" }' <<<"$1" >&2
}

main()
{
    local needs lacking
    case ${1-} in
    build) needs=$build_needs ;;
    check) needs=$build_needs$check_needs ;;
    *)     echo 'usage: install-deps.sh build|check [--dry-run]' >&2; return 1 ;;
    esac

    lacking=$(missing "$needs")
    [ -n "$lacking" ] || return 0
    if [ "${2-}" = --dry-run ]; then
        echo "$lacking"
        return 0
    fi
    if ! is_debian; then
        explain_other_distribution "$lacking"
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        say "needs root to install: $(awk '{ print $1 }' <<<"$lacking" | tr '\n' ' ')"
        say 'run the make target with sudo'
        return 1
    fi
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    install_missing "$lacking" || return 1

    lacking=$(missing "$needs")
    [ -z "$lacking" ] || { say "still missing after the installation:"; echo "$lacking" >&2; return 1; }
}

main "$@"
