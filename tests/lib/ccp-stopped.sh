# shellcheck shell=bash
# What the tests of ccp into a stopped container share: the same copies done in a running one, by its own mount.

# stopped_change: a script for the container's shell: what is deleted, changed and made before
stopped_change='rm -rf /data/kept /etc/motd /home/app /srv; mkdir /srv /data/new; chmod 700 /mnt; chown 12:34 /var/log; touch -d 2020-01-01 /var/lib
    ln -s /data /link; mknod /data/pipe p; echo one >/data/file; ln /data/file /data/hard'

# stopped_fill DIR: what is copied
stopped_fill()
{
    mkdir -p "$1/kept/sub/deep" "$1/app" "$1/merge/etc" "$1/merge/var/lib/x" && echo a >"$1/kept/file" && echo b >"$1/kept/sub/x" &&
        ln "$1/kept/file" "$1/kept/sub/hard" && ln -s ../file "$1/kept/sub/up" && mkfifo "$1/kept/fifo" && echo m >"$1/motd" &&
        chmod 640 "$1/motd" && chmod 2711 "$1/kept/sub" && echo c >"$1/merge/etc/app.conf" && chmod 750 "$1/merge/etc" && echo t >"$1/top"
}

# "SRC DST" lines: DST over what is there, below, a whiteout or a link
stopped_copies='kept /data/
motd /etc/motd
app /home/app
app /srv/app
top /usr/lib/top
top /tmp/x
top /mnt/x
top /var/log/x
top /link/new/y
top /var/run/z
top /data/file
top /data/pipe
merge/. /
kept/. /root
kept /opt'

# stopped_upper DIR: each file of an upper layer; times of those that nothing was made in
stopped_upper()
{
    (cd "$1" && find . -printf '%P %y %m %U:%G %l %n ' \( -type d -o -printf '%TY-%Tm-%Td ' \) \
        -exec sh -c '! getfattr -h -d -m "overlay.opaque|fuseoverlayfs.opaque" "$1" 2>/dev/null | grep opaque; [ ! -f "$1" ] || cat "$1"' - {} \; -printf '\n' |
        grep -v '^$' | LC_ALL=C sort)
}

# stopped_dates DIR: days of the directories' times
stopped_dates() { (cd "$1" && find . -type d -printf '%P %TY-%Tm-%Td\n' | LC_ALL=C sort); }
