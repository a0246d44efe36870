#!/bin/bash
# What of a file is copied: ccp beside docker cp on every kind of file; docs/copying.md has the table.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine docker
test_names web

cp_ours() { ccp --docker-root "$DOCKER_DATA" -q "$@"; }

# kinds DIR: one of each
kinds()
{
    local acl=0x0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000000ffffffff
    mkdir "$1" "$1/dir" "$1/acldir" && (cd "$1" && for name in plain setuid setgid sticky capable note acl owned old; do echo "$name" >"$name" || exit 1; done &&
        chmod 640 plain && chmod 4755 setuid && chmod 2755 setgid && chmod 1644 sticky && chmod 3775 dir &&
        setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 capable && setfattr -n user.note -v text note &&
        setfattr -n system.posix_acl_access -v $acl acl && setfattr -n system.posix_acl_default -v $acl acldir &&
        chown 1234:4321 owned && chmod 4750 owned && touch -d "2001-02-03 04:05:06.5" old && ln plain hard && ln -s nowhere link && mkfifo fifo && mknod null c 1 3 &&
        truncate -s 4M hole && echo end >>hole)
}

# facts DIR FORMAT: of each file; facts_acl DIR, attributes DIR: which have one
facts() { (cd "$1" && find . ! -name . -printf "$2\n" | LC_ALL=C sort); }
attributes() { (cd "$1" && find . -print0 | xargs -0 getfattr -h -d -m "$2" -e hex 2>/dev/null | grep -E '^(#|[a-z])' | LC_ALL=C sort); }

test_expect DOCKER,XATTR 'setup: every kind of file, copied by both, in and out' '
    docker_up && dk run -d --name "$web" "$IMAGE" sleep 1000000 >/dev/null && root=$(dk inspect -f "{{.GraphDriver.Data.MergedDir}}" "$web") &&
    kinds src && kinds "$root/src" && mkdir theirs ours kept && mkdir "$root/theirs" "$root/ours" "$root/kept" &&
    dk cp "$web:/src/." theirs && test_status 2 cp_ours "$web:/src/." ours 2>err && cp_ours --devices -a "$web:/src/." kept &&
    dk cp src/. "$web:/theirs" && test_status 2 cp_ours src/. "$web:/ours" 2>err && cp_ours --devices -a src/. "$web:/kept"
'

for at in host container; do
    test_expect DOCKER,XATTR "types, modes with set-uid, set-gid and sticky, capabilities, ACLs as docker cp, into the $at" '
        place=$PWD && { [ $at = host ] || place=$root; } &&
        facts "$place/theirs" "%P %y %m %l %s" | grep -v -e "^null " -e "^[^ ]* d " >expect && facts "$place/ours" "%P %y %m %l %s" | grep -v "^[^ ]* d " >actual && test_cmp expect actual &&
        test_grep "^setuid f 4755" actual && test_grep "^setgid f 2755" actual && test_grep "^owned f 4750" actual && test_grep "^acl f 660" actual &&
        facts "$place/theirs" "%P %y %m" | grep " d " >expect && facts "$place/ours" "%P %y %m" | grep " d " >actual && test_grep "^dir d 3775" actual && test_cmp expect actual &&
        attributes "$place/theirs" "^(security.capability|system.posix_acl)" >expect && attributes "$place/ours" "^(security.capability|system.posix_acl)" >actual &&
        test_cmp expect actual && test_grep security.capability actual && test_grep -v posix_acl actual
    '
    test_expect DOCKER,XATTR "what ccp keeps and docker cp does not, into the $at: attributes of users, holes, names of one file, parts of seconds" '
        attributes "$place/theirs" "^user" >expect && test_empty expect && attributes "$place/ours" "^user" >actual && test_grep "user.note=0x74657874" actual &&
        [ "$(stat -c %b "$place/ours/hole")" -lt 100 ] && [ "$(stat -c %h "$place/ours/plain")" = 2 ] && [ "$(stat -c %.1Y "$place/ours/old")" = "$(stat -c %.1Y src/old)" ]
    '
    test_expect DOCKER,XATTR "with -a all of it, into the $at: owners, ACLs, device nodes" '
        facts src "%P %y %m %l %U:%G %n" >expect && facts "$place/kept" "%P %y %m %l %U:%G %n" >actual && attributes src "^(user|security|system)" >>expect &&
        attributes "$place/kept" "^(user|security|system)" >>actual && test_grep posix_acl_default actual && test_grep "^owned f 4750  1234:4321" actual && test_cmp expect actual
    '
done

test_expect DOCKER 'whose copies are: of who copies on the host, of the container'"'"'s root in it; docker cp leaves the host'"'"'s ids there' '
    stat -c %u:%g theirs/owned ours/owned "$root/theirs/owned" "$root/ours/owned" | tr "\n" " " >actual && printf "0:0 0:0 1234:4321 0:0 " >expect && test_cmp expect actual
'

test_done
