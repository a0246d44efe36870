# shellcheck shell=bash
# cdiff beside one podman. Sourced after cdiff.sh; its engine is up.
#
#   cdiff_podman PREREQ CLIENT VARIANT RULES   CLIENT: pm or pmu; RULES: podman where it reads the uppermost layer, naive
#                                              where it compares two trees
#
# podman's diff fails on most containers with changes of types in them (docs/formats/diff.md): it is asked about containers
# without, and about the others a plain walk over both trees.

podman_links= # "links" where files of several links are mixed up

# churn_with CLIENT KIND
churn_with()
{
    local seed options
    options=$(churn_options "$2")
    "$1" image exists "$CHURN_IMAGE" && "$1" rmi -f "$CHURN_IMAGE" >/dev/null
    "$1" load -q <"$(churn_image "$2")" >/dev/null || return 1
    for seed in $(churn_seeds); do
        # shellcheck disable=SC2086 # words
        if [ $((seed % 2)) = 0 ]; then
            "$1" run --name "$churn-$seed" "$CHURN_IMAGE" churn-tree $options "$seed" 1000 /
        elif [ -n "${PODMAN_SUITE-}" ]; then
            # not with exec: in a chroot that is not in the container's root
            "$1" run -d -i --name "$churn-$seed" "$CHURN_IMAGE" \
                sh -c "churn-tree $options $seed 1000 /; echo churned; read x" >/dev/null &&
                test_wait "$1 logs $churn-$seed | grep churned" 60
        else
            "$1" run -d --name "$churn-$seed" "$CHURN_IMAGE" >/dev/null &&
                "$1" exec "$churn-$seed" churn-tree $options "$seed" 1000 /
        fi || return 1
    done
    # a running fuse-overlayfs shows what it remembers of files with several links, and not what it has written
    [ -z "$podman_links" ] || { "$1" stop -a -t 0 >/dev/null && "$1" unshare podman umount -a -f >/dev/null; }
}

# In podman's own mount namespace, where both trees are mounted by podman.
podman_walk='
    after=$(podman $0 mount "$1") && before=$(podman $0 image mount "$2") && python3 "$3" walk "$after" "$before" own $4 &&
    podman $0 umount "$1" >/dev/null && podman $0 image umount "$2" >/dev/null
'

# podman_truth CLIENT NAME
podman_truth()
{
    local after before root=''
    # mounted below the chroot's root only
    [ -z "${PODMAN_SUITE-}" ] || root=$(chroot_root "$PODMAN_SUITE")
    if [ "$1" = pmu ]; then
        cp "$DIFF_TRUTH" "$ROOTLESS_DIR/home/diff-truth.py" && chmod 644 "$ROOTLESS_DIR/home/diff-truth.py" &&
            pmu unshare sh -c "$podman_walk" "--cgroup-manager=cgroupfs" "$2" "$CHURN_IMAGE" ./diff-truth.py "$podman_links" >truth
    else
        after=$(pm mount "$2") && before=$(pm image mount "$CHURN_IMAGE") &&
            python3 "$DIFF_TRUTH" walk "$root$after" "$root$before" own >truth &&
            pm umount "$2" >/dev/null && pm image umount "$CHURN_IMAGE" >/dev/null
    fi
}

churn_true_one()
{
    podman_truth "$client" "$churn-$1" && churn_lines "podman:$churn-$1" "${podman_stores[@]}" && churn_many &&
        python3 "$DIFF_TRUTH" same truth ours
}

# fuse-overlayfs: the uppermost layer tells sockets, which podman leaves out there
churn_same_one()
{
    local DIFF_UPPER=/nowhere
    if [ -n "$podman_links" ]; then
        DIFF_UPPER=$(cps -a --json --no-trunc | jq -r --arg name "$churn-$1" '.containers[] | select(.name == $name).layers.upper')
    fi
    export DIFF_UPPER
    "$client" diff "$churn-$1" >theirs && churn_lines "podman:$churn-$1" "${podman_stores[@]}" && churn_many && churn_explained "$rules"
}

cdiff_podman()
{
    local need=$1 client=$2 variant=$3 rules=$4
    test_expect "$need" "$variant: setup: $CHURN_COUNT containers with 1,000 random changes each, no name used twice" '
        churn_with "$client" once
    '
    test_expect "$need" "$variant: cdiff has the lines of podman diff, and what differs is explained" 'churn_each churn_same_one'
    test_expect "$need" "$variant: cdiff has the lines that a walk over both trees gives" 'churn_each churn_true_one'
    test_expect "$need" "$variant: setup: $CHURN_COUNT containers with any change" '
        "$client" rm -fa -t 0 >/dev/null && churn_with "$client" mixed
    '
    test_expect "$need" "$variant: cdiff has the lines that a walk over both trees gives, whatever was changed" 'churn_each churn_true_one'
    [ "$rules" = naive ] || test_expect "$need" "$variant: --layers has the layers of podman image inspect" '
        "$client" image inspect "$CHURN_IMAGE" | jq ".[0].RootFS.Layers" >inspected &&
        layers_true "${podman_stores[@]}" "podman:$churn-$(churn_seeds | head -n 1)"
    '
    test_expect "$need" "$variant: beside the image by its name and its id there are the same changes" '
        id=$("$client" image inspect -f "{{.Id}}" "$CHURN_IMAGE") && seed=$(churn_seeds | tail -n 1) &&
        cdiff -z "${podman_stores[@]}" "podman:$churn-$seed" >expect &&
        for name in "$CHURN_IMAGE" "localhost/$CHURN_IMAGE" "podman:$CHURN_IMAGE" "$id" "${id:0:12}"; do
            cdiff -z "${podman_stores[@]}" "podman:$churn-$seed" "image:$name" >actual && cmp expect actual || return 1
        done
    '
    test_expect "$need" "$variant: a container that has done nothing has no changes" '
        "$client" run -d --name $still "$IMAGE" >/dev/null && cdiff "${podman_stores[@]}" podman:$still >actual && test_empty actual
    '
}
