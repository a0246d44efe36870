#!/bin/bash
# cdiff against a walk over both trees, on overlays that the kernel mounted with each of its options, and random changes.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/engines/image.sh"
. "$SONDE_SOURCE/tests/lib/cdiff.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/merged-view.sh"

test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems'

test_expect OVERLAY 'setup: in memory, where that has attributes' '
    test_cleanup "! mountpoint -q \"$TRASH/scratch\" || umount \"$TRASH/scratch\"" && merged_scratch && HOST=$PWD/overlay-host
'

# tree_up SEED: four layers of random files, with what deletes some of those below
tree_up()
{
    local n name
    overlay_store 4 && : >"$engine/.dockerenv" || return 1
    for n in 0 1 2 3; do
        "$HELPERS/churn-tree" -c "$1$n" 300 "${layers[n]}" || return 1
    done
    for n in 1 2 3; do
        for name in "${layers[n - 1]}"/x*; do
            name=${layers[n]}/${name##*/}
            [ -e "$name" ] || [ -L "$name" ] || mknod "$name" c 0 0 || return 1
        done
    done
}

below() { local n list=$engine; for ((n = ${#layers[@]} - 1; n >= 0; n--)); do list=$list:${layers[n]}; done; echo "$list"; }

# mounted OPTIONS SCRIPT...: with the container's root at ./after, and what it began as at ./before, in a namespace
mounted()
{
    local options=$1
    shift
    mkdir -p after before && unshare --mount --propagation private bash -c '
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3$4" after &&
        mount -t overlay overlay -o "lowerdir=$1$5" before && shift 5 && "$@"
    ' bash "$(below)" "$upper" "$(dirname "$upper")/work" "$options" "$options" "$@"
}

as_walked_one()
{
    tree_up "$1" && mounted "$options" bash -c '"$HELPERS/churn-tree" "$0" 1000 after && python3 "$1" walk after before >truth' \
        "$1" "$DIFF_TRUTH" && churn_lines web --sysroot "$HOST" && churn_many && python3 "$DIFF_TRUTH" same truth ours
}

for options in ,index=off ,redirect_dir=on,index=off ,redirect_dir=on,metacopy=on,index=off,xino=on; do
    test_expect OVERLAY,PYTHON,JQ "overlay$options: cdiff has the lines that a walk over both trees gives" \
        'churn_each as_walked_one'
done

test_expect OVERLAY,PYTHON,JQ 'a directory that was renamed, and one in it that came along' '
    overlay_store 2 && mkdir -p "${layers[0]}/a/b/c" && echo 1 >"${layers[0]}/a/b/c/f" && mounted ,redirect_dir=on sh -c "
        mv after/a after/z && mv after/z/b/c after/c && echo 2 >after/c/f && python3 $DIFF_TRUTH walk after before >truth" &&
    churn_lines web --sysroot "$HOST" && python3 "$DIFF_TRUTH" same truth ours && [ "$(tr "\0" "\n" <ours | wc -l)" = 5 ] &&
    cdiff --sysroot "$HOST" -u web >patch && test_grep "^+2$" patch
'

test_expect OVERLAY,PYTHON,JQ 'a mode that was changed without its data: the content is the image'\''s' '
    overlay_store 2 && seq 1000 >"${layers[0]}/f" && mounted ,metacopy=on chmod 600 after/f &&
    cdiff --sysroot "$HOST" --json web >actual && test_json ".changes | map([.path, .what])" "[[\"/f\", [\"mode\"]]]" actual &&
    cdiff --sysroot "$HOST" -u web >actual && echo "Changed /f: mode" >expect && test_cmp expect actual
'

test_done
