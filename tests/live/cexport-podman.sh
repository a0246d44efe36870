#!/bin/bash
# cexport of podman's containers, root's.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"
test_engine podman
test_names web
name=$web

up() { podman_up && pm run -d --name "$web" -e FOO="a b" --label tier=web -w /tmp "$IMAGE" sh -c "$export_init" >/dev/null; }
init() { pm inspect -f '{{.State.Pid}}' "$web"; }
out() { cexport --store "podman=$PODMAN_ROOT" "$@"; }
halt() { pm kill "$web" >/dev/null && test_wait '[ "$(pm inspect -f "{{.State.Status}}" "$web")" = exited ]'; }
export_of() { pm export "$web"; }

cexport_engine PODMAN,XATTR 'podman'

# without what podman sets in every container
config_of() { pm image inspect "$1" | jq -S '.[0].Config | .Env |= map(select(test("^(TERM|container)=") | not)) | .Env |= sort | {Env, Cmd, WorkingDir, Labels, User, StopSignal}'; }

for format in oci docker; do
    test_expect PODMAN "podman load takes --format $format, with the configuration that podman commit would give it" '
        out "$name" --format $format -t shop/$format -o image.tar && pm load -q -i image.tar >actual && test_grep "shop/$format:latest" actual &&
        pm commit -q "$web" committed >/dev/null && config_of committed >expect && config_of shop/$format >actual && test_cmp expect actual &&
        pm run --rm shop/$format sh -c "cat /x/plain; pwd; echo \$FOO" >actual && printf "%s\n" one /tmp "a b" >expect && test_cmp expect actual
    '
done

test_prereq SKOPEO 'have_all skopeo'
test_expect PODMAN,SKOPEO 'skopeo takes both, also compressed with zstd' '
    policy="--insecure-policy" && out "$name" --format oci --zstd -o image.tar && skopeo $policy copy -q oci-archive:image.tar dir:a &&
    out "$name" --format docker --gzip -o image.tar && skopeo $policy copy -q docker-archive:image.tar dir:b && [ -s a/manifest.json ] && [ -s b/manifest.json ]
'

test_done
