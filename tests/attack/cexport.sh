#!/bin/bash
# A container that changes its files while they are exported, and names, layers and disks that are no help. Its root is a
# directory here: what its processes do to it is done from outside.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"

name=victim$$
root=$TRASH/lxc/$name/rootfs
out() { cexport --store "lxc=$TRASH/lxc" "lxc:$name" "$@"; }

fresh()
{
    rm -rf "$TRASH/lxc" && mkdir -p "$root" && printf 'lxc.uts.name = %s\nlxc.rootfs.path = dir:%s\n' "$name" "$root" >"$TRASH/lxc/$name/config"
}

# meanwhile COMMAND...: runs it until `enough`
meanwhile() { "$@" >/dev/null 2>&1 & attack=$!; test_cleanup "kill $attack 2>/dev/null; wait $attack 2>/dev/null; true"; }
enough() { kill "$attack" && { wait "$attack" 2>/dev/null; true; }; }

# ends STATUSES: the export ends in time with one of these, and what it wrote is an archive
ends()
{
    local status=0
    within 20 cexport --store "lxc=$TRASH/lxc" -q "lxc:$name" >a.tar 2>err || status=$?
    case " $1 " in
    *" $status "*) ;;
    *) echo "status $status"; cat err; return 1 ;;
    esac
    if ! python3 -c 'import sys, tarfile; [t.name for t in tarfile.open(sys.argv[1], errorlevel=2)]' a.tar ||
        ! tar -tf a.tar >names 2>&1; then
        echo 'no archive'
        cat names
        return 1
    fi
}

# --- a directory that becomes a link to the host's ---

mkdir host && echo HOSTCANARY >host/file

naive_read()
{
    local i line
    for ((i = 0; i < 100000; i++)); do
        ! { read -r line <"$root/swap/file"; } 2>/dev/null || [ "$line" != HOSTCANARY ] || return 0
    done
    return 1
}
never_canary() { ends "0 2" && ! grep -a HOSTCANARY a.tar; }

test_expect ROOT 'a directory that is exchanged with a link to the host: whoever joins paths reads the host'"'"'s file' '
    fresh && mkdir "$root/swap" && echo mine >"$root/swap/file" && ln -s "$TRASH/host" "$root/other" &&
    meanwhile "$HELPERS/swap-race" "$root/swap" "$root/other" && naive_read
'
test_expect ROOT 'and an export of it never has that file' 'repeat 15 never_canary && enough'

# --- a file that becomes what blocks, or never ends ---

for kind in fifo device; do
    test_expect ROOT "a file that is exchanged with a $kind: whoever opens it by name hangs" '
        fresh && mkdir "$root/d" && echo data >"$root/d/file" && if [ "$kind" = fifo ]; then mkfifo "$root/d/other"; else mknod "$root/d/other" c 1 5; fi &&
        meanwhile "$HELPERS/swap-race" "$root/d/file" "$root/d/other" &&
        within 60 bash -c "while :; do
            [ ! -f $root/d/file ] || timeout -s KILL 1 cat $root/d/file >/dev/null
            [ \$? != 137 ] || exit 0
        done" 2>err
    '
    test_expect ROOT "and an export goes on: each is a file or a $kind, with the data of a file" 'repeat 8 ends "0 2" && enough'
done

# A set-uid file of root and one of anybody's change places: neither header may stand before the other's data.
sound()
{
    ends "0 2" && python3 - <<-END
	import tarfile
	t = tarfile.open('a.tar')
	for m in t:
	    if m.isreg() and not m.issparse():
	        data = t.extractfile(m).read(5)
	        assert (data == b'mine\n') == (m.mode == 0o644), (m.name, oct(m.mode), data)
	END
}
naive_sound()
{
    local i mode data
    for ((i = 0; i < 400; i++)); do
        mode=$(stat -c %a "$root/suid") && data=$(cat "$root/suid")
        [ "$mode $data" = '644 mine' ] || [ "$mode $data" = '4755 root' ] || return 1
    done
}
test_expect ROOT 'files that are exchanged: whoever looks first and opens later gives one the mode of the other' '
    fresh && echo mine >"$root/mine" && chmod 644 "$root/mine" && echo root >"$root/suid" && chmod 4755 "$root/suid" &&
    meanwhile "$HELPERS/swap-race" "$root/mine" "$root/suid" && ! naive_sound
'
test_expect ROOT 'in an export mode and data are of one file' 'repeat 40 sound && enough'

# --- files that change their size ---

naive_tar() # what is written with a size that was true before
{
    python3 - "$root/log" <<-END
	import os, sys, tarfile, io
	info = tarfile.TarInfo('log')
	info.size = os.stat(sys.argv[1]).st_size
	import time; time.sleep(0.2)
	data = open(sys.argv[1], 'rb').read()
	open('naive.tar', 'wb').write(info.tobuf() + data + bytes(-len(data) % 512) + bytes(1024))
	END
}
grow() { while :; do head -c 300000 /dev/zero | tr '\0' x >>"$root/log"; [ "$(stat -c %s "$root/log")" -lt 60000000 ] || : >"$root/log"; done; }
test_expect ROOT 'a file that grows, and is begun anew: written with the size that it had, it makes no archive' '
    fresh && echo x >"$root/log" && echo last >"$root/z" && meanwhile grow && sleep 0.3 && naive_tar && ! tar -tf naive.tar
'
test_expect ROOT 'an export is one each time, with what comes behind it' '
    whole() { ends "0 2" && test_grep "^z$" names; } && repeat 8 whole && enough
'

# the pipe is full while its data is read: then it is cut
test_expect ROOT 'of a file that becomes shorter the rest is zeros; that is said, and the status is 2' '
    fresh && head -c 40000000 /dev/zero | tr "\0" x >"$root/log" && echo last >"$root/z" &&
    { cexport --store "lxc=$TRASH/lxc" -q "lxc:$name" 2>err; echo $? >status; } |
        { head -c 100000; truncate -s 5000000 "$root/log"; cat; } >a.tar &&
    echo 2 >expect && test_cmp expect status && test_grep "became shorter" err && tar -tf a.tar >names && test_grep "^z$" names &&
    tar -xOf a.tar log >data && [ "$(stat -c %s data)" = 40000000 ] && [ "$(tail -c 1000000 data | tr -d "\0" | wc -c)" = 0 ]
'

# --- names ---

deep()
{
    python3 - "$root" <<-END
	import os, sys
	os.chdir(sys.argv[1])
	for i in range(40):
	    name = b"a\n\xff" + b"%03d" % i + b"x" * 200
	    os.mkdir(name)
	    os.chdir(name)
	open("end", "w").write("found")
	END
}
naive_walk() { python3 -c 'import os, sys; [open(os.path.join(d, n)).read() for d, _, names in os.walk(sys.argv[1]) for n in names]' "$root"; }
test_expect ROOT 'paths over 4,096 bytes, which no path of them opens: an export has them, with newlines and bytes that are no UTF-8' '
    fresh && deep && [ -z "$(naive_walk 2>&1 | grep found)" ] && ! find "$root" -name end -exec cat {} + 2>/dev/null | grep -q found && ends 0 && python3 - <<-END
	import tarfile
	t = tarfile.open("a.tar", errors="surrogateescape")
	last = t.getmembers()[-1]
	assert len(last.name) > 8000 and last.name.endswith("/end") and "\n" in last.name, len(last.name)
	assert t.extractfile(last).read() == b"found"
	assert len(t.getmembers()) == 41
	END
'

# --- layers ---

test_expect ROOT 'a hundred layers, each deleting what the one below it has: only the last file is there' '
    rm -rf lxc && mkdir -p "lxc/$name/rootfs" "lxc/$name/delta" && lowers= && for i in $(seq 1 100); do
        mkdir "lxc/$name/l$i" && echo "$i" >"lxc/$name/l$i/f$i" && echo "$i" >"lxc/$name/l$i/same" && { [ "$i" = 1 ] || mknod "lxc/$name/l$i/f$((i - 1))" c 0 0; } &&
            lowers=$TRASH/lxc/$name/l$i:$lowers || return 1
    done && mknod "lxc/$name/delta/f99" c 0 0 &&
    printf "lxc.uts.name = %s\nlxc.rootfs.path = overlay:%s%s\n" "$name" "$lowers" "$TRASH/lxc/$name/delta" >"lxc/$name/config" &&
    ends 0 && printf "%s\n" f100 same >expect && test_cmp expect names && tar -xOf a.tar same >actual && echo 100 >expect && test_cmp expect actual
'

# --- the place that it is written to ---

mount_small() { mkdir -p small && mount -t tmpfs -o size=2m tmpfs small && test_cleanup "umount $TRASH/small"; }

test_expect ROOT 'a disk that fills up: a redirection leaves a piece, -o leaves nothing and the file of before' '
    fresh && head -c 8000000 /dev/urandom >"$root/big" && mount_small && test_status 1 out >small/piece.tar 2>err &&
    test_grep "No space left" err && [ -s small/piece.tar ] && rm small/piece.tar && echo before >small/a.tar &&
    test_status 1 out -o small/a.tar 2>err && test_grep "small/a.tar.: write the archive: No space left" err && [ "$(cat small/a.tar)" = before ] && [ "$(ls -A small)" = a.tar ] &&
    test_status 1 out --format oci -o small/i.tar 2>err && [ "$(ls -A small)" = a.tar ]
'

# interrupt DIR: SIGINT while it is written
interrupt()
{
    local pid
    env --default-signal=INT cexport --store "lxc=$TRASH/lxc" --zstd "lxc:$name" -o "$1/a.tar" 2>/dev/null & pid=$!
    sleep 0.3
    kill -INT "$pid" && { wait "$pid"; [ $? = 130 ]; }
}
test_expect ROOT 'SIGINT: nothing is left, and a file of before stays' '
    fresh && head -c 400000000 /dev/urandom >"$root/big" && mkdir int && interrupt int && [ -z "$(ls -A int)" ] &&
    echo before >int/a.tar && interrupt int && [ "$(cat int/a.tar)" = before ] && [ "$(ls -A int)" = a.tar ]
'

test_prereq FUSE_OVERLAYFS '[ -e /dev/fuse ] && have_all fuse-overlayfs'
test_expect ROOT,FUSE_OVERLAYFS 'the same on a file system that has no files without a name' '
    mkdir lower upper work merged && fuse-overlayfs -o "lowerdir=lower,upperdir=upper,workdir=work" merged && test_cleanup "umount -l $TRASH/merged" &&
    ! python3 -c "import os; os.open(\"merged\", os.O_TMPFILE | os.O_RDWR)" 2>/dev/null &&
    interrupt merged && [ -z "$(ls -A merged)" ] && rm "$root/big" && echo x >"$root/small" && out -o merged/a.tar && tar -tf merged/a.tar && [ "$(ls -A merged)" = a.tar ]
'

# --- the container goes ---

test_expect ROOT 'a container that is removed meanwhile: the status is 1, and tar alone would have said 0 or listed names' '
    fresh && mkdir "$root/a" "$root/z" && head -c 9000000 /dev/urandom >"$root/a/big" && echo z >"$root/z/file" &&
    { cexport --store "lxc=$TRASH/lxc" "lxc:$name" 2>err; echo $? >status; } | { head -c 100000 >/dev/null; rm -rf "$TRASH/lxc"; cat >/dev/null; } &&
    echo 1 >expect && test_cmp expect status && test_grep "was removed while it was exported" err
'

# --- volumes ---

vout() { cexport --store "lxc=$TRASH/lxc" --volumes -q "lxc:$name" >a.tar 2>err; }

# share: what it may write to is mounted, and a directory of that once more
share()
{
    rm -rf share && fresh && mkdir -p share/sub "$root/shared" "$root/sub" && echo mine >share/sub/file &&
        printf 'lxc.mount.entry = %s %s none bind 0 0\n' "$TRASH/share" shared "$TRASH/share/sub" sub >>"lxc/$name/config"
}
naive_volume() { tar -C "$(awk '/ sub none/ { print $3 }' "lxc/$name/config")/." -c . | grep -qa HOSTCANARY; }

test_expect ROOT 'a volume that its container replaced by a link to the host: whoever follows the path in the record reads that' '
    share && rm -r share/sub && ln -s "$TRASH/host" share/sub && naive_volume
'
test_expect ROOT 'an export says so, is an archive, and has only the link where the container put it' '
    test_status 2 vout && ! grep -a HOSTCANARY a.tar && test_grep "/sub.: open its volume .*/share/sub.: Too many levels" err &&
    tar -tvf a.tar >list && test_grep "shared/sub -> $TRASH/host" list && test_grep " sub/$" list && ! grep file list
'
naive_race() { local i; for ((i = 0; i < 3000; i++)); do cat share/sub/file 2>/dev/null; done | grep -q HOSTCANARY; }
never_in_volume() { local status=0; vout || status=$?; [ "$status" != 1 ] && tar -tf a.tar >list && ! grep -a HOSTCANARY a.tar; }
test_expect ROOT 'the same while it exchanges directory and link: the naive way sees the host' '
    share && ln -s "$TRASH/host" share/other && meanwhile "$HELPERS/swap-race" share/sub share/other && naive_race
'
test_expect ROOT 'and no export does' 'repeat 15 never_in_volume && enough'

test_engine runc

# running SCRIPT: a container with $TRASH/data mounted at /store/data that runs it as root with CAP_SYS_ADMIN
running()
{
    local bundle
    name=$1 && oci_up && rm -rf data && mkdir -p data/below && echo mine >data/file && oci_bundle "$name" sh -c "$2 : >/ready; exec sleep 1000" &&
        bundle=$OCI_DIR/bundles/$name && jq --arg data "$TRASH/data" '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"]) | .root.readonly = false |
            .mounts += [{ destination: "/store/data", type: "bind", source: $data, options: ["rbind", "rw"] }]' <"$bundle/config.json" >config.new &&
        cat config.new >"$bundle/config.json" && oci_start "$name" && id=$(oci_id "$name") && test_wait "[ -e /proc/$(oci_pid "$name")/root/ready ]"
}
rout() { within 20 cexport --store "runc=$OCI_DIR/state" --volumes "$id" >a.tar 2>err; }

test_expect RUNC 'a running container moves its volume away and puts a link there: the naive way reads the host' '
    running moved "mv /store /gone; mkdir /store; ln -s $TRASH/host /store/data;" && tar -C "/proc/$(oci_pid moved)/root/store/data/" -c . | grep -qa HOSTCANARY
'
test_expect RUNC 'an export says that it is not mounted there any more' '
    test_status 2 rout && ! grep -a HOSTCANARY a.tar && test_grep "is not mounted there any more" err && tar -tvf a.tar >list && test_grep "store/data -> " list && ! grep "e/data/." list
'
test_expect RUNC 'a link to its /proc: the naive way finds the memory of processes there; an export says the same' '
    running proc "mv /store /gone; mkdir /store; ln -s ../proc /store/data;" && [ -e "/proc/$(oci_pid proc)/root/store/data/1/mem" ] &&
    test_status 2 rout && test_grep "is not mounted there any more" err && tar -tf a.tar >list && ! grep "^proc/." list
'
test_expect RUNC 'what it mounts in its volume: tar goes into it' '
    running inner "mount -t proc proc /store/data/below;" && [ -e "/proc/$(oci_pid inner)/root/store/data/below/1" ]
'
test_expect RUNC 'an export leaves it out, with a remark' '
    rout && test_grep "/store/data/below.: what is mounted there is left out" err && tar -tf a.tar | grep store/ >actual &&
    printf "%s\n" store/ store/data/ store/data/below/ store/data/file >expect && test_cmp expect actual
'

test_done
