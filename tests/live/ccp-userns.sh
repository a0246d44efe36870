#!/bin/bash
# ccp and the ids of a container in a user namespace, running and stopped: what the container itself sees of them.
# lane 2
# once
. "$(dirname "$0")/../lib/harness.sh"
test_engine docker
test_names web other
declare -g DOCKER_REMAP=yes

cp_ours() { ccp --docker-root "$(docker_store)" "$@"; }

test_prereq SUBUID '[ -w /etc/subuid ] && [ -w /etc/subgid ]'

test_expect DOCKER,SUBUID 'setup: dockerd with a remapped root' '
    docker_up && for name in "$web" "$other"; do dk run -d --name "$name" "$IMAGE" sleep 1000000 >/dev/null || return 1; done &&
    dk exec "$web" sh -c "cut -c1-22 /proc/self/uid_map" >actual && test_grep -v " 0  *0 " actual &&
    mkdir -p tree/sub && echo x >tree/sub/file && ln -s file tree/sub/link && chown -hR 1234:4321 tree/sub && dk exec "$web" sh -c "mkdir /own; echo o >/own/file; chown -R 1000:1000 /own; ls -ln /own"
'

# into_and_back: owners inside, of what is copied in, and on the host, of what is copied out
into_and_back()
{
    cp_ours tree "$web:/def$1" && cp_ours -a tree "$web:/keep$1" && cp_ours --owner 5:6 tree "$web:/ids$1" && cp_ours -a "$web:/own/file" "kept$1" && cp_ours "$web:/own/file" "mine$1" &&
        cp_ours -a "$web:/own" "$other:/from$1" && stat -c '%u:%g' "kept$1" "mine$1" >"actual$1"
}

test_expect DOCKER,SUBUID 'of running ones' '
    into_and_back 1 && printf "1000:1000\n0:0\n" >expect && test_cmp expect actual1
'

test_expect DOCKER,SUBUID 'of stopped ones' '
    dk kill "$web" "$other" >/dev/null && into_and_back 2 && test_cmp expect actual2
'

test_expect DOCKER,SUBUID 'inside they are the container'"'"'s root, the same ids, those asked for' '
    dk start "$web" "$other" >/dev/null && for n in 1 2; do
        dk exec "$web" stat -c "%u:%g" /def$n /def$n/sub/file /keep$n/sub/file /keep$n/sub/link /keep$n/sub /ids$n/sub/file | tr "\n" " " >actual &&
        printf "0:0 0:0 1234:4321 1234:4321 1234:4321 5:6 " >expect && test_cmp expect actual && dk exec "$other" stat -c "%u:%g" /from$n/file >actual && echo 1000:1000 >expect && test_cmp expect actual || return 1
    done
'

test_expect DOCKER,SUBUID 'an id that its user namespace has not is refused' '
    test_status 1 cp_ours --owner 4000000000:1 tree "$web:/x" 2>err && test_grep "no id in the container" err
'

test_done
