#!/bin/bash
# cdiff on a dead host: records out of a fixture, and small layers of our own below it.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/fixture.sh"

test_prereq WHITEOUT 'mknod "$TRASH/wh" c 0 0'

# layers_of NAME FIELD: a directory of the fixture's container, made
layers_of()
{
    local dir
    dir=host$(jq -r --arg name "$1" '.containers[] | select(.name == $name).layers | '"$2" listed) &&
        mkdir -p "$dir" && echo "$dir"
}

# host_up ROW: $upper, $engine and the image's $top and $low of the container web, each with what every test has there
host_up()
{
    rm -rf host && fixture_copy "$1" && mkdir -p host/etc &&
        { cps -a --json --sysroot host >listed || true; } &&
        upper=$(layers_of web .upper) && engine=$(layers_of web '.lowers[0]') && top=$(layers_of web '.lowers[1]') &&
        low=$(layers_of web '.lowers[-1]') && for n in 2 3; do layers_of web ".lowers[$n]" >/dev/null || return 1; done &&
        mkdir -p "$low"/{etc,data/dir,var/log} "$top/etc" "$engine/etc" &&
        echo one >"$low/etc/one" && echo top >"$top/etc/top" && seq 20 >"$low/data/text" && echo x >"$low/data/dir/x" &&
        ln -s one "$low/etc/link" && : >"$engine/etc/hosts" && : >"$engine/.dockerenv" &&
        find host/var/lib/docker -path '*/diff/*' -exec touch -h -d @1700000000 {} +
}

# Some of each kind.
host_changes()
{
    mkdir -p "$upper"/{etc,data/dir,new} && echo two >"$upper/etc/one" && echo n >"$upper/new/file" &&
        mknod "$upper/data/dir/x" c 0 0 && sed s/^7$/seven/ "$low/data/text" >"$upper/data/text" &&
        ln -s top "$upper/etc/link" && touch -h -d @1700000001 "$upper/data/text" "$upper/etc/one" "$upper/etc/link"
}

# diff_id N: of the image's layer N, as docker's own record of the image has it; short
image_json() { jq -c "$1" host/var/lib/docker/image/overlay2/imagedb/content/sha256/*; }
diff_id() { image_json ".rootfs.diff_ids[$1 - 1][:19]" | tr -d '"'; }
# own_id DIRECTORY: what docker calls the layer; short
own_id() { basename "$(dirname "$1")" | cut -c1-12; }

# what cdiff says of web; - as the last argument: nothing but its status counts
on_host() { cdiff --sysroot host "$@"; }

test_expect JQ,WHITEOUT 'setup: a host whose docker has layers' 'host_up docker-20.10-overlay2'

test_expect JQ,WHITEOUT 'a container that has changed nothing has no lines, and status 0 also with --exit-code' '
    on_host web >actual && test_empty actual && on_host --exit-code web && on_host -u web >actual && test_empty actual &&
    on_host --json web >actual && test_json .changes "[]" actual
'

test_expect JQ,WHITEOUT 'changes are docker diff'\''s lines, a directory before what is in it' '
    host_changes && on_host web >actual &&
    printf "%s\n" "C /data" "C /data/dir" "D /data/dir/x" "C /data/text" "C /etc" "C /etc/link" "C /etc/one" "A /new" \
        "A /new/file" >expect && test_cmp expect actual
'

test_expect JQ,WHITEOUT '--exit-code is 1 with changes, and 2 where cdiff fails' '
    test_status 1 on_host -e web && test_status 2 on_host -e nowhere && test_status 2 on_host -e &&
    test_status 2 on_host -e --no-such-option web && test_status 2 on_host --no-such-option --exit-code web && test_status 2 on_host -e --unified --stat web &&
    test_status 1 on_host --no-such-option web -- -e && test_status 1 on_host nowhere && test_status 0 on_host -e web /var
'

test_expect JQ,WHITEOUT 'a file that was copied up and is as it was is no change' '
    mkdir -p "$upper/var/log" && cp -p "$top/etc/top" "$upper/etc/top" && touch -d @1700000000 "$upper/var/log" &&
    on_host web /var /etc/top >actual && test_empty actual
'

test_expect JQ,WHITEOUT '--verify finds content that was changed behind an old time' '
    echo pot >"$upper/etc/top" && touch -d @1700000000 "$upper/etc/top" && on_host web /etc/top >actual && test_empty actual &&
    on_host --verify web /etc/top >actual && echo "C /etc/top" >expect && test_cmp expect actual &&
    on_host --verify --json web /etc/top >actual && test_json ".changes[0].what" "[\"content\"]" actual &&
    rm "$upper/etc/top"
'

test_expect JQ,WHITEOUT,XATTR '--verify finds attributes that docker diff does not look at' '
    cp -p "$top/etc/top" "$upper/etc/top" && setfattr -n user.mark -v 1 "$upper/etc/top" &&
    on_host web /etc/top >actual && test_empty actual && on_host --verify --json web /etc/top >actual &&
    test_json ".changes[0].what" "[\"xattr\"]" actual && rm "$upper/etc/top"
'

test_expect JQ,WHITEOUT '-u is a unified diff that patch takes' '
    on_host -u web >patch && test_grep "^-7$" patch && test_grep "^+seven$" patch && test_grep "^--- a/etc/one$" patch &&
    test_grep "^Changed /etc/link: link from one to top$" patch && test_grep "^+++ b/new/file$" patch &&
    mkdir was && cp -r "$low/data" was/ && (cd was && patch -p1 <../patch >out 2>&1; true) && cmp was/data/text "$upper/data/text"
'

test_expect JQ,WHITEOUT '-u says of binary files that they differ, and of metadata what is another' '
    printf "a\\0b" >"$upper/etc/one" && chmod 640 "$upper/data/text" && seq 20 >"$upper/data/text" &&
    touch -d @1700000000 "$upper/data/text" && on_host -u web /etc/one /data/text >actual &&
    test_grep "^Binary files a/etc/one and b/etc/one differ$" actual && test_grep "^Changed /data/text: mode$" actual
'

test_expect JQ,WHITEOUT '-u does not take what is too large' '
    truncate -s 17M "$upper/etc/big" && on_host -u web /etc/big >actual &&
    echo "Added /etc/big: too large to be compared line by line" >expect && test_cmp expect actual && rm "$upper/etc/big"
'

test_expect JQ,WHITEOUT '--stat has sizes and a sum' '
    truncate -s 3M "$upper/etc/big" && on_host --stat web /etc/big /data/dir/x >actual &&
    printf "%s\n" " BEFORE   AFTER CHANGE" "      2       - D /data/dir/x" "      -      3M A /etc/big" \
        "1 added, 0 changed, 1 deleted, +2.9M" >expect && test_cmp expect actual && rm "$upper/etc/big"
'

test_expect JQ,WHITEOUT '--layers says which layer a path came from' '
    chmod 600 "$top/etc/top" && cp -p "$top/etc/top" "$upper/etc/top" && chmod 644 "$upper/etc/top" &&
    on_host --layers web /etc/top /etc/one /new/file >actual &&
    printf "C %s\timage %s\t%s\t%s\n" /etc/one 1 "$(diff_id 1)" "${low#host}" /etc/top 4 "$(diff_id 4)" "${top#host}" >expect &&
    printf "A %s\tupper\t%s\t%s\n" /new/file "$(own_id "$upper")" "${upper#host}" >>expect && test_cmp expect actual
'

test_expect JQ,WHITEOUT '--layers: in JSON the whole digest, and the engine'\''s own name' '
    on_host --json web /etc/top /new/file >actual &&
    test_json "[.changes[] | (.before // .after).layer | [.role, .number, .diff_id]]" \
        "[[\"image\",4,$(image_json .rootfs.diff_ids[3])],[\"upper\",null,null]]" actual &&
    test_json ".changes[0].before.layer.id" "\"$(basename "$(dirname "$top")")\"" actual &&
    test_json ".changes[1].after.layer.id" "\"$(basename "$(dirname "$upper")")\"" actual
'

test_expect JQ,WHITEOUT '--layers: a layer whose digest is not kept, or is another'\''s, has its engine'\''s name' '
    layerdb=host/var/lib/docker/image/overlay2/layerdb/sha256 &&
    top_chain=$(dirname "$(grep -rlx "$(basename "$(dirname "$top")")" $layerdb --include=cache-id)") && cp -r "$top_chain" kept &&
    printf "C /etc/top\timage 4\t%s\t%s\n" "$(own_id "$top")" "${top#host}" >expect &&
    for breaks in "rm $top_chain/diff" "printf sha256:no >$top_chain/diff" "printf other >$top_chain/cache-id" "rm -r $top_chain"; do
        eval "$breaks" && on_host --layers web /etc/top >actual && test_cmp expect actual || return 1
        rm -rf "$top_chain" && cp -r kept "$top_chain"
    done
'

test_expect JQ,WHITEOUT '--all has what the engine put there, too' '
    on_host --all web / >actual && test_grep "^A /.dockerenv$" actual && test_grep "^A /etc/hosts$" actual &&
    on_host web >actual && test_grep -v dockerenv actual
'

test_expect JQ,WHITEOUT '--exclude leaves a name out everywhere, a path there only, and what is below' '
    on_host -x one -x "/new" -x "data/*" web >actual &&
    printf "%s\n" "C /etc" "C /etc/link" "C /etc/top" >expect && test_cmp expect actual &&
    on_host -x "/*" web >actual && test_empty actual &&
    on_host -x file web >actual && test_grep "^A /new$" actual && test_grep -v "new/file" actual
'

test_expect JQ,WHITEOUT 'PATHs: through links inside the container, absolute ones too; of what is deleted; one that is nowhere' '
    ln -s /data "$upper/way" && on_host web /way/dir >actual &&
    printf "%s\n" "C /data/dir" "D /data/dir/x" >expect && test_cmp expect actual &&
    on_host web /data/dir/x >actual && echo "D /data/dir/x" >expect && test_cmp expect actual && rm "$upper/way" &&
    test_status 1 on_host web /no/such 2>err && test_grep "/no/such" err
'

test_expect JQ,WHITEOUT 'a name prints as it is in a pipe, ends with NUL with -z, and is whole in JSON' '
    name=$(printf "a\nb\033[31m\377") && : >"$upper/$name" && on_host web >actual && printf "A /%s\n" "$name" >expect &&
    grep -a -A1 "^A /a$" actual >got && test_cmp expect got &&
    on_host -z -x "[!a]*" web >actual && printf "A /%s\0" "$name" >expect &&
    cmp expect actual && on_host --json -x "[!a]*" web >actual &&
    test_json ".changes[0].path == \"/a\\nb\\u001b[31m\\\\xff\"" true actual && rm "$upper/$name"
'

test_expect JQ,WHITEOUT,PYTHON '--json is as its schema says' '
    on_host --json web >actual && python3 "$SONDE_SOURCE/tests/lint/schema.py" "$SONDE_SOURCE/docs/json/cdiff.schema.json" actual &&
    test_json "[.changes[] | select(.path == \"/data/dir/x\") | .kind, .before.size, .after]" "[\"deleted\", 2, null]" actual &&
    test_json "[.changes[] | select(.path == \"/etc/link\") | .before.target, .after.target]" "[\"one\", \"top\"]" actual &&
    test_json ".summary | .added + .changed + .deleted" "$(jq ".changes | length" actual)" actual
'

test_expect JQ,WHITEOUT 'where nothing can be compared stdout is empty, no half of a document or table' '
    for way in --json --stat -u; do test_status 1 on_host $way web /no/such >actual 2>err && test_empty actual && test_grep "/no/such" err || return 1; done
'

test_expect JQ,WHITEOUT 'a PATH without its slash is looked for as a container, and that is said' '
    test_status 1 on_host web etc 2>err && test_grep "no container .etc" err && test_grep "etc. is a PATH, it begins with a slash" err
'

test_expect JQ,WHITEOUT 'two containers: the second is what was; and the image of one' '
    other=$(layers_of done7 .upper) && engine7=$(layers_of done7 ".lowers[0]") && mkdir -p "$other/etc" && echo 7 >"$other/etc/seven" &&
    on_host web done7 /etc >actual && test_grep "^D /etc/seven$" actual && test_grep "^C /etc/one$" actual &&
    on_host done7 web /etc >actual && test_grep "^A /etc/seven$" actual &&
    on_host web image:web >actual && on_host web >expect && test_cmp expect actual &&
    on_host image:web done7 >actual && printf "%s\n" "C /etc" "D /etc/seven" >expect && test_cmp expect actual
'

test_expect JQ,WHITEOUT 'an image by its name, as people write it, or the beginning of its id: what a container made of it began as' '
    id=$(basename host/var/lib/docker/image/overlay2/imagedb/content/sha256/*) && on_host web >expect &&
    for name in sonde-test:1 docker.io/library/sonde-test:1 docker:sonde-test:1 "$id" "sha256:$id" "${id:0:4}"; do
        on_host web "image:$name" >actual && test_cmp expect actual || return 1
    done && on_host --json web image:sonde-test:1 /etc/top >actual &&
    test_json ".before | [.engine, .id, .name, .image]" "[\"docker\",\"$id\",\"sonde-test:1\",\"sonde-test:1\"]" actual &&
    test_json ".changes[-1].before.layer.diff_id" "$(image_json .rootfs.diff_ids[3])" actual
'

test_expect JQ,WHITEOUT 'an image comes before a container of that name, and is one without a name, too' '
    repositories=host/var/lib/docker/image/overlay2/repositories.json && cp $repositories kept.json &&
    jq -c ".Repositories |= {done7: {\"done7:latest\": .[\"sonde-test\"][\"sonde-test:1\"]}}" kept.json >$repositories &&
    on_host --json web image:done7 /etc/top >actual && test_json .before.name "\"done7:latest\"" actual &&
    echo "{\"Repositories\":{}}" >$repositories && on_host --json web image:done7 /etc/top >actual &&
    test_json .before.name "\"done7\"" actual && on_host web "image:${id:0:12}" >actual && test_cmp expect actual &&
    cp kept.json $repositories
'

test_expect JQ,WHITEOUT 'an image that is not there is said, with the tag that is' '
    test_status 1 on_host web image:sonde-test 2>err && printf "%s\n" "cdiff: no image '\''sonde-test'\''" "hint: there is '\''sonde-test:1'\''" >expect &&
    test_cmp expect err && test_status 1 on_host web image:nothing:2 2>err && test_grep "^cdiff: no image .nothing:2.$" err &&
    test_status 1 on_host web image: 2>err && test_grep "no image ..$" err && test_status 2 on_host -e web image:nothing 2>err &&
    test_status 1 on_host web image:lxc:sonde-test:1 2>err && test_grep "no image" err && test_status 1 on_host web "image:${id:0:3}" 2>err
'

test_expect JQ,WHITEOUT 'an image whose records or layers are gone or damaged is said, and why' '
    store=host/var/lib/docker && cp -a $store kept-store &&
    while IFS=: read -r break say; do
        eval "$break" && test_status 1 on_host image:sonde-test:1 web >actual 2>err && test_empty actual && test_grep "$say" err || return 1
        rm -rf $store && cp -a kept-store $store
    done <<\END
rm $store/image/overlay2/imagedb/content/sha256/*:docker image .*No such file
echo x >$store/image/overlay2/imagedb/content/sha256/*:docker image .*not valid JSON
rm -r $store/image/overlay2/layerdb/sha256/0011*:look up its layer sha256:00115461c5a0
rm -r "$low":layer .overlay2/.*No such file
echo { >$store/image/overlay2/repositories.json:no image .sonde-test:1.*repositories.json
END
'

test_expect JQ,WHITEOUT 'an image that two engines have is the one beside the container; else it is ambiguous, with both named' '
    cp -a --no-preserve=ownership "$SONDE_SOURCE/tests/fixtures/podman-4.3/." host/ && on_host docker:web image:sonde-test:1 >actual && on_host docker:web >expect && test_cmp expect actual &&
    on_host --json podman:web image:sonde-test:1 >actual && test_json .before.engine "\"podman\"" actual &&
    test_status 1 on_host image:sonde-test:1 docker:web 2>err && test_grep "ambiguous: 2 images match" err &&
    test_grep "^  docker:sonde-test:1  .*  image$" err && test_grep "^  podman:localhost/sonde-test:1  .*  image$" err &&
    on_host image:podman:sonde-test:1 docker:web /etc/one >actual && test_grep "^D /etc$" actual &&
    on_host image:podman:localhost/sonde-test:1 docker:web /etc/one >actual
'

test_expect JQ 'options that exclude each other, and a PATH without a slash, are usage errors' '
    for options in "-u --json" "--stat -u" "--layers --stat" "-z --json" "-z -u"; do
        test_status 1 on_host $options web 2>err && test_grep "^Try" err || return 1
    done && test_status 1 on_host 2>err && test_status 1 on_host web done7 etc 2>err && test_grep "begins with a slash" err
'

test_expect JQ 'a plain directory keeps nothing of what it began as: that is said, and two can be compared' '
    rm -rf host && fixture_copy lxc-5.0 && { cps -a --json --sysroot host >listed || true; } && web=$(layers_of web .upper) &&
    base=$(layers_of base .upper) && rm -f "$web/.gitkeep" "$base/.gitkeep" && : >"$web/a" && : >"$base/b" && test_status 1 on_host lxc:web 2>err &&
    test_grep "the tree that it began as is not kept" err && on_host lxc:web lxc:base >actual &&
    printf "%s\n" "A /a" "D /b" >expect && test_cmp expect actual
'

test_expect JQ,WHITEOUT 'with a layer gone, where its files are is not known, and no half of it is shown' '
    host_up docker-20.10-overlay2 && rm -r "$low" && test_status 1 on_host web >actual 2>err &&
    test_empty actual && test_grep "where its files are is not known: layer .overlay2/.*/diff.: No such file" err && [ "$(wc -l <err)" = 1 ]
'

test_expect JQ 'an image alone changed nothing: that is a usage error' '
    test_status 1 on_host image:sonde-test:1 2>err && test_grep "what was before the image" err && test_grep "^Try" err &&
    test_status 2 on_host -e image:sonde-test:1 /etc 2>err && test_grep "what was before the image" err
'

test_expect ROOT,JQ,WHITEOUT 'not as root, what may not be read is named, in one line and a hint' '
    host_up docker-20.10-overlay2 && chmod -R a+rX . && chmod 700 "$low" && test_status 1 as_nobody cdiff --sysroot "$PWD/host" web >actual 2>err && test_empty actual &&
    test_grep "^cdiff: docker container web: open layer .*: Permission denied$" err && test_grep "^hint: .*run this as root" err && [ "$(wc -l <err)" = 2 ] &&
    test_status 1 as_nobody cdiff --sysroot "$PWD/host" image:sonde-test:1 web 2>err && test_grep "^cdiff: docker image sonde-test:1: open layer" err &&
    test_grep "^hint: .*run this as root" err && chmod 755 "$low" && chmod 700 host/var/lib/docker/overlay2 &&
    test_status 1 as_nobody cdiff --sysroot "$PWD/host" web 2>err && test_grep "is not known: .*Permission denied$" err && test_grep "^hint: .*run this as root" err
'

# As its driver does at each command of podman's: the file is emptied, then written.
flag_rewritten()
{
    local pid status=0 i
    (while :; do : >"$flag"; sleep 0.02; printf true >"$flag"; sleep 0.01; done) &
    pid=$!
    for ((i = 0; i < 30 && status == 0; i++)); do
        cdiff --sysroot host -x .gitkeep podman:web >actual && test_cmp expect actual || status=1
    done
    kill "$pid" && wait "$pid"
    return "$status"
}
test_expect JQ 'that a store is of fuse-overlayfs is seen also while its driver writes it down' '
    rm -rf host && fixture_copy podman-4.3 && { cps -a --json --sysroot host >listed || true; } && flag=host/var/lib/containers/storage/overlay/.has-mount-program && printf true >"$flag" &&
    upper=$(layers_of web .upper) && low=$(layers_of web ".lowers[0]") && for n in $(jq -r ".containers[] | select(.name == \"web\").layers.lowers[]" listed); do mkdir -p "host$n" || return 1; done && echo gone >"$low/gone" && : >"$upper/.wh.gone" &&
    echo "D /gone" >expect && cdiff --sysroot host -x .gitkeep podman:web >actual && test_cmp expect actual && flag_rewritten &&
    : >"$flag" && cdiff --sysroot host -x .gitkeep podman:web >actual && echo "A /.wh.gone" >expect && test_cmp expect actual
'

test_expect 'what cannot be written is an error' '
    test_status 1 cdiff --help >/dev/full 2>err && test_grep "write to stdout" err
'

test_expect JQ,WHITEOUT 'the examples of cdiff(1) work' '
    host_up docker-20.10-overlay2 && host_changes && sed -n "/^# EXAMPLES/,/^# SEE/s/^\t# //p" "$SONDE_SOURCE/docs/man/cdiff.1.scd" | tr -s "\\\\" | sed "s/\\\\\*/*/g" |
        sed "s/web-1 web-2/web done7/; s,image:shop/web:1.4 /srv,image:sonde-test:1 /etc," >lines && [ "$(wc -l <lines)" -ge 7 ] &&
    (cdiff() { command cdiff --sysroot host "$@"; } && while read -r line; do
        echo "$line" && status=0 && { (set -o pipefail && eval "$line") </dev/null || status=$?; } && case $line in *--exit-code*) [ "$status" = 1 ] ;; *) [ "$status" = 0 ] ;; esac || exit 1
    done <lines) >actual && test_grep "^C /etc/one$" actual && test_grep "^+two$" actual && test_grep "^4 /etc/one$" actual
'

test_done
