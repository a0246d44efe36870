#!/bin/bash
# What a container can leave in its files for whoever looks at its changes. Each attack is seen to work on a naive way first.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/fixture.sh"

test_prereq PTY 'have_all script'

# racing A B SCRIPT: A and B are exchanged without a pause meanwhile
racing()
{
    local racer status=0
    "$HELPERS/swap-race" "$1" "$2" &
    racer=$!
    eval "$3" || status=$?
    kill "$racer" && wait "$racer" 2>/dev/null
    return "$status"
}

# the escape sequence that sets a terminal's title
evil_name=$(printf 'a\033]0;owned\007b\nC ')

test_expect ROOT,JQ,PTY 'naive: a name in a list acts on the terminal' '
    overlay_store 2 && : >"$upper/$evil_name" && : >"$upper/plain" &&
    script -qec "sh -c \"cd $upper && printf %s a*\"" /dev/null >typed && grep -q "$(printf "\033")" typed
'
test_expect ROOT,JQ,PTY 'on a terminal a name is escaped, in one line, in each form' '
    for way in "" --stat --layers -u; do
        script -qec "cdiff --sysroot $HOST $way web" /dev/null >typed &&
        ! grep -q "$(printf "\033")" typed && grep -qF "a\\x1b]0;owned\\x07b\\x0aC" typed || { cat -v typed; return 1; }
    done
'
test_expect ROOT,JQ,PTY 'naive: content in a diff acts on the terminal' '
    printf "x\ty\033[2J\n" >"$upper/text" && { script -qec "diff -u /dev/null $upper/text" /dev/null >typed || true; } && grep -q "$(printf "\033")" typed
'
test_expect ROOT,JQ,PTY 'content is escaped on a terminal, tabs and line ends apart' '
    script -qec "cdiff --sysroot $HOST -u web /text" /dev/null >typed &&
    ! grep -q "$(printf "\033")" typed && grep -q "^+x$(printf "\t")y.x1b\[2J" typed
'
# a name that ends its line, and goes on as the heads of a diff of another file, which patch believes
evil_label=$(printf 'a\n--- a/victim\n+++ b/victim\n@@ -1 +1 @@\n-kept\n+owned\n')
test_expect ROOT,JQ 'naive: a name in a diff makes patch write to another file' '
    mkdir -p there && echo kept >there/victim && printf "t\n" >text && { diff -u --label "b/$evil_label" /dev/null text >naive.patch || true; } &&
    (cd there && patch -f -p1 <../naive.patch >out 2>&1; true) && grep -q owned there/victim
'
test_expect ROOT,JQ 'a label of a diff cannot end its line, and patch writes to no other file' '
    overlay_store 2 && mkdir -p "$upper/$(dirname "$evil_label")" &&
    printf "t\n" >"$upper/$evil_label" && echo kept >there/victim && overlay_cdiff -u web >ours.patch && test_grep "victim" ours.patch &&
    test_grep -v "^+++ b/victim" ours.patch && (cd there && patch -f -p1 <../ours.patch >out 2>&1; true) && test_grep "^kept$" there/victim
'
test_expect ROOT,JQ 'nor can a sequence for the terminal in it' '
    overlay_store 2 && printf "t\n" >"$upper/$evil_name" && overlay_cdiff -u web >out && [ "$(grep -c "^+++ " out)" = 1 ] && test_grep "^+++ b/a.x1b" out
'

# marks_up: /etc/passwd of the image and a new file; nothing is deleted
marks_up()
{
    overlay_store 2 && mkdir -p "${layers[0]}/etc" "$upper/etc" && echo root >"${layers[0]}/etc/passwd" && echo n >"$upper/etc/new"
}
# naive_hides: whoever takes every known mark for one, whatever the store, no longer sees the file
naive_hides() { "$HELPERS/dump-view" -m fuse "$upper" "${layers[@]}" >view && grep -q "^/etc/new" view && ! grep -q "^/etc/passwd" view; }
test_expect ROOT,JQ,XATTR 'naive: without such marks every way sees the file' 'marks_up && ! naive_hides && grep -q "^/etc/passwd" view'
test_expect ROOT,JQ,XATTR 'naive: each mark of another store, which a container may set, hides the image' '
    for mark in "setfattr -n user.overlay.opaque -v y $upper/etc" "setfattr -n user.fuseoverlayfs.opaque -v y $upper/etc" \
        ": >$upper/etc/.wh.passwd" ": >$upper/etc/.wh..wh..opq"; do
        marks_up && eval "$mark" && naive_hides || { echo "$mark"; return 1; }
    done
'
test_expect ROOT,JQ,XATTR 'setup: all of them at once' '
    marks_up && setfattr -n user.overlay.opaque -v y "$upper/etc" && setfattr -n user.fuseoverlayfs.opaque -v y "$upper/etc" &&
    : >"$upper/etc/.wh.passwd" && : >"$upper/etc/.wh..wh..opq"
'
test_expect ROOT,JQ,XATTR 'marks of other stores are the container'\''s own files and attributes' '
    overlay_cdiff web >actual &&
    printf "%s\n" "C /etc" "A /etc/.wh..wh..opq" "A /etc/.wh.passwd" "A /etc/new" >expect && test_cmp expect actual
'
test_expect ROOT,JQ,XATTR 'trusted.overlay.opaque, which it may not set, counts' '
    setfattr -n trusted.overlay.opaque -v y "$upper/etc" && overlay_cdiff web >actual && test_grep "^D /etc/passwd$" actual
'
test_expect ROOT,JQ,XATTR 'naive: a redirect, joined to a layer, leads to the host'\''s' '
    overlay_store 2 && mkdir -p "$upper/d" "$HOST/secret" && echo s >"$HOST/secret/key" && setfattr -n trusted.overlay.redirect -v ../../../../../../secret "$upper/d" &&
    to=$(getfattr --only-values -n trusted.overlay.redirect "$upper/d") && [ "$(cat "${layers[0]}/$to/key")" = s ]
'
test_expect ROOT,JQ,XATTR 'a redirect that leads out of the layers finds nothing' '
    overlay_store 2 && mkdir -p "$upper/d" "$HOST/secret" && echo s >"$HOST/secret/key" &&
    for to in ../../../../../../secret ../../../../../../../secret /../../secret .. /.. "" / //; do
        setfattr -n trusted.overlay.redirect -v "$to" "$upper/d" && overlay_cdiff web >actual && echo "A /d" >expect &&
        test_cmp expect actual || return 1
    done
'

test_expect ROOT,JQ 'naive: every character device is taken for a whiteout' '
    overlay_store 2 && mknod "$upper/null" c 1 3 && mknod "$upper/zero" b 0 0 &&
    find "$upper" -type c -printf "D /%P\n" >out && test_grep "D /null" out
'
test_expect ROOT,JQ 'only a character device 0:0 is a whiteout, and of nothing it deletes nothing' '
    mknod "$upper/gone" c 0 0 && overlay_cdiff web >actual && printf "%s\n" "A /null" "A /zero" >expect && test_cmp expect actual
'

# redirects_up N: in each of N layers each directory of a path of eight is redirected to that whole path
redirects_up()
{
    local layer dir to=/a/a/a/a/a/a/a/a
    overlay_store "$1" && for layer in "${layers[@]}"; do
        mkdir -p "$layer$to" && for dir in "" /a /a/a /a/a/a /a/a/a/a /a/a/a/a/a /a/a/a/a/a/a /a/a/a/a/a/a/a; do setfattr -n trusted.overlay.redirect -v "$to" "$layer/a$dir" || return 1; done
    done && mkdir "$upper/a" && setfattr -n trusted.overlay.redirect -v "$to" "$upper/a" && : >"$upper/a/new" && : >"$upper/z"
}
# what takes each redirect as it comes: so many steps for three layers, eight times as many for each more
test_expect ROOT,JQ,XATTR 'redirects in redirects, of an image: what is looked for without an end is given up and said, the rest goes on' '
    redirects_up 20 && test_status 2 timeout 10 cdiff --sysroot "$HOST" web >actual 2>err && test_grep "^A /z$" actual && test_grep "symbolic links" err
'

# a label of diff(1) is an argument, and those have an end
long_path_up() { overlay_store 2 && python3 -c '
import os, sys
os.chdir(sys.argv[1])
for i in range(200):
    os.mkdir(b"\1" * 200)
    os.chdir(b"\1" * 200)
open("file", "w").write("x\n")' "$upper" && seq 3 >"$upper/z"; }
test_expect ROOT,JQ,PYTHON 'naive: a path of 40,000 bytes, escaped, is no argument of a program' '
    long_path_up && name=$(head -c 160000 /dev/zero | tr "\0" x) && ! sh -c "diff -u --label \"\$1\" /dev/null /etc/passwd" sh "$name" 2>err
'
test_expect ROOT,JQ,PYTHON 'its content is not shown, and that of what comes behind it is' '
    cdiff --sysroot "$HOST" -u web >actual && test_grep "too long to be compared" actual && test_grep "^+++ b/z$" actual && test_grep "^+3$" actual
'

test_expect ROOT,JQ 'naive: nanoseconds of the year 2400 do not fit into 64 bits, those before 1970 have a sign' '
    [ $(($(date -d 2400-01-01 +%s) * 1000000000)) -lt 0 ] && overlay_store 2 && touch -d 2400-01-01 "$upper/late" && touch -d "1969-12-31 23:59:59.5" "$upper/early"
'
test_expect ROOT,JQ 'a time that is not told is null, one before 1970 is right' '
    cdiff --sysroot "$HOST" --json web >actual && test_json "[.changes[] | .after.mtime]" "[\"1969-12-31T23:59:59.500000000Z\",null]" actual
'

# A FIFO in the place of a file stops whoever opens it.
fifo_up()
{
    overlay_store 2 && mkdir -p "${layers[0]}/d" "$upper/d" && seq 100 >"${layers[0]}/d/text" && seq 99 >"$upper/d/text" &&
        rm -f "$HOST/fifo" && mkfifo "$HOST/fifo"
}
naive_stops()
{
    for i in $(seq 300); do
        timeout 1 cat "$upper/d/text" >/dev/null || [ $? != 124 ] || return 0
    done
    return 1
}
test_expect ROOT,JQ 'naive: reading a file that becomes a FIFO never ends' 'fifo_up && racing "$upper/d/text" "$HOST/fifo" naive_stops'
never_stops() { for i in $(seq 200); do timeout 10 cdiff --sysroot "$HOST" -u web >out || [ $? = 2 ] || return 1; done; }
test_expect ROOT,JQ 'a file that becomes a FIFO stops nothing' 'fifo_up && racing "$upper/d/text" "$HOST/fifo" never_stops'
compares() { for i in $(seq 200); do timeout 10 cdiff --sysroot "$HOST" --json --verify web >out || [ $? = 2 ] || return 1; done; }
test_expect ROOT,JQ 'nor where content is compared' 'fifo_up && racing "$upper/d/text" "$HOST/fifo" compares'

# A link in the place of a file, or of a directory, leads to the host'\''s.
link_up()
{
    overlay_store 2 && mkdir -p "${layers[0]}/d" "$upper/d" "$HOST/secret.d" && seq 100 >"${layers[0]}/d/text" && seq 99 >"$upper/d/text" &&
        echo "root secret" | tee "$HOST/secret.d/text" >"$HOST/secret.d/key" && rm -f "$HOST/link" && ln -s "$HOST/secret.d/key" "$HOST/link" &&
        ln -s "$HOST/secret.d" "$HOST/link.d"
}
naive_leaks() { for i in $(seq 500); do diff -u "${layers[0]}/d/text" "$upper/d/text"; done >out 2>&1; grep -q "root secret" out; }
test_expect ROOT,JQ 'naive: a file that becomes a link shows a file of the host' 'link_up && racing "$upper/d/text" "$HOST/link" naive_leaks'
never_leaks() { for i in $(seq 200); do cdiff --sysroot "$HOST" -u web >>out || [ $? = 2 ] || return 1; done && test_grep "^-100$" out && test_grep -v "root secret" out; }
test_expect ROOT,JQ 'a file that becomes a link shows nothing of the host' 'link_up && : >out && racing "$upper/d/text" "$HOST/link" never_leaks'
test_expect ROOT,JQ 'naive: a directory that becomes a link shows the host'\''s' 'link_up && racing "$upper/d" "$HOST/link.d" naive_leaks'
test_expect ROOT,JQ 'a directory that becomes a link shows nothing of the host' 'link_up && : >out && racing "$upper/d" "$HOST/link.d" never_leaks'
test_expect ROOT,JQ 'naive: a link of the image leads a path joined to it to the host'\''s' '
    overlay_store 2 && mkdir -p "$HOST/secret.d" && echo k >"$HOST/secret.d/key" && ln -s "$(printf "../%.0s" $(seq 30))$HOST/secret.d" "$upper/out" &&
    [ "$(cat "$upper/out/key")" = k ] && { diff -Nur "${layers[0]}" "$upper" >naive.diff || true; } && test_grep "^+k$" naive.diff
'
test_expect ROOT,JQ 'a link of the image leads PATH nowhere but inside' '
    test_status 1 cdiff --sysroot "$HOST" web /out/key 2>err && test_grep "No such file" err
'

# A user's store is the user's to arrange: root is shown an image of it, whose layer is a link to what only root may read.
user_image_up()
{
    rm -rf host && fixture_copy podman-4.3-rootless && store=host/home/user/.local/share/containers/storage &&
        top=$store/overlay/$(jq -r ".[] | select(.names[0] == \"localhost/sonde-test:1\").layer" $store/overlay-images/images.json)/diff &&
        mkdir -p host/root/secret && echo k >host/root/secret/key && chmod 700 host/root host/root/secret && rm -rf "$top" &&
        ln -s "$PWD/host/root/secret" "$top"
}
test_expect ROOT,JQ 'naive: a layer of a user'\''s image that is a link shows the host'\''s' 'user_image_up && [ "$(cat "$top/key")" = k ]'
test_expect ROOT,JQ 'a layer of a user'\''s image that is a link is refused' '
    for to in "$PWD/host/root/secret" /root/secret ../../../../../../../../root/secret; do
        ln -sfn "$to" "$top" && test_status 1 cdiff --sysroot host image:sonde-test:1 web >out 2>err && test_empty out && test_grep -v key err &&
        test_grep "image sonde-test:1: open layer\|image localhost/sonde-test:1: open layer" err || return 1
    done
'
test_expect ROOT,JQ 'nor is a user'\''s image that names no layer of the store' '
    user_image_up && for id in ../../../../../../../../root/secret "" x; do
        jq -c --arg id "$id" "map(.layer = \$id)" $store/overlay-images/images.json >new && cat new >$store/overlay-images/images.json &&
        test_status 1 cdiff --sysroot host image:sonde-test:1 web >out 2>err && test_empty out && test_grep "the id of its layer is none\|it has no layer" err || return 1
    done
'

# PATH may hold a directory of the container, HOME and the like may be anything: the host'\''s diff is at a fixed place
test_expect ROOT,JQ 'naive: diff is looked up in PATH' '
    overlay_store 2 && seq 3 >"${layers[0]}/t" && seq 4 >"$upper/t" && mkdir -p bin && printf "#!/bin/sh\necho owned >&2\n" >bin/diff && chmod 755 bin/diff &&
    PATH=$PWD/bin:$PATH sh -c "diff $upper/t ${layers[0]}/t" 2>err && test_grep owned err
'
test_expect ROOT,JQ 'no diff but the host'\''s own is run' '
    PATH=$PWD/bin:$PATH cdiff --sysroot "$HOST" -u web >out 2>err && test_empty err && test_grep "^+4$" out
'

child_of() { tr -d ' ' <"/proc/$1/task/$1/children"; }

# diff_below PID: the diff that the cdiff that it traces runs, held for a while behind its exec
diff_below()
{
    local pid
    pid=$(child_of "$1") && pid=$(child_of "$pid") && case $(readlink "/proc/$pid/exe") in */diff) echo "$pid" ;; *) return 1 ;; esac
} 2>/dev/null
look_at_diff()
{
    local strace pid
    SECRET=canary strace -f -qq -o trace -e trace=execveat -e inject=execveat:delay_exit=3000000 cdiff --sysroot "$HOST" -u web >out 9<"$HOST" &
    strace=$!
    test_wait 'pid=$(diff_below $strace)' 10 && awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status" >uids && tr '\0' '\n' <"/proc/$pid/environ" | sort >environ &&
        find "/proc/$pid/fd" -type l -printf '%f\n' | sort -n | tr '\n' ' ' >fds
    wait "$strace"
}
test_expect ROOT,JQ,STRACE 'it is nobody, and has nothing of ours but the two texts: no descriptor, no environment' '
    look_at_diff && echo 65534 65534 65534 65534 >expect && test_cmp expect uids && printf "%s\n" LC_ALL=C PATH=/usr/bin:/bin >expect && test_cmp expect environ &&
    printf "0 1 2 3 4 " >expect && test_cmp expect fds && test_grep "^+4$" out
'

test_expect ROOT,JQ 'naive: two texts of millions of lines keep diff busy, or take gigabytes' '
    seq 2000000 | shuf >a.slow && seq 2000000 | shuf >b.slow && test_status 124 timeout 8 diff -u a.slow b.slow >naive.diff
'
test_expect ROOT,JQ 'two texts of millions of lines, which cost diff gigabytes, are given up, and the rest goes on' '
    seq 2000000 | shuf >"${layers[0]}/slow" && seq 2000000 | shuf >"$upper/slow" &&
    timeout 120 cdiff --sysroot "$HOST" -u web >out && test_grep "^Changed /slow: takes too much" out && test_grep "^+4$" out
'

deep()
{
    python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
for i in range(int(sys.argv[2])):
    os.mkdir("d" * 200, dir_fd=fd)
    fd = os.open("d" * 200, os.O_RDONLY, dir_fd=fd)
os.close(os.open("end", os.O_CREAT | os.O_WRONLY, dir_fd=fd))' "$@"
}
test_expect ROOT,JQ,PYTHON 'naive: a path of 12,000 bytes cannot be opened by its name' '
    overlay_store 2 && deep "$upper" 60 && path=$(find "$upper" -name end) && ! cat "$path" 2>err && test_grep "too long" err
'
test_expect ROOT,JQ,PYTHON 'a path of 12,000 bytes is listed' '
    overlay_cdiff web >actual && [ "$(wc -l <actual)" = 61 ] && [ "$(tail -n 1 actual | wc -c)" = $((3 + 60 * 201 + 4)) ]
'

# hundred_up: each of 100 layers has the directory, 40 deep
hundred_up()
{
    local n dir
    dir=$(printf "d/%.0s" $(seq 40))
    overlay_store 100 && for n in "${layers[@]}" "$upper"; do mkdir -p "$n/$dir" || return 1; done && echo x >"$upper/$dir/new" &&
        echo o >"${layers[0]}/$dir/old" && mknod "$upper/$dir/old" c 0 0
}
test_expect ROOT,JQ '100 layers, each with a directory 40 deep' '
    hundred_up && overlay_cdiff web >actual && tail -n 2 actual | sed "s,/.*/,/," >got && printf "%s\n" "A /new" "D /old" >expect && test_cmp expect got
'
test_expect ROOT,JQ 'where not so many files may be open, that is said, and the status is 2' '
    (ulimit -n 500 && test_status 2 cdiff --sysroot "$HOST" web >actual 2>err) && test_grep "Too many open files" err && test_grep "hint: raise" err
'

test_done
