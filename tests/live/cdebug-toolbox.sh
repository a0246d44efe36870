#!/bin/bash
# cdebug --toolbox: directories, file system images, images of an engine's store, beside a container and with one that has ended.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-stopped.sh"
. "$SONDE_SOURCE/tests/lib/toolbox.sh"
test_engine bare
test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems && have_all jq setfattr'
test_prereq SQUASHFS 'have_all mksquashfs && grep -qw squashfs /proc/filesystems && [ -e /dev/loop-control ]'
test_prereq EROFS 'have_all mkfs.erofs && grep -qw erofs /proc/filesystems'

box_up() { stopped_up && { [ -d box ] || box_make box; }; }
# in_box TOOLBOX ARGUMENT…: a session with it, in the container that has ended
in_box() { stopped -q --toolbox "$@"; }
box_state() { find box -printf '%p %y %i %m %U:%G %s %T@ %C@\n' | LC_ALL=C sort; }

test_expect OVERLAY 'a directory: its programs are at /, the container at /target, nothing of the host but /dev' '
    box_up && in_box ./box web -- sh -c "cat /etc/box /target/etc/motd; ls -A /; ls /usr 2>&1; stat -c %t,%T /dev/null; echo \$PATH:\$HOME:\$SHELL" >actual &&
    printf "%s\n" box motd .sonde bin dev etc proc root sys target tmp "ls: /usr: No such file or directory" 1,3 \
        /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/root:/bin/sh >expect && test_cmp expect actual
'

test_expect OVERLAY 'it may be written to, /dev not, and is afterwards as it was; no mount stays' '
    box_up && box_state >before &&
    in_box ./box web -- sh -c "echo 1 >/new && rm /etc/box && mkdir /bin/d && mv /bin/d /d && mv /bin /bin2 && /bin2/busybox id -u && ! /bin2/touch /dev/x 2>/dev/null && /bin2/ls / | /bin2/grep -c -e new -e ^d\$" >actual &&
    printf "0\n2\n" >expect && test_cmp expect actual && box_state >after && test_cmp before after && ! box_left
'

test_expect UNSHARE,OVERLAY 'beside a running one: its processes, its network, its names' '
    box_up && bare_up && bare_run served && pid=$(bare_pid served) &&
    cdebug --toolbox ./box "pid:$pid" -- sh -c "readlink /proc/self/ns/net; readlink /proc/self/ns/pid; cat /proc/1/comm; uname -n; cat /target/etc/motd; echo \$TARGET_PID" >actual &&
    { readlink "/proc/$pid/ns/net" "/proc/$pid/ns/pid"; echo sleep; echo served; echo welcome to the test image; echo 1; } >expect && test_cmp expect actual
'

test_expect UNSHARE,OVERLAY 'and its resolv.conf and hosts; in the network of the host those of the host, and its interfaces' '
    pid=$(bare_pid served) && echo "nameserver 192.0.2.7" >"/proc/$pid/root/etc/resolv.conf" &&
    cdebug --toolbox ./box "pid:$pid" -- cat /etc/resolv.conf >actual && echo "nameserver 192.0.2.7" >expect && test_cmp expect actual &&
    cdebug --toolbox ./box --ns pid "pid:$pid" -- sh -c "cat /etc/resolv.conf /etc/hosts; ls /sys/class/net" >actual &&
    { cat /etc/resolv.conf /etc/hosts; ls /sys/class/net; } >expect && test_cmp expect actual
'

test_expect UNSHARE,OVERLAY 'as another user: a home in /tmp, and nothing of the toolbox may be changed' '
    cdebug --toolbox ./box --user 1234 "pid:$(bare_pid served)" -- sh -c "id -u; echo \$HOME; echo 1 >/tmp/x && cat /tmp/x; ! touch /x 2>/dev/null" >actual &&
    printf "1234\n/tmp\n1\n" >expect && test_cmp expect actual
'

test_expect OVERLAY 'limits, statuses, signals, and a directory to begin in, as without one' '
    box_up && test_status 7 in_box ./box web -- sh -c "exit 7" && test_status 137 in_box ./box web -- sh -c "kill -9 \$\$" &&
    in_box ./box --pids 20 --memory 64M --workdir /etc web -- sh -c "pwd; cat box" >actual && printf "/etc\nbox\n" >expect && test_cmp expect actual
'

test_expect OVERLAY,SQUASHFS 'a squashfs file, and no loop device stays' '
    box_up && mksquashfs box box.sqfs -quiet -no-progress -noappend >/dev/null && loops >before &&
    in_box ./box.sqfs web -- sh -c "cat /etc/box; echo 1 >/new; rm /bin/wc; ls / | grep new" >actual && printf "box\nnew\n" >expect && test_cmp expect actual &&
    test_wait "loops >after; cmp -s before after" && ! box_left
'

test_expect OVERLAY,SQUASHFS 'nor after a kill -9 of all of it' '
    box_up && loops >before && { cdebug --docker-root "$HOST/var/lib/docker" -q --toolbox ./box.sqfs web -- sleep 1000000 & front=$!; } &&
    test_wait "loops | grep -q box.sqfs" && test_wait "pgrep -P $front >/dev/null" && kill -KILL $front && { wait $front || true; } &&
    test_wait "loops >after; cmp -s before after" && ! box_left
'

test_expect OVERLAY,EROFS 'an erofs file' '
    box_up && mkfs.erofs box.erofs box >/dev/null 2>&1 && loops >before &&
    in_box ./box.erofs web -- sh -c "cat /etc/box; echo 1 >/new; ls / | grep new" >actual && printf "box\nnew\n" >expect && test_cmp expect actual &&
    test_wait "loops >after; cmp -s before after"
'

test_expect OVERLAY 'an image of a store, its layers where they are; the store stays as it was' '
    box_up && rm -rf l2 && mkdir -p l2/etc && echo two >l2/etc/two && mknod l2/etc/box c 0 0 && box_image tools box l2 && store_state >before &&
    in_box image:tools web -- sh -c "ls /etc; echo 1 >/etc/two; rm /bin/wc; cat /target/etc/motd" >actual && printf "hosts\nresolv.conf\ntwo\nmotd\n" >expect &&
    test_cmp expect actual && store_state >after && test_cmp before after && ! box_left &&
    in_box image:docker:tools:latest web -- true
'

test_expect OVERLAY 'a tar archive, compressed or not, unpacked to memory' '
    box_up && for to in "tar cf" "tar czf" "tar cJf" "tar cjf" "tar --zstd -cf"; do
        (cd box && $to ../box.tar .) && in_box ./box.tar web -- sh -c "cat /etc/box; echo 1 >/new; ls / | grep new; stat -c %a /etc" >actual &&
        printf "box\nnew\n%s\n" "$(stat -c %a box/etc)" >expect && test_cmp expect actual || { echo "$to"; return 1; }
    done && ! box_left
'

# Two layers: the second deletes /etc/box and /opt/low, hides what was in /var, and changes a directory to a file.
image_archives()
{
    rm -rf la lb oci saved && cp -a box la && mkdir -p la/opt la/var/old la/thing lb/etc lb/opt lb/var/new && echo low >la/opt/low && : >lb/etc/.wh.box &&
        : >lb/opt/.wh.low && : >lb/var/.wh..wh..opq && echo file >lb/thing && echo two >lb/etc/two && mkdir -p oci/blobs/sha256 saved/1 saved/2 &&
        tar czf oci/1 -C la . && tar czf oci/2 -C lb . && tar cf saved/1/layer.tar -C la . && tar cf saved/2/layer.tar -C lb . &&
        echo "[{\"Layers\":[\"1/layer.tar\",\"2/layer.tar\"]}]" >saved/manifest.json && echo "{\"imageLayoutVersion\":\"1.0.0\"}" >oci/oci-layout || return 1
    local one two manifest
    one=$(sha256sum <oci/1 | cut -c1-64) two=$(sha256sum <oci/2 | cut -c1-64)
    mv oci/1 "oci/blobs/sha256/$one" && mv oci/2 "oci/blobs/sha256/$two" || return 1
    printf "{\"layers\":[{\"digest\":\"sha256:%s\"},{\"digest\":\"sha256:%s\"}]}" "$one" "$two" >oci/manifest && manifest=$(sha256sum <oci/manifest | cut -c1-64) &&
        mv oci/manifest "oci/blobs/sha256/$manifest" && printf "{\"manifests\":[{\"digest\":\"sha256:%064d\",\"platform\":{\"architecture\":\"z80\"}},{\"digest\":\"sha256:%s\"}]}" 0 "$manifest" >oci/index.json &&
        tar cf oci.tar -C oci . && tar cf saved.tar -C saved .
}

test_expect OVERLAY 'an image in an archive, of the OCI layout and as docker save writes it: its layers, with what they delete' '
    box_up && image_archives && for archive in oci.tar saved.tar; do
        in_box ./$archive web -- sh -c "cat /etc/two /thing; ls /opt /var; ls -A / | grep wh; test -e /etc/box || echo deleted" >actual &&
        printf "two\nfile\n/opt:\n\n/var:\nnew\ndeleted\n" >expect && test_cmp expect actual || { echo $archive; return 1; }
    done && ! box_left
'

test_expect OVERLAY 'an archive that is damaged, or lacks a layer: one line' '
    box_up && image_archives && rm -r saved/2 && tar cf saved.tar -C saved . && tar czf box.tar -C box . && head -c 100000 box.tar >cut.tar && printf "\037\213garbage" >bad.tar &&
    for bad in saved.tar cut.tar bad.tar; do
        test_status 125 in_box ./$bad web -- true 2>err && [ "$(grep -c "^cdebug: " err)" = 1 ] && test_grep "$bad" err || { echo $bad; return 1; }
    done && ! box_left
'

test_expect OVERLAY,SQUASHFS 'a name is looked for in the home directory, with or without its suffix; --toolbox list shows it' '
    box_up && rm -rf home && mkdir -p home/.local/share/sonde && mksquashfs box home/.local/share/sonde/tiny.squashfs -quiet -no-progress -noappend >/dev/null &&
    cp -a box home/.local/share/sonde/tree && : >home/.local/share/sonde/none && cp box/bin/busybox home/.local/share/sonde/other.squashfs &&
    for name in tiny tiny.squashfs tree; do HOME=$PWD/home in_box "$name" web -- cat /etc/box >actual && echo box >expect && test_cmp expect actual || return 1; done &&
    HOME=$PWD/home cdebug --toolbox list >actual && sed -n "/$(basename "$PWD")/s/ *[0-9.]*[KM-] .*//p" actual >names &&
    { echo "tiny.squashfs           squashfs"; echo "tree                    directory"; } >expect && test_cmp expect names
'

test_expect OVERLAY 'one that has no shell, or not that command, or another machine'"'"'s: one line' '
    box_up && mkdir -p empty/etc && test_status 127 in_box ./empty web 2>err </dev/null && test_grep "has no shell" err && [ "$(grep -c "^cdebug: " err)" = 1 ] &&
    test_status 127 in_box ./box web -- nope 2>err && test_grep "nope" err && [ "$(grep -c "^cdebug: " err)" = 1 ] &&
    rm -rf foreign && cp -a box foreign && printf "\\267" | dd of=foreign/bin/busybox bs=1 seek=18 conv=notrunc status=none &&
    test_status 126 in_box ./foreign web 2>err </dev/null && test_grep "is for aarch64, and this host is $(uname -m)" err && [ "$(grep -c "^cdebug: " err)" = 1 ] &&
    test_status 126 in_box ./foreign web -- id 2>err && test_grep "is for aarch64" err && ! box_left
'

test_expect OVERLAY,SQUASHFS 'a file that is damaged: one line, nothing stays' '
    box_up && loops >before && head -c 5000 box.sqfs >damaged && test_status 125 in_box ./damaged web -- true 2>err &&
    test_grep "mount it as squashfs" err && [ "$(grep -c "^cdebug: " err)" = 1 ] && test_wait "loops >after; cmp -s before after" && ! box_left
'

test_expect UNSHARE,OVERLAY 'a kernel, or a filter, that has not the calls: one line, nothing stays' '
    box_up && pid=$(bare_pid served) && for deny in mount_setattr fsopen move_mount open_tree fsopen=EPERM fsmount=EACCES; do
        test_status 125 "$HELPERS/deny-syscall" "$deny" -- cdebug -q --toolbox ./box "pid:$pid" -- true 2>err &&
            [ "$(grep -c "^cdebug: " err)" = 1 ] && test_grep "^hint: " err && ! box_left || { echo "$deny"; return 1; }
    done
'

test_expect OVERLAY,SQUASHFS 'no loop device to be had: one line, nothing stays' '
    box_up && test_status 125 unshare --mount --propagation private sh -c "
        mkdir nodev && cp -a /dev/null nodev && mount --bind nodev /dev && exec \"\$@\"" sh "$SONDE_BUILD/cdebug" --docker-root "$HOST/var/lib/docker" -q --toolbox ./box.sqfs web -- true 2>err </dev/null &&
    test_grep "no free loop device" err && [ "$(grep -c "^cdebug: " err)" = 1 ]
'

# A name that no other run has.
kept_name=test-$(basename "$(dirname "$TRASH")")-$$
test_cleanup 'rm -rf --one-file-system "/var/lib/sonde/kept/$kept_name"; rmdir /var/lib/sonde/kept /var/lib/sonde 2>/dev/null || true'

test_expect OVERLAY '--keep keeps what is changed under a name, and a later session finds it; the toolbox stays as it was' '
    box_up && box_state >before && in_box ./box --keep "$kept_name" web -- sh -c "echo 1 >/new && rm /bin/wc && echo 2 >/etc/box && echo 3 >/tmp/x && echo 4 >~/x" &&
    in_box ./box --keep "$kept_name" web -- sh -c "cat /new /etc/box; ls /bin/wc /tmp ~ 2>/dev/null; true" >actual && printf "1\n2\n/root:\n\n/tmp:\n" >expect && test_cmp expect actual &&
    in_box ./box web -- sh -c "! cat /new 2>/dev/null && cat /etc/box" >actual && echo box >expect && test_cmp expect actual && box_state >after && test_cmp before after &&
    cdebug --toolbox list >actual && test_grep "^$kept_name .*kept" actual && ! box_left
'

test_expect OVERLAY 'not over another toolbox, nor twice at a time, nor where others may write; no name that leads elsewhere' '
    box_up && rm -rf other && cp -a box other && in_box ./box --keep "$kept_name" web -- true &&
    test_status 125 in_box ./other --keep "$kept_name" web -- true 2>err && test_grep "changes of another toolbox" err &&
    { cdebug --docker-root "$HOST/var/lib/docker" -q --toolbox ./box --keep "$kept_name" web -- sh -c "echo up; sleep 30" >up & front=$!; } && test_wait "[ -s up ]" &&
    test_status 125 in_box ./box --keep "$kept_name" web -- true 2>err && test_grep "another session keeps" err && kill $front && { wait $front || true; } &&
    chmod 777 "/var/lib/sonde/kept/$kept_name" && test_wait "! box_left" &&
    test_status 125 in_box ./box --keep "$kept_name" web -- true 2>err && test_grep "others may write" err &&
    for bad in ../x .. "" a/b -x "a b"; do test_status 125 in_box ./box "--keep=$bad" web -- true 2>err && test_grep "no name" err || { echo "$bad"; return 1; }; done &&
    test_status 125 stopped --keep x web -- true 2>err && test_grep "keep is for" err
'

test_done
