#!/bin/bash
# A user's db.sql, which root's list reads: a view or a generated column that never ends, a virtual table, a tree that leads
# into itself, rows that are all the same bytes, a FIFO, a link to a database of root's, a terabyte; and a journal whose
# rolling back removes a file of root's. No list hangs, shows what is root's, changes a file, or says more than a line about it;
# the other containers are listed, and of this store what its other files tell.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
test_engine podman-rootless
test_prereq USERADD '[ "$(id -u)" = 0 ] && command -v useradd jq python3'

# A container of root's, a user's store with one container in the storage's own list, and a database of root's.
store_up()
{
    [ -z "${victim-}" ] || return 0
    bare_up && bare_run victim && victim=$(bare_pid victim) || return 1
    engine_dir podman-rootless >/dev/null && rootless_user_up || return 1
    graph=$ROOTLESS_DIR/home/.local/share/containers/storage id=$(printf 'cd%.0s' {1..32})
    printf '[{"id":"%s","names":["inthelist"],"metadata":"{\\"name\\":\\"inthelist\\"}","created":"2026-01-01T00:00:00Z"}]' "$id" >list
    as_user mkdir -p "$graph/overlay-containers" && as_user tee "$graph/overlay-containers/containers.json" <list >/dev/null &&
        mkdir -m 700 "$ROOTLESS_DIR/roots" && python3 "$SONDE_SOURCE/tests/lib/hostile-sqlite.py" sound "$ROOTLESS_DIR/roots/db.sql" &&
        sqlite3 "$ROOTLESS_DIR/roots/db.sql" "UPDATE ContainerConfig SET Name = 'ROOTSECRET'"
}

# database KIND [ARGUMENT]: the user makes his db.sql so
database()
{
    as_user /bin/sh -c 'rm -rf "$1" "$1"-journal "$1"-wal' sh "$graph/db.sql" || return 1
    case $1 in
    fifo)   as_user mkfifo "$graph/db.sql" ;;
    dir)    as_user mkdir "$graph/db.sql" ;;
    link)   as_user ln -s "$ROOTLESS_DIR/roots/db.sql" "$graph/db.sql" ;;
    sparse) database sound && as_user truncate -s 1T "$graph/db.sql" ;;
    text)   echo ROOTSECRET | as_user tee "$graph/db.sql" >/dev/null ;;
    journal-fifo) database sound && as_user mkfifo "$graph/db.sql-journal" ;;
    journal-link) database sound && as_user ln -s "$ROOTLESS_DIR/roots/db.sql" "$graph/db.sql-journal" ;;
    journal-sparse) database sound && as_user truncate -s 1T "$graph/db.sql-journal" ;;
    *)      as_user python3 - "$1" "$graph/db.sql" "${@:2}" <"$SONDE_SOURCE/tests/lib/hostile-sqlite.py" ;;
    esac
}

# who shows what: a naive reader of it
naive() { sqlite3 "$graph/db.sql" "SELECT $1 FROM ContainerConfig"; }

files() { ls -laR --time-style=full-iso "$graph"; }

# lists STATUS NAME...: the list ends in time, with that status, a line about the store if it is 2, the container of root and
# these of the store; nothing in the store is changed, and no more memory taken than for any list
lists()
{
    local status=0 expect=$1 lines=0
    shift
    [ "$expect" = 0 ] || lines=1
    files >before
    ({ test_have SANITIZED || ulimit -v 1000000; } && within 10 cps -a --no-trunc --json >actual 2>err) || status=$?
    files >after
    test_cmp before after || return 1
    [ "$status" != 137 ] || { echo 'it hangs'; return 1; }
    # other tests' containers come and go beside this
    [ "$status" = "$expect" ] || { [ "$status" = 2 ] && [ "$expect" = 0 ]; } || { echo "status $status"; cat err; return 1; }
    test_grep -v ROOTSECRET actual && test_grep -v ROOTSECRET err || return 1
    [ "$(grep -c "^cps: .*$ROOTLESS_DIR" err)" = "$lines" ] || { cat err; return 1; }
    jq -e ".containers[] | select(.pid == $victim)" actual >rows &&
        jq -r ".containers[] | select(.owner == $ROOTLESS_UID).name" actual | sort >names && printf '%s\n' "$@" | sort >expect &&
        test_cmp expect names
}

test_expect USERADD,UNSHARE,SQLITE 'a sound database of the user is listed' '
    store_up && database sound && lists 0 inthedb
'

test_expect USERADD,UNSHARE,SQLITE 'naive: sqlite3 never ends with a view, nor with a tree that leads into itself' '
    store_up && database view && test_status 137 within 2 sqlite3 "$graph/db.sql" "SELECT Name FROM ContainerConfig" &&
    database chain && test_status 137 within 2 sqlite3 "$graph/db.sql" "SELECT Name FROM ContainerConfig" >many
'

test_expect USERADD,UNSHARE,SQLITE 'naive: a generated column, and rows of the same bytes, are 100 MB of a file of less than one' '
    store_up && for kind in generated overlap; do
        database $kind && [ "$(stat -c %s "$graph/db.sql")" -lt 1000000 ] &&
        [ "$(naive JSON 2>/dev/null | head -c 100000000 | wc -c)" = 100000000 ] || return 1
    done
'

test_expect USERADD,UNSHARE,SQLITE 'naive: a module makes the rows of a virtual table' '
    store_up && database virtual && naive Name >actual && echo inthedb >expect && test_cmp expect actual
'

# what can be read of it: of a tree that leads into itself its one row, once
of_it() { case $1 in chain | overlap) echo inthedb ;; esac; }

for kind in view chain generated overlap virtual cells; do
    test_expect USERADD,UNSHARE,SQLITE "a database of the user with: $kind" "
        store_up && database $kind && lists 2 \$(of_it $kind) inthelist && test_grep db.sql err
    "
done

test_expect USERADD,UNSHARE,SQLITE 'naive: a link shows the names in a database of root, a FIFO is waited for, a terabyte read' '
    store_up && database link && naive Name >actual && test_grep ROOTSECRET actual &&
    database fifo && test_status 137 within 1 cat "$graph/db.sql" &&
    database sparse && [ "$(head -c 100000000 "$graph/db.sql" | wc -c)" = 100000000 ]
'

for kind in link fifo dir sparse text journal-link journal-fifo journal-sparse; do
    test_expect USERADD,UNSHARE,SQLITE "in the place of a file of the database: $kind" "
        store_up && database $kind && lists 2 inthelist && test_grep db.sql err
    "
done

test_expect USERADD,UNSHARE,SQLITE 'naive: sqlite3 rolls a journal back that makes it remove a file of root' '
    store_up && echo something >"$ROOTLESS_DIR/roots/file" && database journal "$ROOTLESS_DIR/roots/file" &&
    naive Name && test ! -e "$ROOTLESS_DIR/roots/file"
'

test_expect USERADD,UNSHARE,SQLITE 'the list sees what was before the journal, and removes nothing' '
    store_up && echo something >"$ROOTLESS_DIR/roots/file" && database journal "$ROOTLESS_DIR/roots/file" &&
    lists 0 inthedb && test -e "$ROOTLESS_DIR/roots/file"
'

# What a name of his is looked for with: no walk, and the same file
test_expect USERADD,UNSHARE,SQLITE 'nor does a name that is looked for make it hang' '
    store_up && for kind in view chain fifo sparse; do
        database $kind && test_status 125 within 10 cnsenter podman:inthedb true 2>err && test -s err || return 1
    done
'

test_done
