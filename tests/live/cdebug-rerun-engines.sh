#!/bin/bash
# cdebug --rerun and cdebug image:NAME with real engines: docker's, an ordinary user's podman on the kernel's overlay, and on
# fuse-overlayfs, whose layers the kernel does not mount.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine docker
test_engine podman-rootless
test_prereq FUSE_OVERLAY '[ -e /dev/fuse ] && have_all fuse-overlayfs podman'

again() { cdebug --quiet --store "docker=$DOCKER_DATA" "$@"; }

test_expect DOCKER 'setup: a container that crashes, of a user, with capabilities and groups of its own' '
    docker_up && { dk run --name loop --user 1234:99 --group-add 77 --cap-drop all --cap-add chown --security-opt no-new-privileges \
        --env COLOR=red --workdir /tmp "$IMAGE" sh -c "cat /etc/nothing; echo \$COLOR; exit 3"; [ $? = 3 ]; }
'

test_expect DOCKER,STRACE 'a crash loop of docker is seen by strace, with its status' '
    test_status 3 again --rerun docker:loop >actual && echo red >expect && test_cmp expect actual &&
    test_status 3 again --rerun docker:loop -- strace -f -e trace=openat -o /dev/fd/2 {} 2>err && test_grep "/etc/nothing\".*ENOENT" err
'

test_expect DOCKER 'it is started as docker starts it: ids, groups, capabilities, directory' '
    dk create --name ids --user 1234:99 --group-add 77 --cap-drop all --cap-add chown --security-opt no-new-privileges --workdir /tmp "$IMAGE" \
        sh -c "id; pwd; echo \$\$; uname -n; grep -E \"^(CapBnd|CapEff|CapPrm|NoNewPrivs|Groups)\" /proc/self/status" >/dev/null &&
    again --rerun docker:ids >actual && dk start -a ids >expect && test_cmp expect actual
'

test_expect DOCKER 'docker does not notice: no event, its record and layers as they were' '
    dk inspect loop | jq -S . >before && dk diff loop >diff-before && { again --rerun docker:loop >/dev/null 2>&1; true; } && dk inspect loop | jq -S . >after && test_cmp before after &&
    dk diff loop >diff-after && test_cmp diff-before diff-after
'

test_expect DOCKER 'an image: its files, its entrypoint; changes are lost; an unknown one is one line' '
    dk tag "$IMAGE" "again-$$:1" && again "image:again-$$:1" -- sh -c "cat /target/etc/motd; echo x >/target/x; ls /target/x" >actual && printf "welcome to the test image\n/target/x\n" >expect && test_cmp expect actual &&
    again "image:docker:again-$$:1" -- ls /target >actual && ! grep -x x actual &&
    test_status 125 again "image:no-such-$$" 2>err && test_grep "no image" err
'

test_expect DOCKER 'an image that says what it starts' '
    printf "FROM $IMAGE\nENV A=1\nUSER 7:8\nWORKDIR /tmp\nENTRYPOINT [\"sh\", \"-c\", \"echo \$A; id -u; pwd; exit 4\"]\n" >Dockerfile &&
    { dk create --name base "$IMAGE" true >/dev/null && dk commit --change "ENV A=1" --change "USER 7:8" --change "WORKDIR /tmp" \
        --change "ENTRYPOINT [\"sh\", \"-c\", \"echo \$A; id -u; pwd; exit 4\"]" base says:1 >/dev/null; } &&
    test_status 4 again --rerun image:says:1 >actual && printf "1\n7\n/tmp\n" >expect && test_cmp expect actual
'

test_expect PODMAN_ROOTLESS 'setup: a container of an ordinary user that ends at once' '
    podman_rootless_up && { pmu run --name gone --env COLOR=red "$IMAGE" sh -c "echo made >/made; id -u; echo \$COLOR; exit 5"; [ $? = 5 ]; }
'

test_expect PODMAN_ROOTLESS 'its files are mounted as root, with its changes' '
    cdebug --quiet gone -- cat /target/made /target/etc/motd >actual && printf "made\nwelcome to the test image\n" >expect && test_cmp expect actual
'

test_expect PODMAN_ROOTLESS 'it is started in a user namespace with its ids: root inside, nobody outside' '
    test_status 5 cdebug --quiet --rerun gone >actual && printf "0\nred\n" >expect && test_cmp expect actual &&
    { pmu create --name maps "$IMAGE" sh -c "cat /proc/self/uid_map; cat /etc/shadow >/dev/null 2>&1; stat -c %u /etc/motd; touch /x && stat -c %u /x" >/dev/null; } &&
    cdebug --quiet --rerun maps >actual && pmu start -a maps >expect && tr -s " " <actual >a && tr -s " " <expect >b && head -n 1 a | grep -w "$ROOTLESS_UID" && sed 1,2d a >c && sed "1,/^0\$/d" b >/dev/null && grep -c "^0$" a >n && echo 2 >two && test_cmp two n
'

test_expect PODMAN_ROOTLESS,FUSE_OVERLAY 'one on fuse-overlayfs is one line and where to go on' '
    podman_rootless_down && ROOTLESS_DRIVER=fuse && podman_rootless_up && { pmu run --name fused "$IMAGE" true; true; } &&
    test_status 125 cdebug --quiet fused -- true 2>err && test_grep "fuse-overlayfs.s, which the kernel does not mount" err && test_grep "^hint: cexport" err &&
    test_status 125 cdebug --quiet --rerun fused 2>err && test_grep "fuse-overlayfs.s" err
'

test_done
