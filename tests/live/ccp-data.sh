#!/bin/bash
# How ccp moves data: shared blocks where the file system has them, else in the kernel, else through memory; holes stay holes.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine bare
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it cannot look for them under strace
test_prereq BTRFS '[ "$(id -u)" = 0 ] && have_all mkfs.btrfs filefrag && { grep -qw btrfs /proc/filesystems || modprobe btrfs; }'

disk=$BARE_DIR/disk # bare_down unmounts it, and a mount's loop device goes with it

# A container with the host's files; its mounts are those of now.
start()
{
    mkdir -p "$BARE_DIR/$1" && daemon_start "$BARE_DIR/$1/noted" "$BARE_DIR/$1/log" \
        unshare --mount --propagation private --pid --fork --kill-child sleep 1000000 && wait_until 20 init_of "$1"
}

init_of() { init=$(bare_pid "$1") && [ -n "$init" ] && [ "$(cat "/proc/$init/comm")" = sleep ]; }

copy() { ccp -q "$@"; }

# fill DIR: a small file, a large one, and one of data, a hole, data and a hole
fill()
{
    mkdir -p "$1" && head -c 131072 /dev/urandom >"$1/small" && head -c 9000000 /dev/urandom >"$1/large" &&
        head -c 3000000 /dev/urandom >"$1/holes" && truncate -s 20M "$1/holes" && head -c 1000000 /dev/urandom >>"$1/holes" && truncate -s 40M "$1/holes" &&
        truncate -s 5M "$1/nothing" && : >"$1/empty"
}

blocks() { (cd "$1" && stat -c '%n %s' -- * && [ "$(stat -c %b holes)" -lt 16000 ] && [ "$(stat -c %b nothing)" -lt 100 ]); }

# same DIR1 DIR2
same() { diff -r "$1" "$2" && blocks "$1" >expect && blocks "$2" >actual && test_cmp expect actual; }

# shared FILE: all of its data is in blocks that another file has, too
shared() { sync "$1" && filefrag -v "$1" >frag && ! grep -E '^ +[0-9]+:' frag | grep -v shared; }

test_expect UNSHARE 'setup: a container with the host'"'"'s files' 'bare_up && fill src && start web && web=pid:$init'

test_expect UNSHARE 'the same bytes and the same holes, whichever calls the kernel has' '
    for denied in none copy_file_range copy_file_range=EINVAL,sendfile=EINVAL; do
        rm -rf out back &&
        if [ "$denied" = none ]; then copy "$web:$PWD/src" out && copy out "$web:$PWD/back"
        else "$HELPERS/deny-syscall" "$denied" -- ccp -q "$web:$PWD/src" out && "$HELPERS/deny-syscall" "$denied" -- ccp -q out "$web:$PWD/back"
        fi && same src out && same src back || return 1
    done
'

test_expect UNSHARE,STRACE 'a large file does not go through memory; denied both calls, it does' '
    strace -f -o calls -e trace=copy_file_range,sendfile,pwrite64 ccp -q "$web:$PWD/src/large" out2 && ! grep pwrite64 calls && cmp src/large out2 &&
    strace -f -o calls -e trace=pwrite64 "$HELPERS/deny-syscall" copy_file_range=EINVAL,sendfile=EINVAL -- ccp -q "$web:$PWD/src/large" out3 &&
    test_grep pwrite64 calls && cmp src/large out3
'

test_expect UNSHARE,BTRFS 'on one btrfs the copy has the blocks of the file: running, out and in' '
    mkdir -p "$disk" && truncate -s 400M "$BARE_DIR/image" && mkfs.btrfs -q "$BARE_DIR/image" && mount -o loop "$BARE_DIR/image" "$disk" &&
    fill "$disk/src" && sync -f "$disk" && ! shared "$disk/src/large" && start disk && web=pid:$init &&
    copy "$web:$disk/src" "$disk/out" && copy "$disk/src" "$web:$disk/in" && same "$disk/src" "$disk/out" && same "$disk/src" "$disk/in" &&
    for file in small large holes; do shared "$disk/out/$file" && shared "$disk/in/$file" || return 1; done
'

test_expect UNSHARE,BTRFS 'what is on another file system first does not keep later files from it' '
    mkdir -p "$disk/mixed/b" && cp "$disk/src/large" "$disk/mixed/b/" && sync -f "$disk" && nsenter -t "$init" -m sh -c "mkdir $disk/mixed/a && mount -t tmpfs tmpfs $disk/mixed/a" &&
    head -c 9000000 /dev/urandom >"/proc/$init/root$disk/mixed/a/large" && copy "$web:$disk/mixed" "$disk/mixed2" && cmp "/proc/$init/root$disk/mixed/a/large" "$disk/mixed2/a/large" &&
    shared "$disk/mixed2/b/large"
'

test_done
