#!/bin/bash
# What a hostile toolbox, an image that somebody else made, can have for who works in it: links where cdebug mounts something,
# files that shells run by themselves, devices and set-user-ID programs; and what a container can reach of one.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-stopped.sh"
. "$SONDE_SOURCE/tests/lib/toolbox.sh"
test_engine runc
test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems && have_all jq setfattr setpriv'
test_prereq BASH '[ -x /bin/bash ]'

# hostile: its mount points are links out of it, to a directory of the host that is $TRASH/host
hostile_up()
{
    local name
    stopped_up && rm -rf hostile host && mkdir -p host && echo own >host/own && box_make hostile || return 1
    for name in proc sys dev target tmp root .sonde; do ln -s "../../../../../../../../..$TRASH/host" "hostile/$name" || return 1; done
    for name in resolv.conf hosts; do ln -s "$TRASH/host/own" "hostile/etc/$name" || return 1; done
}

test_expect OVERLAY 'mount points that are links: mounted by path, the host'"'"'s directory is covered' '
    hostile_up && unshare --mount --propagation private sh -c "mount -t tmpfs none hostile/tmp && ls host" >actual && : >expect && test_cmp expect actual
'
test_expect OVERLAY 'in a session they are its own, and the toolbox and the host'"'"'s directory stay as they were' '
    hostile_up && box_image tools hostile && find hostile host -ls >before && for toolbox in ./hostile image:tools; do
        stopped -q --toolbox "$toolbox" web -- sh -c "ls /proc/self >/dev/null && ls /dev/null /target/etc/motd && echo 1 >/tmp/x && echo 1 >/root/x && echo 1 >/etc/hosts &&
            cut -d\" \" -f5 /proc/self/mountinfo | grep -v -e ^/sys -e ^/dev -e ^/target/ | sort" >actual &&
        printf "%s\n" /dev/null /target/etc/motd / /.sonde /proc /root /target /tmp >expect && test_cmp expect actual || return 1
    done && find hostile host -ls >after && test_cmp before after && [ "$(ls host)" = own ]
'

# Bash of the host and its libraries, with files that it reads by itself; each leaves a mark in /tmp of the session.
trapped_up()
{
    local file
    stopped_up && rm -rf trapped && box_make trapped && box_add trapped /bin/bash || return 1
    for file in etc/profile etc/bash.bashrc etc/bashrc root/.bashrc root/.profile root/.bash_profile root/.bash_login .profile .bashrc .shrc; do
        mkdir -p "trapped/$(dirname "$file")" && echo "echo trap $file" >"trapped/$file" || return 1
    done
}

test_expect OVERLAY,BASH 'files that shells run by themselves: a shell in the tree runs them' '
    trapped_up && echo exit | script -qec "chroot trapped /bin/bash -l" /dev/null >actual && test_grep "^trap etc/profile" actual &&
    echo exit | HOME=/root script -qec "chroot trapped /bin/bash --rcfile /etc/bash.bashrc" /dev/null >actual && test_grep "^trap etc/bash.bashrc" actual
'
test_expect OVERLAY,BASH 'a session'"'"'s shell runs none of them' '
    trapped_up && box_image tools trapped && for toolbox in ./trapped image:tools; do
        echo "echo in \$0; exit" | script -qec "$SONDE_BUILD/cdebug --docker-root $HOST/var/lib/docker -q --toolbox $toolbox web" /dev/null >actual &&
        test_grep "in /bin/bash" actual && ! grep trap actual || { cat actual; return 1; }
    done
'

suid_up() { stopped_up && rm -rf suid && box_make suid && rm suid/bin/cat && box_add suid /bin/cat && mknod suid/mem c 1 3 && chmod 4755 suid/bin/cat; }

test_expect OVERLAY 'a device and a set-user-ID program: in the tree itself they are what they seem' '
    suid_up && setpriv --reuid 1234 --clear-groups suid/bin/cat /proc/self/status >actual && awk "/^Uid:/ { print \$3 }" actual >n &&
    echo 0 >expect && test_cmp expect n && head -c 0 suid/mem
'
test_expect OVERLAY 'in a session they are none' '
    suid_up && stopped -q --toolbox ./suid --user 1234 web -- cat /proc/self/status >actual && awk "/^Uid:/ { print \$3 }" actual >n &&
    echo 1234 >expect && test_cmp expect n && stopped -q --toolbox ./suid web -- sh -c "! cat /mem 2>/dev/null && echo none" >actual &&
    echo none >expect && test_cmp expect actual
'

# evil_tar KIND: box with one entry that is to get out of it
evil_tar()
{
    python3 - "$1" "$TRASH/host" <<'PY'
import io, sys, tarfile
kind, host = sys.argv[1:]
t = tarfile.open('evil.tar', 'w')
t.add('box', '.')
def entry(name, type=tarfile.REGTYPE, link='', data=b'evil'):
    i = tarfile.TarInfo(name); i.type = type; i.linkname = link; i.size = len(data) if type == tarfile.REGTYPE else 0
    t.addfile(i, io.BytesIO(data))
if kind == 'dotdot': entry('../' * 20 + host[1:] + '/planted')
if kind == 'absolute': entry(host + '/planted')
if kind == 'link': entry('out', tarfile.SYMTYPE, host); entry('out/planted')
if kind == 'hardlink': entry('stolen', tarfile.LNKTYPE, '../' * 20 + host[1:] + '/own')
t.close()
PY
}

test_expect OVERLAY,PYTHON 'a tar with names that lead out: a naive reader writes to the host' '
    stopped_up && rm -rf host box naive && mkdir -p host naive && echo own >host/own && box_make box && evil_tar link &&
    tar -xf evil.tar -C naive --absolute-names --keep-directory-symlink && evil_tar absolute && rm -f host/planted && tar -xf evil.tar -C naive --absolute-names &&
    test -e host/planted
'
test_expect OVERLAY,PYTHON 'with cdebug it is refused, or lands inside, and the host has what it had' '
    stopped_up && rm -rf host box && mkdir -p host && echo own >host/own && box_make box && for kind in dotdot link hardlink; do
        evil_tar $kind && test_status 125 stopped -q --toolbox ./evil.tar web -- true 2>err && [ "$(grep -c "^cdebug: " err)" = 1 ] && [ "$(ls host)" = own ] || { echo $kind; return 1; }
    done && evil_tar absolute && stopped -q --toolbox ./evil.tar web -- cat "$TRASH/host/planted" >actual && printf evil >expect && test_cmp expect actual && [ "$(ls host)" = own ]
'

test_expect OVERLAY 'what another user has put where a name is looked for is not root'"'"'s toolbox, unless that user called by sudo' '
    stopped_up && rm -rf box && box_make box && mkdir -p home/.local/share/sonde && cp -a box home/.local/share/sonde/planted && chown -R 1234 home/.local/share/sonde/planted &&
    test_status 125 env HOME="$PWD/home" "$SONDE_BUILD/cdebug" --docker-root "$HOST/var/lib/docker" -q --toolbox planted web -- true 2>err && test_grep "others than root and you" err &&
    HOME=$PWD/home SUDO_UID=1234 stopped -q --toolbox planted web -- true
'

test_expect OVERLAY 'nor is an image in a store that another user owns' '
    stopped_up && rm -rf box && box_make box && box_image tools box && stopped -q --toolbox image:tools web -- true && chown -R 1234 "$HOST/var/lib/docker" &&
    test_status 125 stopped -q --toolbox image:tools web -- true 2>err && test_grep "in a store of user 1234, not in root" err && [ "$(grep -c "^cdebug: " err)" = 1 ] &&
    SUDO_UID=1234 stopped -q --toolbox image:tools web -- true
'

# The container's root looks at each process that comes into its sight, at its root directory and descriptors.
secret_box() { rm -rf box && box_make box && echo "the toolbox secret" >box/secret && chmod 600 box/secret; }

test_expect RUNC,OVERLAY 'naive: a process that enters with a directory of the toolbox open is robbed of it' '
    runc_up && secret_box && attacker robbed - steal "$PWD/box/secret" && within 10 "$HELPERS/naive-enter" "$(oci_pid robbed)" /bin/true &&
    loot_has robbed "^stolen .*the toolbox secret"
'
test_expect RUNC,OVERLAY 'nothing of a toolbox is reached from a container that cdebug is beside, while it enters and while it runs' '
    secret_box && attacker target - steal "$PWD/box/secret" &&
    repeat 20 cdebug --toolbox ./box "pid:$(oci_pid target)" -- /bin/true && repeat 3 cdebug --toolbox ./box "pid:$(oci_pid target)" -- /bin/sleep 0.2 &&
    loot_has target "^seen" && loot_lacks target "^stolen\|^ptraced" &&
    ! grep -e secret -e box "/proc/$(oci_pid target)/mountinfo"
'

test_done
