#!/bin/bash
# ccp on a running container: what its processes see, options, archives, patterns.
. "$(dirname "$0")/../lib/harness.sh"
test_engine runc
web='' pid='' # the container, its init

copy() { ccp --store "runc=$OCI_DIR/state" "$@"; }

inside() { rt exec "$web" "$@"; }

test_expect RUNC 'setup: a container with a tmpfs, a volume and /dev/shm' '
    runc_up && oci_run web sh -c "echo hidden >/mnt/hidden; sleep 1000000" && web=$(oci_id web) && pid=$(oci_pid web) && [ "$pid" -gt 1 ] &&
    nsenter -t "$pid" -m mount -t tmpfs tmpfs /mnt &&
    inside sh -c "echo seen >/mnt/seen; echo shared >/dev/shm/shared" && echo volume >"$OCI_DIR/volume/file"
'

test_expect RUNC 'out of what is mounted in it: tmpfs, volume, /dev/shm, /proc' '
    copy "$web:/mnt" "$web:/vol/file" "$web:/dev/shm/shared" "$web:/proc/1/status" . && ls mnt >actual && echo seen >expect && test_cmp expect actual &&
    test_grep "^volume$" file && test_grep "^shared$" shared && test_grep "^Name:" status && test_grep "^NSpid:" status
'

test_expect RUNC 'and into it; not into what is mounted read-only' '
    echo new >new && copy new "$web:/mnt/" && copy new "$web:/dev/shm/new" && inside cat /mnt/new /dev/shm/new >actual && printf "new\nnew\n" >expect && test_cmp expect actual &&
    test_status 1 copy new "$web:/vol/" 2>err && test_grep "Read-only" err && ! test -e "$OCI_DIR/volume/new"
'

test_expect RUNC 'absolute links of the image lead inside it (/var/run -> /run), at either end' '
    copy new "$web:/var/run/x" && inside cat /run/x >actual && test_cmp new actual && ! test -e /run/x && copy "$web:/var/run/x" back && test_cmp new back &&
    inside ln -s "$PWD" /out && test_status 1 copy new "$web:/out/y" 2>err && ! test -e y
'

test_expect RUNC 'owners: the container'"'"'s root, the same ids, or those that were asked for' '
    mkdir own && echo o >own/file && chown -R 1234:4321 own && copy own "$web:/own" && copy -a own "$web:/keep" && copy --owner 7:8 own "$web:/ids" && copy --owner keep own "$web:/keep2" &&
    inside stat -c "%u:%g" /own /own/file /keep /keep/file /ids/file /keep2/file | tr "\n" " " >actual &&
    echo "0:0 0:0 1234:4321 1234:4321 7:8 1234:4321 " | tr -d "\n" >expect && test_cmp expect actual &&
    copy "$web:/keep/file" mine && copy -a "$web:/keep/file" theirs && stat -c "%u:%g" mine theirs >actual && printf "0:0\n1234:4321\n" >expect && test_cmp expect actual
'

test_expect RUNC 'holes stay holes, names of one file stay one file, attributes and times come along' '
    mkdir tree && truncate -s 50M tree/hole && echo end >>tree/hole && dd if=/dev/urandom of=tree/middle bs=1M seek=20 count=1 status=none && truncate -s 40M tree/middle &&
    ln tree/hole tree/again && setfattr -n user.note -v text tree/middle && touch -d "2001-02-03 04:05:06.123456789" tree/middle && mkdir tree/empty && chmod 1777 tree/empty &&
    copy tree "$web:/tmp/tree" && copy "$web:/tmp/tree" tree2 && diff -r tree tree2 &&
    facts() { (cd "$1" && find . ! -name . -printf "%P %y %m %n %s %T@\n" | sort); } && facts tree >expect && facts tree2 >actual && test_cmp expect actual &&
    test "$(stat -c %b tree2/hole)" -lt 1000 && test "$(stat -c %b tree2/middle)" -lt 5000 && getfattr --only-values -n user.note tree2/middle >actual && printf text >expect && test_cmp expect actual
'

test_expect RUNC 'devices are left out and counted, sockets too; --devices takes them' '
    inside mkdir /nodes && mknod "/proc/$pid/root/nodes/null" c 1 3 && inside mkfifo /nodes/pipe && python3 -c "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "/proc/$pid/root/nodes/socket" &&
    test_status 2 copy "$web:/nodes" n 2>err && test_grep "1 device node was left out" err && test_grep "1 socket was" err && ls n >actual && echo pipe >expect && test_cmp expect actual &&
    copy --devices "$web:/nodes" n2 && test "$(stat -c %t:%T n2/null)" = 1:3 && test -p n2/pipe
'

test_expect RUNC '-L copies what a link leads to, under its own name' '
    inside ln -s /etc/motd /latest && copy "$web:/latest" link && test -L link && copy -L "$web:/latest" file2 && ! test -L file2 && test_grep welcome file2 && mkdir in && copy -L "$web:/latest" in && test_grep welcome in/latest
'

test_expect RUNC 'an archive out, an archive in: what tar makes of it' '
    copy "$web:/tmp/tree" - >tree.tar && mkdir t && tar -C t -xf tree.tar && diff -r tree t/tree && test "$(stat -c %h t/tree/hole)" = 2 &&
    copy "$web:/etc/." - | tar -t >names && test_grep "^motd$" names && test_grep -v etc names && copy "$web:/etc" - | tar -t >names && test_grep "^etc/motd$" names &&
    for z in cat gzip bzip2 xz zstd; do
        inside rm -rf "/in" && inside mkdir /in && tar --format=posix -C tree -c . | $z | copy - "$web:/in" && rm -rf in2 && copy "$web:/in" in2 && diff -r tree in2 || return 1
    done && facts in2 >actual && facts tree >expect && test_cmp expect actual
'

test_expect RUNC 'an archive is not put where no directory is, nor is what is none' '
    test_status 1 copy - "$web:/etc/motd" <tree.tar 2>err && test_grep "must be a directory" err && test_status 1 copy - "$web:/missing" <tree.tar 2>err &&
    test_status 1 copy - "$web:/in" <"$0" 2>err && test_grep "read the archive" err && head -c 100000 tree.tar >cut.tar && test_status 1 copy - "$web:/in" <cut.tar 2>err
'

test_expect RUNC 'patterns are expanded in the container, in order; what is no pattern is none' '
    inside sh -c "mkdir -p /g/a /g/b /g/.h; for d in a b .h; do echo \$d >/g/\$d/file; done; echo x >\"/g/a/[x]\"; ln -s /g/b /g/c" &&
    mkdir glob && copy --glob "$web:/g/?" "$web:/g/a/f*" glob && ls glob >actual && printf "a\nb\nc\nfile\n" >expect && test_cmp expect actual &&
    copy "$web:/g/a/[x]" literal && test_grep x literal && test_status 1 copy --glob "$web:/g/z*" . 2>err && test_grep "/g/z" err &&
    test_status 1 copy --glob "$web:/g/?" nothing 2>err && test_grep "several sources need a directory" err && copy --glob "$web:/g/c/*" b && test_grep "^b$" b
'

test_expect RUNC 'from one container to another, and within one' '
    oci_run other sleep 1000000 && copy "$web:/own" "$(oci_id other):/srv" && rt exec "$(oci_id other)" cat /srv/own/file >actual && test_cmp own/file actual &&
    copy "$web:/own" "$web:/own/inside" && inside find /own | sort >actual && printf "/own\n/own/file\n/own/inside\n/own/inside/file\n" >expect && test_cmp expect actual
'

test_expect RUNC 'nothing of a temporary name is left anywhere' '
    { find . -name ".ccp-*"; find "/proc/$pid/root/" -xdev -name ".ccp-*"; } >actual && test_empty actual
'

test_done
