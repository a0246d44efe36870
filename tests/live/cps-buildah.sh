#!/bin/bash
# cps against buildah's working containers, the host's version and trixie's.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman.sh"
test_prereq BUILDAH '[ "$(id -u)" = 0 ] && have_all buildah podman conmon crun runc jq'
SUITE=${SUITE-}
test_engine podman
test_names work scr running
need=BUILDAH${SUITE:+,${SUITE^^}}
store="buildah=$PODMAN_ROOT"
nothing='a working container has no process: nobody wrote an exit code, and there is nothing to enter'

test_expect "$need" 'setup: working containers of an image and of nothing, and one of podman' '
    podman_up && matrix_row "buildah $(bd --version | cut -d" " -f3)" "root, overlay" &&
    bd from --name $work "$IMAGE" && bd config --label tier=web $work && bd from --name $scr scratch &&
    pm run -d --name $running "$IMAGE"
'

records_of_buildah()
{
    bd containers --json | jq '[.[] | select(.builder) | { id, name: .containername, image: .imagename }] | sort_by(.id)'
}

matrix_yes stopped "$need" 'cps -a lists what buildah containers lists, and podman ps --external calls Storage' '
    records_of_buildah >expect && [ "$(jq length expect)" = 2 ] &&
    cps_list cps.json -a --json --no-trunc --store "$store" &&
    jq --slurpfile ours expect "(\$ours[0] | map(.id)) as \$ids | [.containers[] |
        select(.id as \$id | \$ids | index(\$id)) | { id, name, image }] | sort_by(.id)" cps.json >actual &&
    test_cmp expect actual &&
    pm ps -a --external --format "{{.Names}} {{.Status}}" >external && test_grep "^$work Storage" external
'
matrix_unknown running 'a working container is files: what buildah run starts is listed as its runtime'"'"'s' "$need" 'without -a they are not listed' '
    cps_list json --json --store "$store" && jq -r ".containers[].name" json >names &&
    test_grep -v "^$work$" names && test_grep -v "^$scr$" names
'
matrix_yes name "$need" 'it is found by its name, and podman'"'"'s are not taken for buildah'"'"'s' '
    cps_field $work "[.engine, .owner]" --store "$store" >actual && test_json . "[\"buildah\", 0]" actual &&
    cps_field $running .engine --store "$store" >actual && test_json . podman actual
'
matrix_yes image "$need" 'image, labels and image id are those of buildah inspect' '
    bd inspect $work | jq -S "{ image: .FromImage, image_id: .FromImageID, labels: .OCIv1.config.Labels }" >expect &&
    cps_field $work "{ image, image_id, labels }" --store "$store" | jq -S . >actual && test_cmp expect actual
'
matrix_yes status "$need" 'they are created: nothing ever ran as theirs' '
    cps_field $work "[.status, .pid]" --store "$store" >actual && test_json . "[\"created\", null]" actual
'
matrix_unknown exit "$nothing" "$need" 'there is no exit code' '
    cps_field $work .exit_code --store "$store" >actual && test_json . null actual
'
matrix_yes layers "$need" 'the upper directory is where buildah mount shows changes' '
    upper=$(cps_field $work .layers.upper --store "$store" | jq -r .) &&
    root=$(bd mount $work) && podman_host sh -c "echo x >$root/made-here" && bd umount $work &&
    [ -e "$upper/made-here" ] &&
    cps_field $work "[.layers.kind, (.layers.lowers | length)]" --store "$store" >actual && test_json . "[\"overlay\", 4]" actual &&
    cps_field $scr ".layers.lowers | length" --store "$store" >actual && test_json . 0 actual
'
files_options=(--store "$store")
matrix_files "$need" buildah '' '' "buildah:$work" /made-here=x
files_absent running "a working container is files: what buildah run starts is listed as its runtime's" "$need" 'nothing of it runs' '
    cps_field $work .pid --store "$store" >actual && test_json . null actual
'
matrix_unknown entered "$nothing" "$need" 'cnsenter says that it does not run' '
    ! cnsenter --store "$store" buildah:$work true 2>err && test_grep "$work" err
'

test_done
