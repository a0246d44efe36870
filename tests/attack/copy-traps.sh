#!/bin/bash
# Traps for whoever copies or exports: links of other users at the place that is written to, files that are nothing but a size,
# patterns that match without end.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"

name=victim$$ root=$TRASH/lxc/victim$$/rootfs
store=lxc=$TRASH/lxc

fresh() { rm -rf lxc && mkdir -p "$root" && printf 'lxc.uts.name = %s\nlxc.rootfs.path = dir:%s\n' "$name" "$root" >"lxc/$name/config"; }
copy() { within 20 ccp -q --store "$store" "$@"; }
out() { within 20 cexport --store "$store" -q "lxc:$name" "$@"; }

# --- links in a directory of everybody's ---

# trap LINK TARGET: another user makes it
trap_up() { rm -f "$1" && setpriv --reuid 65533 --regid 65533 --clear-groups ln -s "$2" "$1"; }
host_up() { rm -rf host tmp && mkdir host && echo HOSTCANARY >host/file && mkdir -m 1777 tmp && trap_up tmp/link "$TRASH/host/file" && trap_up tmp/new "$TRASH/host/new" && trap_up tmp/dir "$TRASH/host"; }
host_is_whole() { [ "$(ls host)" = file ] && test_grep '^HOSTCANARY$' host/file; }

test_expect ROOT 'naive: what reads a link and goes where it leads writes to the host, whatever fs.protected_symlinks says' '
    fresh && echo evil >"$root/x" && host_up && cp "$root/x" "$(readlink tmp/link)" && test_grep evil host/file
'

test_expect ROOT 'a link of another user in a directory of everybody is gone through by no copy and no export' '
    host_up && for to in link new dir; do test_status 1 copy "lxc:$name:/x" "tmp/$to" 2>err && test_grep "Permission denied" err || return 1; done &&
    for to in link new; do test_status 1 out -o "tmp/$to" 2>err && test_grep "Permission denied" err || return 1; done && test_status 1 copy -L tmp/link "lxc:$name:/" 2>err && test_grep "Permission denied" err && host_is_whole
'

test_expect ROOT 'nor one that a link of ours leads to; ours, and one in a directory of its owner, are' '
    ln -sf "$TRASH/tmp/link" mine && test_status 1 copy "lxc:$name:/x" mine 2>err && test_status 1 out -o mine 2>err && host_is_whole && ln -s "$TRASH/own" tmp/ours && copy "lxc:$name:/x" tmp/ours && test_cmp "$root/x" own &&
    out -o tmp/ours && tar -tf own >names && test_grep x names && test -L tmp/ours && mkdir -m 777 theirs && trap_up theirs/link "$TRASH/own2" && copy "lxc:$name:/x" theirs/link && test_cmp "$root/x" own2
'

# --- sizes ---

test_expect ROOT 'naive: a file of exabytes without a byte, on a file system that has such, is read without an end' '
    mkdir huge && mount -t tmpfs tmpfs huge && test_cleanup "umount $TRASH/huge" && fresh && mv "$root" huge/ && sed -i "s,dir:.*,dir:$TRASH/huge/rootfs," "lxc/$name/config" && root=huge/rootfs &&
    truncate -s 7E "$root/huge" && echo last >"$root/last" && test_status 137 within 1 cat "$root/huge" >/dev/null
'

test_expect ROOT 'an export leaves it out, says so, and goes on; with --sorted as well, and one of terabytes is there' '
    truncate -s 8T "$root/large" && for how in "" --sorted --zstd; do test_status 2 out $how >a.tar 2>err && test_grep "huge.*too large" err && tar -tf a.tar >names && printf "large\nlast\n" >expect && test_cmp expect names || return 1; done &&
    [ "$(stat -c %s a.tar)" -lt 100000 ]
'

# --- an archive, and what is mounted in a stopped container ---

mounted_up()
{
    root=$TRASH/lxc/$name/rootfs && fresh && mkdir -p "$root/ro" "$root/rw" ro rw in/app/sub in/ro in/rw/sub in/link && ln -s ro "$root/app" && ln -s rw "$root/link" &&
        printf 'lxc.mount.entry = %s ro none bind,ro 0 0\nlxc.mount.entry = %s rw none bind 0 0\n' "$TRASH/ro" "$TRASH/rw" >>"lxc/$name/config" &&
        for f in app/sub/file ro/file rw/sub/file link/other; do echo "$f" >"in/$f" || return 1; done && tar -C in -cf in.tar app/sub/file ro/file rw/sub/file link/other
}

test_expect ROOT 'naive: a link of the image leads an archive into a volume that is mounted read-only' '
    mounted_up && mkdir "$root/mnt" && mount --bind ro "$root/ro" && test_cleanup "umount $root/ro 2>/dev/null; true" && mount -o remount,bind,ro "$root/ro" && ! touch "$root/app/x" 2>err && umount "$root/ro" && mkdir ro/sub && cp in/app/sub/file ro/sub/ && test -e ro/sub/file && rm -r ro/sub
'

test_expect ROOT 'what is mounted read-only stays so for an archive, through a link too; what is not gets its files' '
    test_status 2 copy - "lxc:$name:/" <in.tar 2>err && [ "$(grep -c "Read-only" err)" = 2 ] && [ -z "$(ls -A ro)" ] && test_cmp in/rw/sub/file rw/sub/file && test_cmp in/link/other rw/other &&
    [ -z "$(ls -A "$root/rw" "$root/ro" | grep -v ":\$" | grep .)" ]
'

# --- depth ---

# 2,000 directories in each other, and behind them more than there is room for
deep_up()
{
    root=$TRASH/lxc/$name/rootfs && fresh && mkdir "$root/d" small && mount -t tmpfs -o size=8m tmpfs small && test_cleanup "umount $TRASH/small" && head -c 9000000 /dev/zero | tr '\0' x >"$root/d/z" &&
        python3 -c 'import os, sys
os.chdir(sys.argv[1])
for _ in range(2000):
    os.mkdir("d")
    os.chdir("d")' "$root/d"
}

test_expect ROOT,PYTHON 'naive: who goes down a directory for each that it removes runs out of descriptors' '
    deep_up && ! python3 -c "import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
def down(fd):
    for e in list(os.scandir(fd)):
        if e.is_dir(follow_symlinks=False):
            down(os.open(e.name, os.O_RDONLY, dir_fd=fd))
down(os.open(sys.argv[1], os.O_RDONLY))" "$root/d" 2>err && test_grep "Too many open files" err
'

test_expect ROOT,PYTHON 'a tree of them that does not fit leaves nothing' '
    (ulimit -n 9000 && test_status 1 copy "lxc:$name:/d" small/d 2>err) && test_grep "No space left" err && [ -z "$(ls -A small)" ] &&
    (ulimit -n 500 && test_status 1 copy "lxc:$name:/d" small/d 2>err) && test_grep "No space left" err && [ -z "$(ls -A small)" ]
'

# --- patterns ---

loops_up() { root=$TRASH/lxc/$name/rootfs && fresh && for i in $(seq 100); do ln -s . "$root/l$i" || return 1; done && : >"$root/x"; }

test_expect ROOT 'naive: a pattern over links to "." has a hundred million names' '
    loops_up && test_status 137 within 1 bash -c "echo $root/*/*/*/*" >/dev/null
'

test_expect ROOT 'a pattern that matches without end is given up' '
    (ulimit -v 2000000 && test_status 1 copy --glob "lxc:$name:/*/*/*/*" dst 2>err) && test_grep "list too long" err && ! test -e dst
'

test_done
