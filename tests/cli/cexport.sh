#!/bin/bash
# cexport's command line, on the disk of a made-up host whose one container is a directory. Nothing runs here.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/fixture.sh"

# make_host DIR: an lxc container c1
make_host()
{
    local root=$1/var/lib/lxc/c1/rootfs
    mkdir -p "$root"/{etc,usr/lib,var/cache/apt,real/deep,run} &&
        printf 'lxc.uts.name = c1\nlxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs\n' >"$1/var/lib/lxc/c1/config" &&
        echo root:x:0:0::/:/bin/sh >"$root/etc/passwd" && ln -s ../real "$root/usr/link" && ln -s /run "$root/var/run" &&
        echo pid >"$root/run/pid" && echo deep >"$root/real/deep/file" && echo junk >"$root/var/cache/apt/junk" &&
        echo a >"$root/usr/lib/a.pyc" && echo b >"$root/usr/lib/b.py" &&
        touch -d @1700000000 "$root"/etc/passwd && find "$root" -exec touch -h -d @1700000000 {} +
}
out() { cexport --sysroot "$TRASH/host" "$@"; }

test_expect 'setup: a host' 'make_host host && root=host/var/lib/lxc/c1/rootfs'

test_expect 'without a container it says so and exits 1' '
    test_status 1 cexport 2>err && test_grep "which container" err && test_grep "cexport --help" err
'

test_expect 'what excludes each other is a usage error, before anything is opened' '
    test_status 1 out --gzip --zstd c1 2>err && test_grep "exclude each other" err &&
    test_status 1 out --format cpio c1 2>err && test_grep "cpio" err &&
    test_status 1 out --format oci --upper c1 2>err && test_grep "whole container" err &&
    test_status 1 out --format oci c1 /etc 2>err && test_grep "whole container" err &&
    test_status 1 out --volumes --upper c1 2>err && test_grep "have no volumes" err &&
    test_status 1 out --volumes --format docker c1 2>err && test_grep "have no volumes" err &&
    test_status 1 out -o "" c1 2>err && test_grep "empty name" err &&
    test_status 1 out --tag x c1 2>err && test_grep "goes with --format" err &&
    test_status 1 out --format oci --tag "a b" c1 2>err && test_grep "no name of an image" err &&
    test_status 1 out --format oci --tag "" c1 2>err && test_grep "no name of an image" err
'

test_expect 'names are sorted, have no leading slash, and a directory comes before what is in it' '
    out c1 >a.tar && tar -tf a.tar >actual && cat >expect <<-END && test_cmp expect actual
	etc/
	etc/passwd
	real/
	real/deep/
	real/deep/file
	run/
	run/pid
	usr/
	usr/lib/
	usr/lib/a.pyc
	usr/lib/b.py
	usr/link
	var/
	var/cache/
	var/cache/apt/
	var/cache/apt/junk
	var/run
	END
'

test_expect 'owners are numbers, and no names of this host' '
    tar -tvf a.tar >list && test_grep "$(id -u)/$(id -g) .*etc/passwd" list && ! grep -a "root.*root" a.tar
'

test_expect 'PATH: links on the way are followed inside, the last one is not' '
    out c1 /var/run/pid >p.tar && tar -tf p.tar >actual && echo run/pid >expect && test_cmp expect actual &&
    out c1 usr/link/deep /etc/passwd >p.tar && tar -tf p.tar >actual &&
    printf "%s\n" real/deep/ real/deep/file etc/passwd >expect && test_cmp expect actual &&
    out c1 /usr/link >p.tar && tar -tvf p.tar >actual && test_grep "usr/link -> ../real" actual && [ "$(wc -l <actual)" = 1 ] &&
    out c1 ../../../etc >p.tar && tar -tf p.tar >actual && printf "%s\n" etc/ etc/passwd >expect && test_cmp expect actual &&
    out c1 / >p.tar && test_cmp a.tar p.tar
'

test_expect 'a PATH that is not there is an error, and no file is made' '
    test_status 1 out c1 /nowhere/at/all -o none.tar 2>err && test_grep "/nowhere/at/all.: No such file" err && ! ls -A | grep none
'

test_expect '--exclude: a name anywhere, or a path from the root, with all that is below' '
    out c1 -x "*.pyc" --exclude "var/cache/*" --exclude /real/deep >x.tar && tar -tf x.tar >actual &&
    tar -tf a.tar | grep -v "pyc$\|cache/.\|deep" >expect && test_cmp expect actual
'

test_expect '-o: the file is its owner'"'"'s only, and replaces what was there' '
    umask 022 && echo old >o.tar && chmod 644 o.tar && out c1 -o o.tar && test_cmp a.tar o.tar && [ "$(stat -c %a o.tar)" = 600 ] &&
    out c1 --output new.tar && test_cmp a.tar new.tar && [ "$(stat -c %a new.tar)" = 600 ] &&
    mkdir sub && ln -s sub/far.tar link.tar && echo old >sub/far.tar && out c1 -o link.tar && [ -L link.tar ] && test_cmp a.tar sub/far.tar &&
    out c1 -o - >dash.tar && test_cmp a.tar dash.tar && ! find . -name ".*.tar*" | grep .
'

test_expect '-o: what is no file is written to, or refused with its reason' '
    out c1 -o /dev/null && test_status 1 out c1 -o sub 2>err && test_grep "sub.*Is a directory" err &&
    test_status 1 out c1 -o no/such/dir.tar 2>err && test_grep "no/such" err && test_grep "No such file" err &&
    mkfifo pipe && { cat pipe >piped.tar & } && out c1 -o pipe && wait $! && test_cmp a.tar piped.tar
'

test_expect 'a full disk is an error, on stdout and with -o' '
    test_status 1 out c1 >/dev/full 2>err && test_grep "write the archive: No space left on device" err &&
    test_status 1 out c1 -o /dev/full 2>err && test_grep "No space left on device" err
'

test_expect 'an archive is not written to a terminal' '
    test_status 1 script -qec "cexport --sysroot \"$TRASH/host\" c1" /dev/null >out && test_grep "nothing for a terminal" out &&
    test_grep "hint: .*-o FILE" out && ! grep -a passwd out
'

test_expect 'an export that lasts shows bytes, files and rate on a terminal, and takes that away before it says anything' '
    head -c 6000000 /dev/zero | tr "\0" x >"$root/etc/big" && python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"$root/run/s\")" && mkfifo slow && { { sleep 1.5; cat; } <slow >slow.tar & } &&
    script -qec "cexport --sysroot \"$TRASH/host\" c1 -o slow" /dev/null >terminal && wait $! && tar -tf slow.tar >actual && test_grep etc/big actual &&
    test_grep "^.cexport: .*[KM] in [0-9]* files, [0-9.]*[KMG]*/s.\[K.*$(printf "\r\033")\[Kcexport: .*a socket is left out" terminal &&
    rm "$root/etc/big" "$root/run/s" slow && touch -d @1700000000 "$root/etc" "$root/run"
'

test_expect 'a reader that goes away ends it without a word' '
    { out c1 2>err; echo $? >status; } | head -c 1 >/dev/null && test_grep "^\(0\|141\)$" status && test_empty err
'

test_expect '--gzip and --zstd compress the same archive, always to the same bytes' '
    out --gzip c1 >a.tar.gz && gzip -dc a.tar.gz >actual && test_cmp a.tar actual && out --gzip c1 | cmp - a.tar.gz &&
    out --zstd c1 >a.tar.zst && zstd -qdc a.tar.zst >actual && test_cmp a.tar actual
'

test_expect 'a socket is left out with a remark; with -q without one' '
    python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"$root/run/s\")" &&
    out c1 >s.tar 2>err && test_grep "/run/s.: a socket is left out" err && ! tar -tf s.tar | grep run/s &&
    out -q c1 2>err | cmp - s.tar && test_empty err && rm "$root/run/s" && touch -d @1700000000 "$root/run"
'

test_expect '--sorted: equal trees give equal bytes, wherever their holes and inodes are' '
    truncate -s 100K "$root/usr/holes" && echo end >>"$root/usr/holes" && touch -d @1700000000 "$root/usr/holes" "$root/usr" &&
    cp -a host other && cp --sparse=never host/var/lib/lxc/c1/rootfs/usr/holes other/var/lib/lxc/c1/rootfs/usr/holes &&
    touch -d @1700000000 other/var/lib/lxc/c1/rootfs/usr/holes &&
    out --sorted c1 >one.tar && cexport --sysroot "$TRASH/other" --sorted c1 >two.tar && cmp one.tar two.tar &&
    out c1 >sparse.tar && ! cmp -s one.tar sparse.tar && [ "$(stat -c %s sparse.tar)" -lt "$(stat -c %s one.tar)" ]
'

test_expect JQ '--format: each part has the digest by which it is named, and the tag' '
    out --format oci --zstd -t shop/c1 c1 >image.tar && mkdir image && tar -C image -xf image.tar &&
    for blob in image/blobs/sha256/*; do [ "$(sha256sum <"$blob" | cut -d" " -f1)" = "$(basename "$blob")" ] || return 1; done &&
    test_json .imageLayoutVersion 1.0.0 image/oci-layout && test_json ".manifests[0].annotations[\"org.opencontainers.image.ref.name\"]" shop/c1:latest image/index.json &&
    manifest=image/blobs/sha256/$(jq -r ".manifests[0].digest[7:]" image/index.json) && layer=$(jq -r ".layers[0].digest[7:]" "$manifest") &&
    config=image/blobs/sha256/$(jq -r ".config.digest[7:]" "$manifest") && test_json ".layers[0].mediaType" application/vnd.oci.image.layer.v1.tar+zstd "$manifest" &&
    test_json ".layers[0].size" "$(stat -c %s "image/blobs/sha256/$layer")" "$manifest" &&
    test_json ".rootfs.diff_ids[0][7:]" "$(zstd -qdc "image/blobs/sha256/$layer" | sha256sum | cut -d" " -f1)" "$config" &&
    test_json ".[0].RepoTags[0]" shop/c1:latest image/manifest.json && test_json ".[0].Layers[0]" "blobs/sha256/$layer" image/manifest.json
'

test_expect JQ 'and --format docker has no other parts than docker load needs; into a file and a pipe it is the same but for its time' '
    out --format docker --sorted c1 -o image.tar && out --format docker --sorted c1 | cat >piped.tar && cmp image.tar piped.tar &&
    tar -tf image.tar >list && [ "$(wc -l <list)" = 3 ] && test_grep "^manifest.json$" list && tar -xOf image.tar manifest.json >manifest &&
    test_json ".[0].RepoTags" null manifest
'

test_expect 'a file that a layer cannot have is said, and missing in an image only' '
    echo x >"$root/etc/.wh.passwd" && out c1 2>err | tar -t >list && test_empty err && test_grep "etc/.wh.passwd" list &&
    test_status 2 out --format oci c1 -o image.tar 2>err && test_grep "etc/.wh.passwd.: a layer cannot have" err &&
    tar -xOf image.tar "$(tar -tf image.tar | head -n 1)" | tar -t >list && test_grep -v "wh.passwd" list && test_grep "etc/passwd" list
'

# --- --upper of a root that is one whole tree ---

test_expect '--upper of a tree of which nobody kept what it began as is an error, and no file' '
    test_status 1 out --upper c1 >u.tar 2>err && test_empty u.tar && test_grep "lxc container c1: the tree that it began as is not kept" err && test_grep "hint: without --upper" err &&
    test_status 1 out --upper c1 -o none.tar 2>err && ! ls -A | grep none
'

test_expect JQ '--upper of a vfs: what differs from the tree that it was copied from' '
    mkdir vfs && (cd vfs && fixture_copy docker-20.10-vfs) && { cps -a --json --sysroot vfs/host >listed || true; } &&
    tree=vfs/host$(jq -r ".containers[] | select(.name == \"web\").layers.upper" listed) && base=vfs/host$(jq -r ".containers[] | select(.name == \"web\").layers.lowers[0]" listed) &&
    mkdir -p "$base"/{etc,dir/deep,same} && echo one >"$base/etc/one" && echo gone >"$base/etc/gone" && echo x >"$base/dir/deep/x" && echo same >"$base/same/file" && ln "$base/same/file" "$base/same/hard" &&
    find "$base" -exec touch -h -d @1700000000 {} + && mkdir -p "$(dirname "$tree")" && cp -aT "$base" "$tree" && echo two >"$tree/etc/one" && rm "$tree/etc/gone" && rm -r "$tree/dir" && mkdir "$tree/dir" &&
    echo new >"$tree/dir/new" && ln "$tree/dir/new" "$tree/dir/second" && chmod 600 "$tree/same/file" && cexport --sysroot vfs/host --upper web >u.tar 2>err && test_empty err &&
    tar -tf u.tar >actual && printf "%s\n" dir/ dir/.wh.deep dir/new dir/second etc/ etc/.wh.gone etc/one same/ same/file same/hard >expect && test_cmp expect actual &&
    tar -xOf u.tar etc/one >actual && echo two >expect && test_cmp expect actual && tar -tvf u.tar >list && test_grep "dir/second link to dir/new" list &&
    cexport --sysroot vfs/host --upper web /etc | tar -t >actual && printf "%s\n" etc/ etc/.wh.gone etc/one >expect && test_cmp expect actual
'

# --- volumes of a stopped container ---

# mount_into HOST ENTRY...: fields 1 to 4 of lxc.mount.entry
mount_into() { local host=$1; shift; printf 'lxc.mount.entry = %s 0 0\n' "$@" >>"$host/var/lib/lxc/c1/config"; }
vout() { cexport --sysroot "$TRASH/vhost" --volumes c1 "$@"; }

test_expect 'setup: volumes: a directory, one in it, a file, through a link, on a tmpfs, where nothing is, lost, of no path' '
    make_host vhost && v=vhost/srv && root=vhost/var/lib/lxc/c1/rootfs && mkdir -p "$v"/{data/inner,sub/deep,linked,late} "$root/data/below" "$root/lost/below" &&
    echo d >"$v/data/file" && echo hidden >"$v/data/inner/hidden" && echo s >"$v/sub/deep/file" && echo single >"$v/single" && echo l >"$v/linked/file" && echo t >"$v/late/file" &&
    chmod 750 "$v/data" && ln -s file "$v/data/link" && ln "$v/data/file" "$v/data/hard" && mkdir "$root/tmp" && echo below >"$root/tmp/below" &&
    echo file >"$root/plain" && mount_into vhost "/srv/sub data/inner none bind" "/srv/data data none bind" "/srv/single etc/passwd none bind" "/srv/linked var/run/app none bind" \
        "tmpfs tmp tmpfs rw" "/srv/late tmp/late/er none bind" "/srv/late new/late none bind" "/srv/sub new/er/sub none rbind" "/nowhere lost none bind" "disk disk ext4 rw" "/srv/late plain/x none bind"
'

test_expect 'each is at its place with what it has, and nothing of what lies below; what is lost is said, and the status is 2' '
    test_status 2 vout >v.tar 2>err && tar -tf v.tar >actual && cat >expect <<-END && test_cmp expect actual &&
	data/
	data/file
	data/hard
	data/inner/
	data/inner/deep/
	data/inner/deep/file
	data/link
	etc/
	etc/passwd
	lost/
	plain
	real/
	real/deep/
	real/deep/file
	run/
	run/pid
	run/app/
	run/app/file
	tmp/
	tmp/late/
	tmp/late/er/
	tmp/late/er/file
	usr/
	usr/lib/
	usr/lib/a.pyc
	usr/lib/b.py
	usr/link
	var/
	var/cache/
	var/cache/apt/
	var/cache/apt/junk
	var/run
	new/
	new/late/
	new/late/file
	new/er/
	new/er/sub/
	new/er/sub/deep/
	new/er/sub/deep/file
	END
    tar -tvf v.tar >list && test_grep "^drwxr-x--- .* data/$" list && test_grep "data/hard link to data/file" list && [ "$(tar -xOf v.tar etc/passwd)" = single ] &&
    sed "s/^cexport: //" err | sort >actual && cat >expect <<-END && test_cmp expect actual
	export '"'"'/disk'"'"': where its volume is on this host is not known
	export '"'"'/lost'"'"': open its volume '"'"'/nowhere'"'"': No such file or directory
	export '"'"'/plain/x'"'"': its mount point cannot be reached
	export '"'"'/tmp'"'"': a tmpfs, whose files went with the container
	END
'

test_expect 'without --volumes it is what lies below them' '
    cexport --sysroot "$TRASH/vhost" c1 >v.tar 2>err && test_empty err && tar -tf v.tar >list && test_grep "data/below" list && test_grep "lost/below" list && ! grep inner list &&
    tar -xOf v.tar etc/passwd >actual && test_grep root:x actual
'

test_expect 'PATH: in a volume, a volume, above one, through a link; of one that is lost an error' '
    vout /data/inner/deep >p.tar && tar -tf p.tar >actual && printf "%s\n" data/inner/deep/ data/inner/deep/file >expect && test_cmp expect actual &&
    vout var/run/app /etc >p.tar && tar -tf p.tar >actual && printf "%s\n" run/app/ run/app/file etc/ etc/passwd >expect && test_cmp expect actual &&
    vout /etc/passwd >p.tar && [ "$(tar -xOf p.tar)" = single ] && vout /run >p.tar && tar -tf p.tar >actual && printf "%s\n" run/ run/pid run/app/ run/app/file >expect && test_cmp expect actual &&
    test_status 1 vout /lost/below -o none.tar 2>err && test_grep "/lost/below.: No such file" err && ! ls -A | grep none
'

test_expect '--exclude: in volumes, and whole ones, also where the layers have no place for them' '
    test_status 2 vout -x inner -x /new/er -x deep -x /lost -x /data/hard -x late >v.tar 2>err && tar -tf v.tar >list &&
    grep -E "^(data|new|tmp|lost)" list >actual && printf "%s\n" data/ data/file data/link tmp/ >expect && test_cmp expect actual && ! grep -E "lost|late" err
'

test_expect 'ccp to an archive has them, too' '
    ccp --sysroot "$TRASH/vhost" c1:/data - >v.tar && tar -tf v.tar >actual &&
    printf "%s\n" data/ data/file data/hard data/inner/ data/inner/deep/ data/inner/deep/file data/link >expect && test_cmp expect actual
'

test_done
