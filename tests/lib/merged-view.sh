# shellcheck shell=bash
# What the kernel (or fuse-overlayfs) shows of layers, and what rootfs/ does. For a mount namespace of its own:
#   unshare --mount --propagation private bash -c '. "$0"; merged_compare ...' tests/lib/merged-view.sh
# HELPERS: where churn-tree and dump-view are.
set -u

# merged_mount KIND LOWERS UPPER WORK DIR
merged_mount()
{
    local dirs="lowerdir=$2,upperdir=$3,workdir=$4" opts
    case $1 in
    plain) opts=index=off,redirect_dir=off,metacopy=off ;;
    redirect) opts=redirect_dir=on,metacopy=on ;;
    userxattr) opts=userxattr ;;
    fuse)
        # it says on standard error that it does not know an option of fusermount's
        fuse-overlayfs -o "$dirs" "$5" 2>/dev/null
        return
        ;;
    esac
    # volatile: an unmount waits for no disk
    mount -t overlay overlay -o "volatile,$dirs,$opts" "$5"
}

# merged_unmount KIND DIR: fuse-overlayfs writes its last changes when it ends
merged_unmount()
{
    umount "$2" || return 1
    [ "$1" != fuse ] || while pgrep -f "^fuse-overlayfs .*$2\$" >/dev/null; do sleep 0.02; done
}

# dump-view's word for a kind's marks
merged_marks() { case $1 in fuse) echo fuse ;; userxattr) echo user ;; *) echo trusted ;; esac; }

# merged_make KIND SEED LAYERS OPS: layers of OPS changes each, made one after the other in mounts of that kind. $low: all
# of them, the uppermost first; `kernel`: what the last mount showed.
merged_make()
{
    local kind=$1 seed=$2 layers=$3 ops=$4 i
    rm -rf layer mnt kernel && mkdir -p layer/0/diff mnt && "$HELPERS/churn-tree" -c "$seed" 600 layer/0/diff || return 1
    low=layer/0/diff
    for ((i = 1; i <= layers; i++)); do
        mkdir -p "layer/$i/diff" "layer/$i/work" &&
            merged_mount "$kind" "$low" "layer/$i/diff" "layer/$i/work" mnt &&
            "$HELPERS/churn-tree" "$((seed * 100 + i))" "$ops" mnt || return 1
        # A fuse-overlayfs that has made changes shows times of its own, and after many some directories empty. A new one shows
        # what is on the disk; but two files that were one in a lower layer (a renamed one, a hard link) as one file
        # still, by this attribute.
        if [ "$kind" = fuse ]; then
            merged_unmount "$kind" mnt || return 1
            find "layer/$i/diff" -exec setfattr -h -x user.fuseoverlayfs.origin {} + 2>/dev/null
            merged_mount "$kind" "$low" "layer/$i/diff" "layer/$i/work" mnt || return 1
        fi
        [ "$i" -lt "$layers" ] || "$HELPERS/dump-view" -t mnt >kernel || return 1
        merged_unmount "$kind" mnt || return 1
        low=layer/$i/diff:$low
    done
}

# merged_ours KIND LAYERS: into `ours`
merged_ours()
{
    # shellcheck disable=SC2086 # a list
    "$HELPERS/dump-view" -m "$(merged_marks "$1")" ${2//:/ } >ours
}

# In memory, where it has users' attributes (Linux 6.6): ten times as fast as a disk that others use.
merged_scratch()
{
    mkdir -p scratch && mount -t tmpfs -o mode=711,size=50% tmpfs scratch && touch scratch/f || return 1
    if setfattr -n user.a -v b scratch/f 2>/dev/null; then cd scratch || return 1; else umount scratch; fi
}

# merged_compare KIND SEED LAYERS OPS
merged_compare()
{
    local low
    merged_scratch && merged_make "$@" && merged_ours "$1" "$low" && [ -s kernel ] || return 1
    # its numbers of links are its own
    [ "$1" != fuse ] || sed -i "s/ same=[^ ]*//" kernel ours
    diff -u kernel ours >differ && return 0
    echo "$1, seed $2, $3 layers, $4 changes: the views differ"
    head -n 20 differ
    return 1
}
