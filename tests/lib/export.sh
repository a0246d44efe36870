# shellcheck shell=bash
# What the tests of cexport share: a container with everything that an archive can lose, and how it is compared.

# In the container, never on this host: what its own shell can make.
export_fill='
    [ -e /bin/busybox ] && mkdir -p /x/deep/er "/x/with
newline" && cd /x && echo one >plain && ln plain hard && ln plain deep/hard && mkfifo fifo && { mknod null c 1 3 && mknod blk b 7 0 || true; } 2>/dev/null &&
    ln -s /etc/absolute.target absolute && ln -s nowhere dangling && : >empty && chmod 4755 empty && echo two >owned &&
    chown 1234:4321 owned && chmod 1770 deep && touch "$(printf "caf\303\251")" "$(printf "latin\351")" "tab	and blank " &&
    echo b >"with
newline/file" && dd if=/dev/zero of=allhole bs=1 count=0 seek=5000000 2>/dev/null &&
    dd if=/bin/busybox of=holes bs=4096 count=1 seek=700 2>/dev/null && dd if=/bin/busybox of=holes bs=4096 count=2 conv=notrunc 2>/dev/null &&
    long=$(printf "%0240d" 0) && for i in 1 2 3; do mkdir "$long" && cd "$long" || exit 1; done && echo end >file && ln -s "$long/$long" link &&
    rm -rf /data/opaque && mkdir /data/opaque && echo new >/data/opaque/new && rm -f /etc/app.conf'

# the same as the first thing that a container does
export_init="$export_fill && : >/x/filled; exec sleep 1000000"

# export_fill_attributes DIR: from the host, where DIR is the container's root as it sees it: what a shell of busybox cannot set
export_fill_attributes()
{
    setfattr -n user.text -v value "$1/x/plain" && setfattr -n user.bytes -v 0x00ff0a3d "$1/x/owned" &&
        setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 "$1/x/empty" &&
        # user::rwx user:1234:rw- group::r-x mask::rwx other::---
        setfattr -n system.posix_acl_access \
            -v 0x0200000001000700ffffffff02000600d204000004000500ffffffff10000700ffffffff20000000ffffffff "$1/x/owned" &&
        touch -d '2001-02-03 04:05:06.123456789' "$1/x/plain" && touch -h -d '1969-12-31 23:00:00.5' "$1/x/dangling"
}

# export_unpack ARCHIVE DIR: all of it
export_unpack()
{
    rm -rf "$2" && mkdir "$2" && tar -C "$2" -xpf "$1" --numeric-owner --xattrs --xattrs-include='*'
}

# export_facts DIR [OPTION...]: see tree-facts.py
export_facts() { python3 "$SONDE_SOURCE/tests/lib/tree-facts.py" "$@"; }

# apply_layer DIR ARCHIVE: as an engine unpacks it
apply_layer()
{
    rm -rf layer && mkdir layer && tar -C layer -xpf "$2" --numeric-owner --xattrs --xattrs-include='*' &&
        (cd layer && find . -name '.wh.*' -printf '%h/%f\n' | while read -r mark; do
            rm -rf "../$1/${mark%/*}/${mark##*/.wh.}" "$mark" || exit 1
        done) &&
        # a directory that stays gets its time last
        tar -C layer -cf - --xattrs --xattrs-include='*' --format=posix . | tar -C "$1" -xpf - --numeric-owner --xattrs --xattrs-include='*' &&
        rm -rf layer
}
