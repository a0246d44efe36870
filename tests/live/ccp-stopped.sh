#!/bin/bash
# ccp into a stopped container, beside the same copies by the kernel's overlay: the upper layers are the same.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/ccp-stopped.sh"
test_engine docker
test_names ours theirs

cp_ours() { ccp --docker-root "$DOCKER_DATA" "$@"; }

graph() { dk inspect -f "{{.GraphDriver.Data.$2}}" "$1"; }

# by_kernel MERGED: the copies with cp, where the overlay is mounted
by_kernel()
{
    local src dst
    while read -r src dst; do
        case $dst in
        /link/*) dst=/data/${dst#/link/} ;; # inside it is the container's
        /var/run/*) dst=/run/${dst#/var/run/} ;;
        esac
        # what is in the way is replaced, as docker cp does it
        [ -d "$1$dst" ] || rm -f "$1$dst"
        case $src in
        merge/.)
            cp -a src/merge/etc/app.conf "$1/etc/" && chmod 750 "$1/etc" && cp -a src/merge/var/lib/x "$1/var/lib/" &&
                touch -r src/merge/etc "$1/etc" && touch -r src/merge/var/lib "$1/var/lib" && touch -r src/merge/var "$1/var" ;;
        */.) cp -a "src/$src" "$1$dst" ;;
        app) mkdir -p "$1$dst" ;;
        *) cp -a --remove-destination "src/$src" "$1$dst" ;;
        esac || return 1
    done <<<"$stopped_copies"
}

by_us() { while read -r src dst; do cp_ours -a "src/$src" "$1:$dst" || return 1; done <<<"$stopped_copies"; }

test_expect DOCKER 'setup: two containers with the same past' '
    docker_up && stopped_fill src &&
    for name in "$ours" "$theirs"; do
        dk run -d --name "$name" "$IMAGE" sleep 1000000 >/dev/null && dk exec "$name" sh -c "$stopped_change" || return 1
    done
'

test_expect DOCKER 'what lands in the upper layer of a stopped one is what the mounted overlay leaves' '
    by_kernel "$(graph "$theirs" MergedDir)" && dk kill "$ours" "$theirs" >/dev/null && by_us "$ours" &&
    stopped_upper "$(graph "$theirs" UpperDir)" >expect && stopped_upper "$(graph "$ours" UpperDir)" >actual &&
    test_grep "opaque" expect && test_grep "^data/kept/sub/hard" expect && test_grep "^opt/fifo p" expect && test_cmp expect actual
'

test_expect DOCKER 'directories that are only copied up keep their times' '
    stopped_dates "$(graph "$theirs" UpperDir)" >expect && stopped_dates "$(graph "$ours" UpperDir)" >actual && test_grep "^usr 2023-11-14$" actual &&
    test_cmp expect actual
'

test_expect DOCKER 'nothing of a temporary name is left' '
    find "$(graph "$ours" UpperDir)" -name ".ccp-*" >actual && test_empty actual
'

test_expect DOCKER 'the container that is started again sees them' '
    dk start "$ours" "$theirs" >/dev/null &&
    for name in "$ours" "$theirs"; do
        dk exec "$name" sh -c "find /data /etc /home /opt /root /run /srv /usr/lib /var -type f -exec md5sum {} +; find / -xdev -type d -o -type l" |
            grep -v "/etc/host\|/etc/resolv" | sort >"seen.$name" || return 1
    done && test_cmp "seen.$theirs" "seen.$ours" && test_grep " /data/kept/file$" "seen.$ours"
'

test_expect DOCKER 'reading a stopped one gives what it saw, and changes nothing' '
    dk kill "$ours" >/dev/null && find "$(graph "$ours" UpperDir)" -printf "%p %C@ %A@\n" | sort >before && cp_ours "$ours:/data" out && cp_ours "$ours:/var/run/z" . &&
    test_cmp src/top z && test_cmp src/kept/file out/kept/file && test "$(stat -c %h out/kept/file)" = 2 && ! test -e out/gone &&
    find "$(graph "$ours" UpperDir)" -printf "%p %C@ %A@\n" | sort >after && test_cmp before after
'

test_done
