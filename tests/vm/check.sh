#!/bin/bash
# check.sh [FILE...]: what `make check-vm` runs: the tests of guest/run, in a guest with systemd and pure cgroup v2. Prints their TAP lines,
# each with `vm: ` before its title, and the plan. The rows of the engine matrix that the guest filled come back
# into $SONDE_BUILD/engines. FILE...: only these tests. SONDE_VM_OUT=DIR keeps what came back.
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
build=$(realpath -m "${SONDE_BUILD:-$source_dir/build}")
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d "${SONDE_TEST_DIR:-/var/tmp}/vm.XXXXXX") || exit 1
files=("$@")
child=
# shellcheck disable=SC2317 # the trap
cleanup()
{
    if [ -n "$child" ] && kill "$child" 2>/dev/null; then wait "$child"; fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

# only REASON: the one result there is. What is missing on a laptop is a failure in CI.
only()
{
    if [ -n "${CI-}" ]; then echo "not ok 1 - vm: $1"; else echo "ok 1 - vm # skip $1"; fi
    echo 1..1
    [ -z "${CI-}" ]
    exit
}

lacking()
{
    local program
    [ "$(uname -m)" = x86_64 ] || { echo 'the guest is one for x86_64'; return; }
    [ "$(id -u)" = 0 ] || { echo 'needs root to build the guest'; return; }
    for program in qemu-system-x86_64 debootstrap mkfs.ext4 zstd xz; do
        command -v "$program" >/dev/null || { echo "$program is missing: tests/install-deps.sh check installs it"; return; }
    done
}

# The programs, and the tests that use them; where they lie in the guest has the same form as here.
gather()
{
    mkdir -p "$work/in/build" "$work/in/docs" &&
        cp -a "$build"/{ccp,cdebug,cdiff,cexport,cnsenter,cps,helpers} "$work/in/build/" &&
        cp -a "$source_dir/docs/json" "$work/in/docs/" &&
        tar -C "$source_dir" --exclude=tests/fuzz --exclude=tests/fixtures --exclude=__pycache__ -cf - tests |
        tar -C "$work/in" -xf - &&
        SONDE_TEST_DIR=$work/in/none bash -c '. "$1/tests/engines/image.sh" && image_make "$2"' image "$source_dir" "$work/in/image" &&
        install -m 755 "$here/guest/run" "$work/in/run" && printf '%s\n' "${files[@]}" >"$work/in/files"
}

# boot: runs it all, and once more when the guest died without a word, which says nothing of our programs
boot()
{
    local try
    for try in 1 2; do
        rm -rf "$work/out"
        bash "$here/boot.sh" -t "${SONDE_VM_SECONDS:-1200}" "$image" "$work/in" "$work/out" &
        child=$!
        wait "$child"
        status=$?
        child=
        [ "$status" = 125 ] || return 0
        echo "# the guest ended without a result (try $try)"
        tail -n 30 "$work/out/console" | sed 's/^/#   /'
    done
}

# report: numbers the guest's results; a line more for a run that ended in any other way than its tests did
report()
{
    {
        cat "$work"/out/tap.* 2>/dev/null
        case $status in
        0) ;;
        124) echo 'not ok - the guest ran out of time' ;;
        125) echo 'not ok - the guest ended without a result, twice' ;;
        *)   grep -qs '^not ok' "$work"/out/tap.* || echo "not ok - the tests in the guest ended with status $status" ;;
        esac
    } | awk '/^(not )?ok - / { n++; sub(/ok - /, "ok " n " - vm: ") } { print } END { print "1.." n + 0 }' >"$work/report"
    cat "$work/report"
    [ "$status" = 0 ] || [ "$status" = 1 ] || [ "$status" = 125 ] || tail -n 40 "$work/out/console" "$work/out/log" 2>/dev/null | sed 's/^/# /'
    [ -z "${VERBOSE-}" ] || sed 's/^/# /' "$work/out/log"
    ! grep -q '^not ok' "$work/report"
}

# What is kept may be a directory that is there.
keep() { [ -z "${SONDE_VM_OUT-}" ] || { mkdir -p "$SONDE_VM_OUT" && cp -r "$work/out/." "$SONDE_VM_OUT/"; }; }

reason=$(lacking)
[ -z "$reason" ] || only "$reason"
image=$(bash "$here/make-image.sh" 2>"$work/err") || { sed 's/^/# /' "$work/err"; only 'the guest could not be built'; }
gather 2>"$work/err" || { sed 's/^/# /' "$work/err"; only 'the programs are not built: make'; }
boot
if [ -d "$work/out/engines" ]; then
    mkdir -p "$build/engines" && cp "$work"/out/engines/*.tsv "$build/engines/"
fi
keep
report
