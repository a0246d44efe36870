#!/bin/bash
# cexport, as root, of a user's containers on fuse-overlayfs, with marks of another kind, and owners that are others inside.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/export.sh"
test_prereq FUSE_OVERLAYFS '[ -e /dev/fuse ] && have_all fuse-overlayfs'
test_engine podman-rootless
test_names web thief
ROOTLESS_DRIVER=fuse

facts() { export_facts "$1" | sed 's/ xattrs=[^ ]*//'; }

test_expect PODMAN_ROOTLESS,FUSE_OVERLAYFS 'of a running container it is what podman export has' '
    podman_rootless_up && pmu run -d --name "$web" "$IMAGE" sh -c "$export_init" >/dev/null &&
    test_wait "pmu exec $web test -e /x/filled" && cexport "$web" >ours.tar 2>err && test_empty err && pmu export -o "$ROOTLESS_DIR/home/engine.tar" "$web" &&
    export_unpack ours.tar ours && export_unpack "$ROOTLESS_DIR/home/engine.tar" engine && facts engine >expect && facts ours >actual &&
    test_grep "^/x/deep/er directory" expect && test_grep "owner=1234:4321" expect && test_cmp expect actual
'

test_expect PODMAN_ROOTLESS,FUSE_OVERLAYFS 'no mark of fuse-overlayfs is left in it' '
    tar -tf ours.tar >names && test_grep -v "\.wh\." names && export_facts ours >all && test_grep -v fuseoverlayfs all
'

test_expect PODMAN_ROOTLESS,FUSE_OVERLAYFS 'of a stopped one it is the same' '
    pmu kill "$web" >/dev/null && cexport "$web" >stopped.tar && test_cmp ours.tar stopped.tar
'

test_expect PODMAN_ROOTLESS,FUSE_OVERLAYFS 'podman load takes it back as an image' '
    cexport --format oci -t shop/crashed "$web" | pmu load -q >actual && test_grep "shop/crashed:latest" actual
'

# his container cannot read it; whoever follows his record as root can
test_expect PODMAN_ROOTLESS,FUSE_OVERLAYFS 'setup: a user mounts /etc of the host, and a volume of his own' '
    pmu run -d --name "$thief" -v /etc:/steal -v own:/vol "$IMAGE" sh -c "echo mine >/vol/file; chown 12:34 /vol/file; cat /steal/shadow >/out; : >/ready; exec sleep 1000000" >/dev/null &&
    test_wait "pmu exec $thief test -e /ready" && pmu inspect -f "{{range .Mounts}}{{.Source}} {{end}}" "$thief" >sources && test_grep "/etc " sources && pmu exec "$thief" test ! -s /out
'
for state in running stopped; do
    test_expect PODMAN_ROOTLESS,FUSE_OVERLAYFS "--volumes of the $state one has his, and nothing of /etc" '
        { [ "$state" = running ] || pmu kill "$thief" >/dev/null; } && test_status 2 cexport --volumes "$thief" >volumes.tar 2>err && test_grep "/steal.: its volume ./etc. is not of the container" err &&
        tar -tvf volumes.tar >list && test_grep " 12/34 .* vol/file$" list && sed -n "s/.* \(steal\/\)/\1/p" list >actual && echo steal/ >expect && test_cmp expect actual
    '
done

test_done
