#!/bin/bash
# Archives that lead out of where they are unpacked: kubectl cp's CVE-2018-1002100, CVE-2019-1002101, CVE-2019-11246,
# CVE-2019-11249 and CVE-2019-11251, by ccp - CONTAINER:DIR.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
root='' web=''

# archive FILE [TYPE NAME [TARGET]]...: TYPE is f, d, l (link), h (hard link), c (device 1:5), p (FIFO)
archive()
{
    python3 - "$@" <<'EOT'
import io, sys, tarfile
types = {'f': tarfile.REGTYPE, 'd': tarfile.DIRTYPE, 'l': tarfile.SYMTYPE, 'h': tarfile.LNKTYPE, 'c': tarfile.CHRTYPE, 'p': tarfile.FIFOTYPE}
with tarfile.open(sys.argv[1], 'w', format=tarfile.GNU_FORMAT, errors='surrogateescape') as tar:
    for entry in sys.argv[2:]:
        kind, name, target = (entry + '||').split('|')[:3]
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.devmajor, info.devminor = types[kind], target, 1, 5
        data = b'evil\n' if kind == 'f' else b''
        info.size, info.mode = len(data), 0o755 if kind == 'd' else 0o644
        tar.addfile(info, io.BytesIO(data))
EOT
}

copy() { within 20 ccp -q "$@"; }

# refused ENTRY...: status 2, and nothing but what is in `expect` is in the directory, nor changed around it
refused()
{
    bare_do web /bin/sh -c "rm -rf /in; mkdir -p /in/dst" && archive hostile.tar "$@" 'f|after' || return 1
    test_status 2 copy - "$web:/in/dst" <hostile.tar 2>err || { cat err; return 1; }
    bare_do web /bin/sh -c "cd /in && find . ! -type l | sort; cat dst/after; find / -xdev -type f -newer /in ! -path '/in/dst/after' ! -path '/proc/*'" >actual
    printf '%s\n' . ./dst ./dst/after evil >expect && test_cmp expect actual
}

test_expect UNSHARE 'setup: a container' '
    bare_up && bare_run web && root=/proc/$(bare_pid web)/root && ! [ "$root" -ef / ] && web=pid:$(bare_pid web)
'

test_expect UNSHARE 'naive: tar -P, below /proc/PID/root, writes to the host' '
    mkdir -p "$root/naive" host && archive naive.tar "f|$PWD/host/absolute" "l|out|$PWD/host" "f|out/through" && tar -C "$root/naive" -xPf naive.tar &&
    test -e host/absolute && test -e host/through
'

test_expect UNSHARE 'names with .. are refused, wherever it stands' '
    refused "f|../up" && refused "f|a/../../up" && refused "f|.." && refused "d|../dir" && refused "l|../link|x"
'

test_expect UNSHARE 'no later entry goes through a link that the archive has made, nor through two' '
    refused "l|out|/etc" "f|out/evil" && refused "l|up|.." "f|up/evil" && refused "l|a|." "l|b|a/.." "f|b/evil" && refused "l|etc|/etc" "l|two|etc" "f|two/evil"
'

test_expect UNSHARE 'a hard link to what is outside is refused, also through a link' '
    refused "h|passwd|/etc/passwd" && refused "h|passwd|../../etc/passwd" && refused "l|etc|/etc" "h|passwd|etc/passwd" && refused "h|shadow|missing"
'

test_expect UNSHARE 'a file that is written over a link replaces the link' '
    archive over.tar "l|passwd|/etc/passwd" "f|passwd" && bare_do web /bin/sh -c "rm -rf /in; mkdir -p /in/dst" && copy - "$web:/in/dst" <over.tar &&
    bare_do web /bin/cat /in/dst/passwd >actual && echo evil >expect && test_cmp expect actual && bare_do web /bin/cat /etc/passwd >actual && test_grep "^root:" actual
'

test_expect UNSHARE 'an absolute name begins at the destination; a link that the container has leads where it leads inside' '
    bare_do web /bin/sh -c "rm -rf /in /var/run/x; mkdir -p /in/dst; ln -s /run /in/dst/run" && archive abs.tar "f|/etc/evil" "f|run/x" && copy - "$web:/in/dst" <abs.tar &&
    bare_do web /bin/sh -c "cat /in/dst/etc/evil /run/x" >actual && printf "evil\nevil\n" >expect && test_cmp expect actual && ! bare_do web /bin/cat /etc/evil 2>err && ! test -e /run/x
'

test_expect UNSHARE 'devices are left out unless they are asked for; a directory does not replace a file' '
    archive dev.tar "c|zero" "p|pipe" && bare_do web /bin/sh -c "rm -rf /in; mkdir -p /in/dst" && test_status 2 copy - "$web:/in/dst" <dev.tar 2>err && bare_do web /bin/ls /in/dst >actual && echo pipe >expect && test_cmp expect actual &&
    copy --devices - "$web:/in/dst" <dev.tar && bare_do web /bin/test -c /in/dst/zero &&
    archive conflict.tar "f|file" "d|file" "d|dir" "f|dir" "f|file/below" && test_status 2 copy - "$web:/in/dst" <conflict.tar 2>err && test "$(grep -c "^ccp: copy" err)" = 3 &&
    bare_do web /bin/sh -c "test -f /in/dst/file && test -d /in/dst/dir"
'

test_expect UNSHARE 'what is no archive, or is cut off anywhere, is said and never crashes' '
    archive good.tar "d|d" "f|d/f" "l|d/l|f" "h|d/h|d/f" && size=$(stat -c %s good.tar) && bare_do web /bin/sh -c "rm -rf /in; mkdir -p /in/dst" &&
    for n in $(seq 1 97 3000); do
        head -c "$n" good.tar >cut.tar && { copy - "$web:/in/dst" <cut.tar 2>err || test $? = 1; } || { echo "cut at $n of $size"; return 1; }
    done && for n in $(seq 0 61 2500); do
        cp good.tar bad.tar && printf "\377" | dd of=bad.tar bs=1 seek="$n" conv=notrunc status=none && { copy - "$web:/in/dst" <bad.tar 2>err || test $? -le 2; } || { echo "byte $n"; return 1; }
    done && ! find "$root/in" -name ".ccp-*" | grep .
'

test_done
