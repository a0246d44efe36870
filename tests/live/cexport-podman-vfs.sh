#!/bin/bash
# cexport of root's podman on vfs, and of buildah's working containers.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
. "$SONDE_SOURCE/tests/lib/cexport.sh"
test_engine podman
test_names web fresh work
test_prereq BUILDAH '[ "$(id -u)" = 0 ] && have_all buildah podman conmon crun jq'
name=$web
PODMAN_DRIVER=vfs

up() { podman_up && pm run -d --name "$web" "$IMAGE" sh -c "$export_init" >/dev/null; }
init() { pm inspect -f '{{.State.Pid}}' "$web"; }
out() { cexport --store "podman=$PODMAN_ROOT" "$@"; }
halt() { pm kill "$web" >/dev/null && test_wait '[ "$(pm inspect -f "{{.State.Status}}" "$web")" = exited ]'; }
export_of() { pm export "$web"; }
cexport_engine PODMAN,XATTR 'podman, vfs'

test_expect PODMAN 'podman, vfs: --upper on top of the image is the container' '
    pm create --name "$fresh" "$IMAGE" true >/dev/null && out "$fresh" >fresh.tar && export_unpack fresh.tar fresh && out "$web" --upper >upper.tar &&
    [ "$(stat -c %s upper.tar)" -lt "$(stat -c %s fresh.tar)" ] && tar -tf upper.tar >names && test_grep "^etc/.wh.app.conf$" names && test_grep -v "^etc/passwd$" names &&
    apply_layer fresh upper.tar && echo --without=/etc/mtab >>mounts && tree_facts fresh >actual && tree_facts stopped >expect && test_cmp expect actual
'

# --- buildah: nothing runs but while it builds ---

ours() { cexport --store "buildah=$PODMAN_ROOT" "buildah:$work" "$@"; }

test_expect BUILDAH,XATTR 'buildah: a working container is what buildah mount shows' '
    bd from --name "$work" "$IMAGE" && bd run --isolation chroot "$work" -- sh -c "$export_fill" && top=$(bd mount "$work") && export_fill_attributes "$top" &&
    ours >ours.tar 2>err && test_empty err && export_unpack ours.tar ours && export_facts "$top" --times --holes >expect && export_facts ours --times --holes >actual &&
    test_grep "^/x/deep/er directory" expect && test_grep "user.text=value" expect && test_cmp expect actual
'
test_expect BUILDAH,XATTR 'buildah: --upper has what was changed, --format oci is an image that podman runs' '
    bd umount "$work" >/dev/null && ours --upper | tar -t >names && test_grep "^etc/.wh.app.conf$" names && test_grep "^x/deep/er/$" names && test_grep -v "^etc/passwd$" names &&
    ours --format oci -t shop/work -o image.tar && pm load -q -i image.tar >actual && test_grep "shop/work:latest" actual && pm run --rm shop/work cat /x/plain >actual && echo one >expect && test_cmp expect actual
'

test_done
