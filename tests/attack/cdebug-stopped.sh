#!/bin/bash
# What a container that has ended can have left for a cdebug session that mounts its files: links where its volumes go, links
# in a volume that leads to another one, programs and devices. (A layer of a user's store that is a link: cdiff.sh.)
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-stopped.sh"
test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems && have_all jq setfattr'

# linked TARGET: /data, where a volume goes, is a link
linked() { stopped_up && rm -r "${layers[0]}/data" && ln -s "$1" "$upper/data"; }

below() { local n list=$upper:$engine; for ((n = ${#layers[@]} - 1; n >= 0; n--)); do list=$list:${layers[n]}; done; echo "$list"; }

# the volume by its path below the tree, in a mount namespace; prints what the host's directory then has
naive()
{
    mkdir -p merged && unshare --mount --propagation private sh -c '
        mount -t overlay overlay -o "lowerdir=$1" merged && mount --bind volume merged/data; ls "$2"' sh "$(below)" "$1"
}

for to in "$TRASH/host" "../../../../../../../../../../../..$TRASH/host"; do
    test_expect OVERLAY "a volume's destination is a link to ${to%%/*}/…: by its path below the tree it is mounted over the host's directory" '
        mkdir -p host && echo own >host/own && linked "$to" && naive "$TRASH/host" >actual && echo in >expect && test_cmp expect actual
    '
    test_expect OVERLAY "${to%%/*}/…: with cdebug the host's directory has what it had, and the volume is inside" '
        linked "$to" && mkdir -p "$upper$TRASH/host" && stopped web -- sh -c "ls \"$TRASH/host\"; cat \"/target$TRASH/host/in\"; cut -d\" \" -f5 /proc/self/mountinfo" >actual 2>err &&
        sed -n 1,2p actual >two && printf "own\nin\n" >expect && test_cmp expect two &&
        grep -c "^/target" actual >n && echo 4 >expect && test_cmp expect n && ! grep "^$TRASH" actual &&
        ! grep -v -e "^hint: " -e "is not running" err && [ "$(ls host)" = own ]
    '
done

test_expect OVERLAY 'one that is a link to /proc or to nowhere, or a file: said, and nothing is mounted' '
    for to in /proc/self/fd /proc/1/root/nowhere ../../x/y/z data; do
        linked "$to" && stopped web -- grep "$TRASH/volume" /proc/self/mountinfo >actual 2>err || return 1
        cut -d" " -f5 actual >n && echo /target/missing/data >expect && test_cmp expect n && test_grep "mount ./data.: " err || return 1
    done && stopped_up && rm -r "${layers[0]}/data" && : >"$upper/data" && stopped web -- ls /target >actual 2>err && test_grep "mount ./data.: " err
'

# a second volume, whose source is in the first, which the container could write to; and the link that it became
within_volume()
{
    stopped_up && mkdir -p host && echo own >host/own && ln -sfn "$TRASH/host" volume/sub &&
        stopped_mounts ", { Type: \"bind\", Source: \"$TRASH/volume/sub\", Destination: \"/sub\", RW: true }"
}

test_expect OVERLAY 'a source that its container made a link: who follows it has the host in the container' '
    within_volume && mkdir -p merged && unshare --mount --propagation private sh -c "mount --bind volume/sub merged && cat merged/own" >actual &&
    echo own >expect && test_cmp expect actual
'
test_expect OVERLAY 'cdebug says so and mounts the others' '
    within_volume && stopped web -- sh -c "cat /target/data/in; ls -A /target/sub 2>/dev/null; true" >actual 2>err &&
    test_grep "mount ./sub.: open its volume .*Too many levels" err && test_grep "^in$" actual && ! grep own actual
'

test_expect OVERLAY 'a device and a set-user-ID program of its layers are none in the session' '
    stopped_up && mknod "$upper/mem" c 1 3 && cp /bin/cat "$upper/suid" && chmod 4755 "$upper/suid" &&
    stopped web -- sh -c "! cat /target/mem 2>/dev/null && setpriv --reuid 65534 --clear-groups /target/suid /proc/self/status" >actual &&
    awk "/^Uid:/ { print \$3 }" actual >n && echo 65534 >expect && test_cmp expect n
'

# A directory that another user had ready where changes are to be kept: overlayfs would follow the link to the host's.
test_expect OVERLAY 'a directory of another user'"'"'s for --keep-changes: its "upper" is a link, and overlayfs follows it' '
    stopped_up && rm -rf theirs && mkdir -p host merged theirs/work && echo own >host/own && ln -s "$TRASH/host" theirs/upper &&
    unshare --mount --propagation private sh -c "cd theirs && mount -t overlay overlay -o \"lowerdir=$(below),upperdir=upper,workdir=work\" ../merged && rm ../merged/own" &&
    ! [ -f host/own ]
'
test_expect OVERLAY 'cdebug does not take one that others own or may write to, nor such a link' '
    rm -rf host && mkdir host && echo own >host/own && rm -rf theirs/work && echo "docker $(docker_id 1)" >theirs/container &&
    for as in 65534:755 0:777 0:700; do
        chown "${as%:*}" theirs && chmod "${as#*:}" theirs &&
        test_status 125 stopped --keep-changes theirs web -- rm /target/own 2>err && [ "$(cat host/own)" = own ] || return 1
        [ "$as" = 0:700 ] || test_grep "others may write to it, or it is not yours" err || return 1
    done
'

test_done
