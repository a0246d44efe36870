# shellcheck shell=bash
# Containers with many random changes, and what their engine and a plain walk over both trees say of them.
#
#   CHURN_LINKS=no        before all of these: without hard links
#   churn_image KIND      prints the archive of $CHURN_IMAGE: `mixed`, four layers that put files, links, devices and
#                         directories over each other's; `once`, one in which no name comes twice, and no link: what
#                         `podman diff` can be asked about
#   churn_seeds           the seeds: CHURN_COUNT of them (2, one runs and one has ended; CHURN_COUNT=20 takes minutes a file),
#                         from CHURN_FROM on (101)
#   churn_options KIND    for churn-tree in a container of that image
#
# Containers are called $churn-SEED, and $still the one that changes nothing (test_names, after test_engine).

CHURN_IMAGE=sonde-churn:1
CHURN_COUNT=${CHURN_COUNT:-2}
DIFF_TRUTH=$SONDE_SOURCE/tests/lib/diff-truth.py

churn_seeds() { seq "${CHURN_FROM:-101}" $((${CHURN_FROM:-101} + CHURN_COUNT - 1)); }

churn_options()
{
    local options=''
    [ "${CHURN_LINKS-}" != no ] || options=-l
    [ "$1" != once ] || options="$options -o"
    echo "$options"
}

# with attributes; a socket cannot be in an archive
churn_tar()
{
    tar --sort=name --mtime=@1700000000 --numeric-owner --format=posix --xattrs --xattrs-include='*' --warning=no-file-ignored \
        -C "$1" -cf "$2" .
}

churn_layers()
{
    local n options
    options=$(churn_options "$2")
    image_layers "$1" && cp "$HELPERS/churn-tree" "$1/1/bin/" || return 1
    for n in 5 6 7 8; do
        mkdir "$1/$n" || return 1
        # shellcheck disable=SC2086 # words
        [ "$2" = once ] && [ "$n" != 5 ] || "$HELPERS/churn-tree" -c $options "$n" 500 "$1/$n" || return 1
        [ "$2" = mixed ] || : >"$1/$n/empty-$n"
    done
}

churn_image()
{
    local work=$SONDE_TEST_DIR/churn-$1 archive
    archive=$(image_dir)/churn-$1${CHURN_LINKS:+-links-$CHURN_LINKS}.tar
    # beside the other images, for all files of a run
    [ -e "$archive" ] || {
        mkdir -p "$work/layers" "$work/image" && churn_layers "$work/layers" "$1" &&
            (image_tar() { churn_tar "$@"; }; image_archive "$work/layers" "$work/image" "$CHURN_IMAGE" 8) &&
            mv "$work/image.tar" "$archive.${SONDE_TEST_DIR##*/}" && mv "$archive.${SONDE_TEST_DIR##*/}" "$archive" &&
            rm -rf "$work" || return 1
    } >&2
    echo "$archive"
}

# churn_lines NAME ARGUMENT...: what cdiff says, ended by NULs; in `verified` what it says with --verify
churn_lines() { cdiff -z "${@:2}" "$1" >ours && cdiff -z --verify "${@:2}" "$1" >verified; }

# churn_explained RULES: `ours` and `theirs` are the same but for what docs/formats/diff.md explains
churn_explained()
{
    local files=(ours theirs)
    [ "$1" != naive ] || files+=(verified)
    python3 "$DIFF_TRUTH" "$1" "${files[@]}" >explained || { cat explained; return 1; }
}

churn_many() { [ "$(tr -cd '\0' <ours | wc -c)" -gt 200 ] || { echo "hardly a change"; return 1; }; }

# layers_true CDIFF-ARGUMENT...: each layer of the image that a change came from is the one that `inspected` has at its place,
# RootFS.Layers of the engine's inspect; `tree`: there are no layers
layers_true()
{
    cdiff --json "$@" >named || return 1
    jq -e --slurpfile of inspected '[.changes[] | .before, .after | select(.).layer] | unique |
        [.[] | select(.role == "image")] as $image | ($image | length) > 1 and ($image | all(.diff_id == $of[0][.number - 1]))' named
}

# churn_each COMMAND: with each seed
churn_each()
{
    local seed
    for seed in $(churn_seeds); do
        "$1" "$seed" || { echo "seed $seed"; return 1; }
    done
}
