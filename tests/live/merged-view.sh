#!/bin/bash
# Layers that overlay itself wrote, merged by rootfs/ and by the kernel: every name, type, mode, owner, size, time, link, content,
# hard link and attribute is the same. The changes are random; a seed that fails is named and fails again.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"

test_prereq OVERLAY '[ "$(id -u)" = 0 ] && mkdir -p o/l o/u o/w o/m && unshare --mount --propagation private \
    mount -t overlay o -o lowerdir=o/l,upperdir=o/u,workdir=o/w o/m'
test_prereq FUSE_OVERLAYFS '[ "$(id -u)" = 0 ] && [ -e /dev/fuse ] && have_all fuse-overlayfs pgrep'

# in_mounts SCRIPT: in a mount namespace of its own, where tests/lib/merged-view.sh is known
in_mounts()
{
    unshare --mount --propagation private bash -c '. "$0"; eval "$1"' "$SONDE_SOURCE/tests/lib/merged-view.sh" "$1"
}

seeds=${MERGED_SEEDS:-2} # of each kind; 20 take a minute and a half

# same_view KIND FIRST LAYERS OPS: so many seeds from FIRST on
same_view()
{
    local seed
    for ((seed = $2; seed < $2 + seeds; seed++)); do
        in_mounts "merged_compare $1 $seed $3 $4" || return 1
    done
}

test_expect OVERLAY 'a view is what overlay shows, with seeds of 1,000 changes' 'same_view plain 1 1 1000'
test_expect OVERLAY 'renamed directories and metadata without data (redirect_dir=on, metacopy=on)' '
    same_view redirect 101 1 1000
'
test_expect OVERLAY 'the marks of a mount with userxattr' 'same_view userxattr 201 1 1000'

# stacks KIND OPS: 3 to 10 layers, each written on top of those below it
stacks()
{
    local layers
    for layers in 3 4 5 6 7 8 9 10; do
        seeds=1 same_view "$1" "$((300 + layers))" "$layers" "$2" || return 1
    done
}
test_expect OVERLAY '3 to 10 layers' 'stacks plain 100'
test_expect OVERLAY '3 to 10 layers with redirects and metacopies of one another' 'stacks redirect 100'

test_expect FUSE_OVERLAYFS 'a view is what fuse-overlayfs shows, also of 3 layers' '
    same_view fuse 501 1 1000 && seeds=1 same_view fuse 510 3 300
'

# The names that can be looked up; the kernel lists some whiteouts that are files without finding them.
names() { cut -d" " -f1 | sort; }

# by_hand KIND LAYERS: kernel and rootfs/ find the same names in layers that were made by hand
by_hand()
{
    rm -rf up work && in_mounts "mkdir -p up work mnt && merged_mount $1 $2 up work mnt &&
        { \$HELPERS/dump-view -t mnt 2>/dev/null >kernel; merged_unmount $1 mnt; merged_ours $1 up:$2; }" &&
        names <kernel >expect && names <ours >actual && test_cmp expect actual && [ "$(wc -l <expect)" -gt 3 ]
}

# x_layers: whiteouts that are files in 1/, of what 0/ has
x_layers()
{
    rm -rf 0 1 && mkdir -p 0/d 1/d && touch 0/d/a 0/d/b 0/d/full 0/r 0/s 1/d/a 1/r && echo data >1/d/full &&
        setfattr -n trusted.overlay.whiteout -v y 1/d/a && setfattr -n trusted.overlay.whiteout 1/r &&
        setfattr -n trusted.overlay.whiteout -v y 1/d/full
}
test_expect OVERLAY,XATTR 'whiteouts that are files count, whether their directory says that it has some or not' '
    x_layers && by_hand plain 1:0 && test_grep -v ^/d/a actual && test_grep ^/d/full actual &&
    x_layers && setfattr -n trusted.overlay.opaque -v x 1/d && by_hand plain 1:0 &&
    x_layers && setfattr -n trusted.overlay.opaque -v x 1 && by_hand plain 1:0 && test_grep -v ^/r actual
'
test_expect OVERLAY,XATTR 'an opaque root of a layer is seen through' '
    x_layers && setfattr -n trusted.overlay.opaque -v y 1 && by_hand plain 1:0 && test_grep ^/s actual
'
test_expect OVERLAY,XATTR 'marks of a mount with userxattr mean nothing to one without, and the other way round' '
    x_layers && setfattr -n user.overlay.opaque -v y 1/d && by_hand plain 1:0 && test_grep ^/d/b actual &&
    by_hand userxattr 1:0 && test_grep -v ^/d/b actual
'
test_expect OVERLAY 'files called .wh. are files to overlay' '
    rm -rf 0 1 && mkdir -p 0/d 1/d && touch 0/d/a 0/d/b 1/d/.wh.a 1/d/.wh..wh..opq && by_hand plain 1:0 &&
    test_grep ^/d/.wh.a actual && test_grep ^/d/a actual
'
test_expect FUSE_OVERLAYFS,XATTR 'files called .wh. delete in fuse-overlayfs, a root is opaque, nothing is redirected' '
    rm -rf 0 1 && mkdir -p 0/d 0/e 0/gone 1/d 1/to 1/e && touch 0/d/a 0/d/b 0/e/c 1/e/f 1/e/.wh.f 1/d/.wh.a 1/.wh.gone 0/gone/x &&
    setfattr -n trusted.overlay.redirect -v d 1/to && by_hand fuse 1:0 && test_grep -v ^/to/ actual && test_grep ^/d/b actual &&
    touch 1/e/.wh..wh..opq && by_hand fuse 1:0 && test_grep -v ^/e/c actual &&
    touch 1/.wh..wh..opq && by_hand fuse 1:0 && test_grep -v ^/d/b actual
'
test_expect FUSE_OVERLAYFS,XATTR 'an opaque mark with nothing in it is none, whatever fuse-overlayfs finds in the byte that was not read' '
    rm -rf 0 1 && mkdir -p 0/d 1/d && touch 0/d/low 1/d/up && setfattr -n user.overlay.opaque 1/d && in_mounts "merged_ours fuse 1:0" &&
    test_grep ^/d/low ours && test_grep ^/d/up ours
'
test_done
