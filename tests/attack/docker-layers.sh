#!/bin/bash
# Who may write a docker store (a rootless user his own) writes what its layers are: links and lists that lead to files of
# others. Root's tools that follow them show, copy or mount those as a container's.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"

root=$TRASH/host
store=$root/var/lib/docker
overlay2=$store/overlay2
id=$(docker_id 1)
mount_id=$(printf '%064d' 7)
secret=$root/secret

# A container whose upper layer is there, and one lower layer l/A that leads to $1
store_up()
{
    rm -rf "$root" && docker_record "$root" 1 web &&
        mkdir -p "$store/image/overlay2/layerdb/mounts/$id" "$overlay2/$mount_id/diff" "$overlay2/$mount_id/work" \
            "$overlay2/l" "$overlay2/good/diff" "$secret/diff" &&
        echo root >"$secret/diff/shadow" && printf %s "$mount_id" >"$store/image/overlay2/layerdb/mounts/$id/mount-id" &&
        printf l/A >"$overlay2/$mount_id/lower" && ln -s ../good/diff "$overlay2/l/A"
}

# naive_lowers: as docker's own reader and many a script do it: join, and let links lead
naive_lowers() { tr : '\n' <"$overlay2/$(cat "$store/image/overlay2/layerdb/mounts/$id/mount-id")/lower" | (cd "$overlay2" && xargs -n 1 realpath); }

# ours: the layers, or null
ours() { cps --sysroot "$root" -a --json --no-trunc >json 2>err || [ $? = 2 ]; }

# refused PATTERN: no path of it is shown, one line says why, the container is listed
refused()
{
    ours && test_json '.containers[0].name' web json && test_json '.containers[0].layers' null json &&
        test_grep -v secret json && test_json '.diagnostics | length' 1 json && test_grep "$1" err
}

naive_is_fooled() { naive_lowers >lowers && [ "$(cat "$(head -n 1 lowers)/shadow")" = root ]; }

test_expect JQ 'a store as it should be: both ways show the same layer' '
    store_up && naive_lowers >expect && ours && jq -r ".containers[0].layers.lowers[]" json | sed "s,^,$root," >actual &&
    test_cmp expect actual
'

test_expect JQ 'naive: a link of the store leads out of it' '
    ln -sfn ../../../../../secret/diff "$overlay2/l/A" && naive_is_fooled
'
test_expect JQ 'a link that leads out of the store is refused' 'refused "leads to no layer"'

test_expect JQ 'naive: an absolute link leads out of it' 'ln -sfn "$secret/diff" "$overlay2/l/A" && naive_is_fooled'
test_expect JQ 'an absolute link is refused' 'refused "leads to no layer"'

test_expect JQ 'naive: a list of paths leads out of it' '
    store_up && printf %s "../../../../secret/diff" >"$overlay2/$mount_id/lower" && naive_is_fooled
'
test_expect JQ 'a list of paths is refused' 'refused "is no list of layers"'

test_expect JQ 'naive: a layer that is a link leads out of it' '
    store_up && rm -r "$overlay2/good" && ln -s ../../../../secret "$overlay2/good" && naive_is_fooled
'
test_expect JQ 'a layer that is a link is refused' 'refused "Not a directory\|Too many levels"'

test_expect JQ 'naive: a mount id leads out of it' '
    store_up && printf l/A >"$secret/lower" && printf ../../../../secret >"$store/image/overlay2/layerdb/mounts/$id/mount-id" &&
    ln -sfn "$secret/diff" "$overlay2/l/A" && naive_is_fooled
'
test_expect JQ 'a mount id with slashes is refused' 'refused "names no layer"'

test_done
