#!/bin/bash
# What a user can mount into a user namespace of its own, or name in a record of its own, is not that user's for it: files of the
# host that root reads and writes, and the user may not.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"

user=65533 host=$TRASH/host own=$TRASH/own init='' web=''

as_user() { setpriv --reuid "$user" --regid "$user" --clear-groups "$@"; }
inside() { as_user nsenter -t "$sleeper" -U -m --preserve-credentials "$@"; }
copy() { within 20 ccp -q "$@"; }

# host_again: a directory that everybody may look into, one that nobody may, one of everybody's, as /tmp is
host_again()
{
    rm -rf "$host" && mkdir -p "$host"/{etc/deep,secret,tmp} && echo HOSTCANARY >"$host/secret/key" && cp "$host/secret/key" "$host/etc/key" && echo public >"$host/etc/public" &&
        echo roots >"$host/tmp/roots" && chmod 640 "$host/etc/key" && chmod 700 "$host/secret" && chmod 1777 "$host/tmp" && find "$host" -printf '%p %y %m %U:%G %s\n' | LC_ALL=C sort >host.expect
}
host_is_whole() { find "$host" -printf '%p %y %m %U:%G %s\n' | LC_ALL=C sort >host.actual && test_cmp host.expect host.actual; }

# user_up [ARGUMENT...]: the user's own namespaces, by unshare, with the host's directories mounted in /c
user_up()
{
    mkdir -p c own && chmod 777 c own && : >ready && chmod 666 ready || return 1
    (exec setpriv --reuid "$user" --regid "$user" --clear-groups unshare --mount --pid --fork --kill-child "$@" sh -c "mount -t tmpfs c '$TRASH/c' && cd '$TRASH/c' && mkdir etc secret tmp own && : >key && mount --bind $own own && echo own >own/file &&
        mount --bind $host/etc etc && mount --bind $host/secret secret && mount --bind $host/tmp tmp && mount --bind $host/etc/key key && ln -sfn etc/key link && echo up >'$TRASH/ready' && exec sleep 1000") &
    init=$!
    disown "$init"
    test_cleanup "kill -KILL $init 2>/dev/null; true"
    test_wait "test -s ready" && test_wait 'read -r -d " " sleeper <"/proc/$init/task/$init/children"' && web=pid:$sleeper && root=/proc/$sleeper/root/$TRASH/c && c=$TRASH/c
}

# user::rw- user:65533:--- group::r-- mask::r-- other::r--
acl=0x0200000001000600ffffffff02000000fdff000004000400ffffffff10000400ffffffff20000400ffffffff
test_prereq ACL '[ "$(id -u)" = 0 ] && have_all setfattr && : >listed && setfattr -n system.posix_acl_access -v "$acl" listed'

test_expect UNSHARE,USERNS 'setup: a user'"'"'s namespaces, with directories of the host mounted in them' '
    host_again && user_up --user --map-root-user && ! as_user cat "$host/etc/key" 2>err && ! inside cat "$c/key" 2>err && test_grep denied err
'

test_expect UNSHARE,USERNS 'naive: root'"'"'s cp reads and writes through the mounts what the user may not' '
    cp "$root/key" leak && test_grep HOSTCANARY leak && cp "$root/secret/key" leak2 && cp "$root/own/file" "$root/etc/evil" && rm "$host/etc/evil" && host_is_whole
'

# no_key_out_of PATH: whatever is copied of it, the key is not
no_key_out_of()
{
    rm -rf got got.tar
    { copy "$web:$1" got && copy -a -L "$web:$1" got; ccp "$web:$1" - >got.tar; copy "$web:$1" "$web:$c/own/leak"; } 2>>err
    ! grep -s HOSTCANARY -r got got.tar "$own"
}

test_expect UNSHARE,USERNS 'out of them root copies what the user could have read' '
    : >err && for what in key link etc/key secret/key secret/. secret etc; do no_key_out_of "$c/$what" || return 1; done && test_grep "Permission denied" err &&
    copy "$web:$c/etc/public" pub && test_grep public pub && copy "$web:$c/own" own2 && test_grep own own2/file && test_status 2 copy "$web:$c/etc" etc2 2>err && test_grep public etc2/public
'

# What others may, and the user may not: a group of his that may less, and a list that names him.
test_expect UNSHARE,USERNS,ACL 'what a group or a list takes from the user is not given either' '
    for f in group list; do echo "HOSTCANARY" >"$host/etc/$f" && chmod 644 "$host/etc/$f"; done && chown "0:$user" "$host/etc/group" && chmod 604 "$host/etc/group" && setfattr -n system.posix_acl_access -v "$acl" "$host/etc/list" &&
    ! inside cat "$c/etc/group" 2>err && ! inside cat "$c/etc/list" 2>err && inside cat "$c/etc/public" &&
    for f in group list; do no_key_out_of "$c/etc/$f" || { echo "leaked: $f"; return 1; }; done && rm -f "$host/etc/group" "$host/etc/list"
'

# Whatever is said of it.
into_what_is_the_hosts()
{
    { copy tree/. "$web:$c/etc"; copy -a tree/. "$web:$c/etc"; copy - "$web:$c/etc" <tree.tar; copy tree "$web:$c/etc"; copy -a tree/. "$web:$c/tmp"; copy - "$web:$c/tmp" <tree.tar; } 2>>err
    rm -rf "$host/tmp/deep" "$host/tmp/key" && host_is_whole
}

test_expect UNSHARE,USERNS 'into them root writes what the user could have written' '
    echo new >new && mkdir -p tree/deep && cp new tree/key && cp new tree/roots && cp new tree/deep/file && tar -C tree -cf tree.tar . && for to in etc etc/key etc/deep/new secret tmp/roots; do test_status 1 copy new "$web:$c/$to" 2>err && test_grep "Permission denied" err || return 1; done &&
    into_what_is_the_hosts && copy new "$web:$c/own/" && copy tree "$web:$c/own" && test_cmp new "$own/tree/deep/file" && [ "$(stat -c %u "$own/tree/deep/file")" = "$user" ] &&
    copy new "$web:$c/tmp/" && copy tree/key "$web:$c/tmp/new" && test_cmp new "$host/tmp/new" && [ "$(stat -c %u "$host/tmp/new")" = "$user" ]
'

# unmapped: a process of the user's in a namespace that has no ids at all
unmapped()
{
    local starter
    (exec setpriv --reuid "$user" --regid "$user" --clear-groups unshare --user --mount --pid --fork --kill-child sleep 1001) &
    starter=$!
    disown "$starter"
    test_cleanup "kill -KILL $starter 2>/dev/null; true" && test_wait "read -r -d ' ' unmapped <'/proc/$starter/task/$starter/children'"
}

test_expect UNSHARE,USERNS 'where no ids are mapped nothing is written, as root neither' '
    unmapped && for to in own host/tmp host/etc; do test_status 1 copy --owner 0:0 new "pid:$unmapped:$TRASH/$to/x" 2>err && test_grep "no id" err || return 1; done && ! test -e own/x && ! test -e host/tmp/x && ! test -e host/etc/x
'

# What is mounted below what is being copied, while the disk is full: whoever cleans up there removes it.
mounting()
{
    local i
    inside sh -c "mkdir -p $c/full && mount -t tmpfs -o size=30m,mode=777 full $c/full" && mkdir -p own/kept && echo kept >own/kept/file && touch own/mounted && chown -R "$user:$user" own || return 1
    mkdir -p big/a && head -c 40000000 /dev/zero | tr '\0' x >big/b && head -c 3000 /dev/zero >big/a/file
    inside sh -c "while ! test -e $c/own/enough; do for d in $c/full/.ccp-*/a; do mount --bind $c/own/kept \$d && echo m >>$c/own/mounted; done; done" 2>/dev/null &
    for ((i = 0; i < 30 && $(wc -l <own/mounted) < 3; i++)); do copy big "$web:$c/full/" 2>>err; done
    touch own/enough
    wait "$!"
    test -s own/mounted
}

test_expect UNSHARE,USERNS 'what is mounted on what we make is not ours to remove' 'mounting && test_grep kept own/kept/file'

# --- a stopped container of the user's: the record and the layers are the user's ---

stopped() { copy --store "lxc=$TRASH/lxc" "$@"; }

# record_up GID [MOUNT]: one, whose files' directory has that group
record_up()
{
    rm -rf lxc && mkdir -p lxc/mine/rootfs/app lxc/mine/rootfs/vol && printf 'lxc.uts.name = mine\nlxc.rootfs.path = dir:%s\nlxc.idmap = u 0 %s 1\nlxc.idmap = g 0 %s 1\n%s' "$TRASH/lxc/mine/rootfs" "$user" "$user" "${2-}" >lxc/mine/config &&
        chown -R "$user:$user" lxc && chown "$user:$1" lxc/mine/rootfs lxc/mine/rootfs/app
}

test_expect UNSHARE 'what is written into a user'"'"'s files is that user'"'"'s: never a set-uid program of root'"'"'s' '
    cp new prog && chmod 4755 prog && for gid in "$user" 0 100; do
        record_up "$gid" && stopped prog lxc:mine:/app/ && [ "$(stat -c %u:%a lxc/mine/rootfs/app/prog)" = "$user:4755" ] && stopped -a prog lxc:mine:/app/kept && [ "$(stat -c %u lxc/mine/rootfs/app/kept)" = "$user" ] || return 1
    done
'

test_expect UNSHARE 'nor is what lies in them and is root'"'"'s read, or written' '
    record_up "$user" && mkdir lxc/mine/rootfs/roots && echo HOSTCANARY | tee lxc/mine/rootfs/roots/key lxc/mine/rootfs/app/key >keys && chmod 700 lxc/mine/rootfs/roots && chmod 600 lxc/mine/rootfs/app/key &&
    for what in roots roots/key roots/. app/key; do ! stopped "lxc:mine:/$what" got5 2>err && test_grep "Permission denied" err && ! grep -rs HOSTCANARY got5 || return 1; done &&
    test_status 1 stopped new lxc:mine:/roots/ 2>err && test_grep "Permission denied" err && { cexport --store "lxc=$TRASH/lxc" lxc:mine >e.tar 2>err; [ $? = 2 ]; } && ! grep -a HOSTCANARY e.tar
'

test_expect UNSHARE 'naive: cp makes a set-uid program of the user'"'"'s, in his own files, one of root'"'"'s' '
    record_up "$user" && : >lxc/mine/rootfs/app/sh && chown "$user:$user" lxc/mine/rootfs/app/sh && chmod 6755 lxc/mine/rootfs/app/sh && cp --preserve=mode lxc/mine/rootfs/app/sh sh1 && [ "$(stat -c %u:%a sh1)" = 0:6755 ]
'

test_expect UNSHARE,USERNS 'none of it is, stopped or running, and that is said' '
    stopped lxc:mine:/app/sh sh2 2>err && test_grep "1 file is not set-user-ID" err && [ "$(stat -c %u:%a sh2)" = 0:755 ] && stopped -a lxc:mine:/app sh3 && [ "$(stat -c %u:%a sh3/sh)" = 0:755 ] && stopped --owner 1:1 lxc:mine:/app sh4 && [ "$(stat -c %u:%a sh4/sh)" = 1:755 ] &&
    cp -p lxc/mine/rootfs/app/sh own/ && copy "$web:$c/own/sh" sh5 && [ "$(stat -c %u:%a sh5)" = 0:755 ] && copy -a "$web:$c/own/sh" sh6 && [ "$(stat -c %a sh6)" = 755 ] &&
    copy "$web:$c/own/sh" "$web:$c/own/sh7" && [ "$(stat -c %u:%a own/sh7)" = "$user:6755" ]
'

test_done
