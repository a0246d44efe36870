#!/bin/bash
# Copies out of and into a container that swaps links and directories meanwhile, or has what hangs, never ends, or leads out:
# CVE-2018-15664, CVE-2026-41568 (docker cp, names looked up twice), CVE-2019-10152 (podman cp, links looked up on the host),
# CVE-2026-41567 and CVE-2019-14271 (docker cp runs and loads what is in the image). kubectl cp's are in ccp-archive.sh.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
pid='' root='' # the container's init, its root as a careless program sees it

# What is the host's: never read, never written.
mkdir -p host/dir
canary=$TRASH/host
echo HOSTCANARY >host/dir/file
chmod 644 host/dir/file

copy() { within 60 ccp -q "$@"; }

# host_is_whole: what is the host's is as it was
host_is_whole()
{
    { cat host/dir/file && find host -printf '%p %m %U\n' | LC_ALL=C sort; } >host.now
    printf '%s\n' HOSTCANARY 'host 755 0' 'host/dir 755 0' 'host/dir/file 644 0' | diff - host.now
}

host_again() { rm -rf host && mkdir -p host/dir && echo HOSTCANARY >host/dir/file && chmod 644 host/dir/file && chmod 755 host/dir; }

# race A B: the container exchanges the two from now on
race() { bare_start web /bin/swap-race "$1" "$2" && racer=$started; }

test_expect UNSHARE 'setup: a container, with a directory, and a link to one of the host in its place' '
    bare_up && bare_run web && pid=$(bare_pid web) && root=/proc/$pid/root && ! [ "$root" -ef / ] && bare_put web "$HELPERS/swap-race" && web=pid:$pid &&
    bare_do web /bin/sh -c "mkdir -p /a/dir /a/t/dir && echo inside >/a/dir/file && echo inside >/a/t/dir/file && ln -s $canary/dir /a/link && ln -s $canary/dir /a/t/link &&
        echo inside >/a/file && ln -s $canary/dir/file /a/lfile" && echo new >new
'

test_expect UNSHARE 'naive: cp below /proc/PID/root reads and writes the host through such a link' '
    cp "$root/a/link/file" leak && test_grep HOSTCANARY leak && cp new "$root/a/link/evil" && test -e host/dir/evil && host_again
'

test_expect UNSHARE 'links of the container lead inside it, at either end' '
    test_status 1 copy "$web:/a/link/file" out 2>err && ! test -e out && test_status 1 copy new "$web:/a/link/evil" 2>err &&
    copy "$web:/a/link" out && test -L out && test_status 1 copy "$web:/a/link/" out2 2>err && test_status 1 copy -L "$web:/a/lfile" out3 2>err &&
    bare_do web /bin/ln -s ../../../../../../../..$canary/dir /a/dots && test_status 1 copy new "$web:/a/dots/evil" 2>err && test_status 1 copy "$web:/a/dots/file" x 2>err &&
    bare_do web /bin/ln -s /proc/1/root/../..$canary/dir /a/magic && test_status 1 copy new "$web:/a/magic/evil" 2>err && host_is_whole
'

# A bind of a single file, as engines make them for /etc/hosts.
mount_single()
{
    bare_do web /bin/sh -c 'mkdir -p /m && cd /m && umount single; echo mounted >source && : >single && mount -o bind source single'
}
single_is_mounted() { bare_do web /bin/grep -q " /m/single " /proc/self/mountinfo && bare_do web /bin/cat /m/single >actual && echo mounted >expect && test_cmp expect actual; }

test_expect UNSHARE 'naive: mv over what is mounted in a container takes the mount away there' '
    mount_single 2>err && single_is_mounted && cp new moved && mv moved "$root/m/single" && ! single_is_mounted && bare_do web /bin/cat /m/single >actual && test_cmp new actual
'

test_expect UNSHARE 'a file that is mounted on another is neither replaced nor unmounted, as docker cp and podman cp refuse it' '
    mount_single 2>err && single_is_mounted && mkdir m && cp new m/single && cp new m/other && test_status 1 copy new "$web:/m/single" 2>err && test_grep "/m/single.: something is mounted there" err &&
    test_status 2 copy m/. "$web:/m" 2>err && test_grep "m/single. to .*: something is mounted there" err && tar -C m -c single | test_status 2 copy - "$web:/m" 2>err && test_grep "something is mounted" err &&
    single_is_mounted && bare_do web /bin/cat /m/other >actual && test_cmp new actual && bare_do web /bin/find /m -name ".ccp*" >left && test_empty left
'

test_expect UNSHARE 'nor where the kernel is older than openat2' '
    mount_single 2>err && single_is_mounted && test_status 1 "$HELPERS/deny-syscall" openat2 -- ccp -q new "$web:/m/single" 2>err && test_grep "something is mounted there" err &&
    test_status 1 "$HELPERS/deny-syscall" openat2=EPERM -- ccp -q new "$web:/m/single" 2>err && single_is_mounted && "$HELPERS/deny-syscall" openat2 -- ccp -q new "$web:/m/plain" && bare_do web /bin/cat /m/plain >actual && test_cmp new actual
'

# Many times, for the exchange is to hit each place between two looks.
naive_race()
{
    local line i found=1
    race /a/dir /a/link || return 1
    for ((i = 0; i < 20000; i++)); do
        if [ ! -L "$root/a/dir" ] && { read -r line <"$root/a/dir/file"; } 2>/dev/null && [ "$line" = HOSTCANARY ]; then
            found=0
            break
        fi
    done
    kill "$racer"
    return "$found"
}

test_expect UNSHARE 'naive: looked at first, and opened later, a name is another file by then' naive_race

race_dir()
{
    local i failed=0
    race /a/dir /a/link || return 1
    for ((i = 0; i < 60; i++)); do
        rm -rf got got2
        { copy "$web:/a/dir/file" got; copy "$web:/a/dir/." got2; copy new "$web:/a/dir/evil"; } 2>>err
        [ ! -f got ] || [ -L got ] || ! grep -s HOSTCANARY got || failed=1
        [ -L got2 ] || [ ! -d got2 ] || ! find got2 -type f -exec grep -s HOSTCANARY {} + || failed=1
        [ ! -f got ] || touch got.once
    done
    kill "$racer"
    [ "$failed" = 0 ] && [ -e got.once ]
}

test_expect UNSHARE 'a directory that is exchanged with a link: out of it and into it, 180 times, never the host' '
    race_dir && host_is_whole && bare_do web /bin/find /a -name evil >actual && test -s actual
'

race_tree()
{
    local i second failed=0
    race /a/t/dir /a/t/link && second=$racer && race /a/file /a/lfile && mkdir -p in/t/dir && cp new in/t/dir/evil && cp new in/file || return 1
    for ((i = 0; i < 60; i++)); do
        rm -rf got
        copy "$web:/a" got 2>>err
        ! find got -type f -exec grep -s HOSTCANARY {} + || failed=1
        { copy in/. "$web:/a"; copy new "$web:/a/file"; } 2>>err
    done
    kill "$racer" "$second"
    return "$failed"
}

test_expect UNSHARE 'the same inside a tree, and with a file' 'race_tree && host_is_whole'

# What it does in the destination while we write there.
replace_ours()
{
    local i
    bare_do web /bin/mkdir -p /b && mkdir many || return 1
    for ((i = 0; i < 200; i++)); do echo "$i" >"many/$i" && chmod 666 "many/$i" || return 1; done
    mknod many/p p
    bare_start web /bin/sh -c "while :; do for f in /b/.ccp-* /b/.ccp-*/* /b/many/*; do rm -rf \$f; ln -sfn $canary/dir/file \$f; done; done" || return 1
    for ((i = 0; i < 20; i++)); do
        { copy --owner 1:1 many "$web:/b"; copy --owner 1:1 many/. "$web:/b"; } 2>>err
    done
    kill "$started"
}

test_expect UNSHARE 'what we are making is replaced by links meanwhile: data, owner and mode go nowhere else' '
    replace_ours && host_is_whole && bare_do web /bin/ls /b >actual && test -s actual
'

test_expect UNSHARE 'a link at the destination on the host is never gone through, whoever made it' '
    bare_do web /bin/sh -c "rm -rf /c; mkdir /c && ln -s $canary/dir /c/d" && rm -rf dst && copy "$web:/c/." dst && test -L dst/d &&
    bare_do web /bin/sh -c "rm /c/d; mkdir /c/d; echo evil >/c/d/file; echo evil >/c/d/more" && test_status 2 copy "$web:/c/." dst 2>err && host_is_whole &&
    tar -C "$root/c" -c . | tar -C dst -x --keep-directory-symlink && test_grep evil host/dir/file && host_again
'

test_expect UNSHARE 'a FIFO, a socket or a device is not opened: neither as a source nor in the way' '
    bare_do web /bin/sh -c "mkdir /n && cd /n && mkfifo fifo && mknod zero c 1 5 && mknod full c 1 7" && test_status 137 within 1 cat "$root/n/fifo" && copy "$web:/n/fifo" got.fifo && test -p got.fifo && test_status 2 copy "$web:/n/zero" got.zero 2>err && ! test -e got.zero &&
    copy new "$web:/n/fifo" && test_status 1 copy new "$web:/n/full" 2>err && test_grep device err && bare_do web /bin/cat /n/fifo >actual && test_cmp new actual &&
    mkfifo way && bare_do web /bin/cp /n/fifo /n/file && copy "$web:/n/file" way && test_cmp new way
'

test_expect UNSHARE 'names with newlines and bytes that are no UTF-8 come as they are, and are said escaped' '
    bare_do web /bin/sh -c "mkdir /names && cd /names && echo 1 >\"\$(printf \"a\\nb\")\" && echo 2 >\"\$(printf \"\\377\\033[2Jc\")\"" && rm -rf names && copy "$web:/names" names &&
    find names -type f -printf "%f\0" | sort -z | od -c >actual && find "$root/names" -type f -printf "%f\0" | sort -z | od -c >expect && test_cmp expect actual &&
    test_status 1 copy "$web:/names/$(printf "x\033[2J")" x 2>err && ! grep -a "$(printf "\033")" err
'

# deep make|show DIR: 60 directories in each other, with a file at the bottom
deep()
{
    python3 - "$@" <<'EOT'
import os, sys
os.chdir(sys.argv[2])
for _ in range(60):
    if sys.argv[1] == 'make':
        os.mkdir('d' * 200)
    os.chdir('d' * 200)
if sys.argv[1] == 'make':
    open('file', 'w').write('bottom\n')
sys.stdout.write(open('file').read())
EOT
}

test_expect UNSHARE 'a path of 12,000 bytes is copied out and in again' '
    mkdir "$root/deep" && deep make "$root/deep" && long=$(printf "%0200d" 0 | tr 0 d) && long=$(for i in $(seq 60); do printf "/%s" "$long"; done) &&
    ! cat "$root/deep$long/file" 2>err && test_grep "too long" err && copy "$web:/deep" deep && deep show deep >actual && test_grep bottom actual &&
    copy deep "$web:/deep2" && deep show "$root/deep2" >actual && test_grep bottom actual && copy "$web:/deep$long/file" bottom && test_grep bottom bottom
'

test_expect UNSHARE 'a loop of bind mounts ends, with a word about it' '
    bare_do web /bin/sh -c "mkdir -p /l/x/y && mount --bind /l /l/x/y && echo f >/l/file" && test_status 2 copy "$web:/l" loop 2>err && test_grep "symbolic links\|loop" err && test_grep "^f$" loop/file
'

# --- what ends early ----------------------------------------------------------------------------

nothing_left() { find "$@" -name ".ccp-*" >left && test_empty left; }

test_expect UNSHARE 'a full disk: said, status 1, and nothing under the name, half or whole' '
    mkdir -p full && mount -t tmpfs -o size=2m tmpfs full && test_cleanup "umount $TRASH/full" && bare_do web /bin/sh -c "mkdir -p /big/sub && head -c 8000000 /dev/zero | tr \"\\0\" x >/big/sub/data; echo s >/big/a" &&
    test_status 1 cp -r "$root/big" full/naive 2>err && test -e full/naive/sub/data && rm -rf full/naive &&
    test_status 1 copy "$web:/big/sub/data" full/data 2>err && test_grep "No space left" err && test_status 1 copy "$web:/big" full/big 2>err && test_grep "/big/sub/data. to .full/big.: No space left" err &&
    find full -mindepth 1 >actual && test_empty actual && echo old >full/old && test_status 1 copy "$web:/big/sub/data" full/old 2>err && echo old >expect && test_cmp expect full/old &&
    bare_do web /bin/sh -c "mkdir -p /small && mount -t tmpfs -o size=1m tmpfs /small" && head -c 5000000 /dev/zero | tr "\0" y >big && test_status 1 copy big "$web:/small/" 2>err && test_grep "No space" err &&
    bare_do web /bin/ls -A /small >actual && test_empty actual
'

making() { find . -maxdepth 1 -name '.ccp-*' | grep -q .; }

# started_copy ARGUMENT...: a copy in the background, which is interrupted like one at a terminal; $copier
started_copy()
{
    python3 -c 'import os, signal, sys
for s in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM): signal.signal(s, signal.SIG_DFL)
os.execvp("ccp", ["ccp", "-q"] + sys.argv[1:])' "$@" 2>copier.err &
    copier=$!
    test_wait making
}

# signalled NAME: the status is that of the signal, and nothing is left
signalled()
{
    local status=0
    rm -rf tree && started_copy "$web:/many" tree && kill "-$1" "$copier" || return 1
    wait "$copier" || status=$?
    [ "$status" = $((128 + $(kill -l "$1"))) ] && ! test -e tree && nothing_left .
}

test_expect UNSHARE 'a signal ends it by that signal, with nothing left' '
    bare_do web /bin/sh -c "mkdir -p /many && for i in \$(seq 150); do head -c 3000000 /dev/zero >/many/\$i; done" &&
    signalled INT && signalled TERM && signalled HUP
'

# while_it COMMAND COPIES: so often, while the container does that to /grow
while_it()
{
    local i failed=0
    bare_start web /bin/sh -c "while :; do $1; done" || return 1
    for ((i = 0; i < $2; i++)); do copy "$web:/grow" grown || failed=1; done
    kill "$started"
    return "$failed"
}

test_expect UNSHARE 'a file that grows while it is copied ends, one that shrinks too' '
    bare_do web /bin/sh -c "head -c 20000000 /dev/zero >/grow" && while_it "echo more >>/grow" 3 && test "$(stat -c %s grown)" -ge 20000000 &&
    while_it "head -c 20000000 /dev/zero >/grow; : >/grow" 10
'

test_expect UNSHARE,STRACE 'nothing of the image is run, loaded, or asked for a name' '
    bare_do web /bin/sh -c "mkdir -p /lib/x86_64-linux-gnu && echo evil >/lib/x86_64-linux-gnu/libnss_files.so.2 && mkdir -p /usr/local/bin && for p in tar xz gzip unpigz cp; do
        printf \"#!/bin/sh\\necho ran >>/ran\\n\" >/usr/local/bin/\$p; chmod 755 /usr/local/bin/\$p; done" &&
    chroot "$root" /usr/local/bin/tar && bare_do web /bin/rm /ran && tar -C host -cJf a.txz . &&
    strace -f -o trace -e trace=execve,chroot,setns,open,openat ccp -q -a "$web:/a/t" traced && strace -f -o trace2 -e trace=execve,chroot,setns ccp -q - "$web:/b" <a.txz &&
    cat trace trace2 >traces && test "$(grep -c "execve(" traces)" = 2 && test_grep -v "chroot(\|setns(" traces &&
    sed -n "/ \"root\", /,\$p" trace >after && test -s after && test_grep -v "\.so\|passwd\|nsswitch\|locale\|gconv" after && ! bare_do web /bin/cat /ran 2>err
'

gone()
{
    local status=0
    rm -rf tree && started_copy "$web:/many" tree && kill -STOP "$copier" && kill -KILL "$pid" || return 1
    test_wait '! test -e "/proc/$pid/ns/mnt" || ! readlink "/proc/$pid/ns/mnt"' || status=1
    kill -CONT "$copier"
    wait "$copier" || status=$?
    [ "$status" = 1 ] && test_grep 'ended or was removed' copier.err && nothing_left .
}

test_expect UNSHARE 'a container that is gone before the copy is whole: status 1, and said' gone

test_done
