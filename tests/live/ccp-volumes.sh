#!/bin/bash
# ccp and the volumes of a stopped container, beside docker cp, which also mounts its own three files in /etc then.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine docker
test_names web

cp_ours() { ccp --docker-root "$DOCKER_DATA" "$@"; }

test_expect DOCKER 'setup: a stopped container with a bind, a volume, a read-only one, a file and a tmpfs' '
    docker_up && mkdir bind ro && echo b >bind/file && echo r >ro/file && echo single >single &&
    dk run -d --name "$web" -v "$PWD/bind:/data/bind" -v named:/vol -v "$PWD/ro:/ro:ro" -v "$PWD/single:/etc/single" --tmpfs /tm "$IMAGE" sleep 1000000 >/dev/null &&
    dk exec "$web" sh -c "echo v >/vol/file; mkdir /vol/sub; echo gone >/tm/file; echo d >/data/file" && dk kill "$web" >/dev/null
'

test_expect DOCKER 'out: each by its path, and as parts of a tree, as docker cp has them' '
    cp_ours "$web:/data/bind/file" one && test_cmp bind/file one && cp_ours "$web:/vol/sub/../file" two && echo v >expect && test_cmp expect two &&
    cp_ours "$web:/etc/single" three && test_cmp single three && cp_ours "$web:/vol" vol && test -d vol/sub &&
    mkdir theirs ours && for dir in data vol etc ro; do dk cp "$web:/$dir" theirs/ && cp_ours "$web:/$dir" ours/ || return 1; done &&
    diff -r -x hosts -x hostname -x resolv.conf theirs ours && test -e ours/data/bind/file && test_cmp single ours/etc/single && test_status 1 cp_ours "$web:/tm" tm 2>err && test_grep "No data" err && ! test -e tm
'

test_expect DOCKER 'in: by its path, through a tree, through an archive; not where it is read-only' '
    echo new >new && mkdir -p tree/data/bind tree/vol tree/ro && cp new tree/data/bind/tree && cp new tree/vol/tree && cp new tree/ro/tree &&
    cp_ours new "$web:/data/bind/" && test_cmp new bind/new && test_status 2 cp_ours tree/. "$web:/" 2>err && test_grep "Read-only" err && test_cmp new bind/tree && ! test -e ro/tree &&
    test_status 1 cp_ours new "$web:/ro/" 2>err && test_grep "Read-only" err && tar -c new | cp_ours - "$web:/vol" && dk start "$web" >/dev/null &&
    dk exec "$web" cat /data/bind/new /data/bind/tree /vol/tree /vol/new >actual && printf "new\nnew\nnew\nnew\n" >expect && test_cmp expect actual && dk kill "$web" >/dev/null
'

test_expect DOCKER 'nothing of it lands below a volume in the layers' '
    upper=$(dk inspect -f "{{.GraphDriver.Data.UpperDir}}" "$web") && find "$upper/vol" "$upper/data/bind" "$upper/ro" -type f >actual && test_empty actual
'

test_done
