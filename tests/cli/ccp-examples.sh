#!/bin/bash
# The examples of ccp(1), each line as it stands there, on two containers that no engine knows.
. "$(dirname "$0")/../lib/harness.sh"
test_engine bare

test_expect UNSHARE 'setup: two containers, and the files that the examples name' '
    bare_up && bare_run web && bare_run web2 && web=$(bare_pid web) && web2=$(bare_pid web2) && mkdir -p site/sub logs && echo page >site/index.html && ln site/index.html site/sub/again &&
    echo a >app.conf && echo u >users.conf && mkdir -p "/proc/$web/root/var/log" && echo app >"/proc/$web/root/var/log/app.log" && echo db >"/proc/$web/root/var/log/db.log" &&
    sed -n "/^# EXAMPLES/,/^# SEE/s/^\t# \(.*\)/\1/p" "$SONDE_SOURCE/docs/man/ccp.1.scd" | tr -d "\\\\" >shown && [ "$(wc -l <shown)" -ge 7 ] &&
    sed "s/\bweb-2:/pid:$web2:/; s/\bweb:/pid:$web:/" shown >lines
'

test_expect UNSHARE 'the examples of ccp(1) work' '
    while read -r line; do echo "$line" && (set -o pipefail && eval "$line") </dev/null || return 1; done <lines &&
    test_grep "^app$" app.log && test_grep "^page$" "/proc/$web/root/srv/site/index.html" && test_grep "^page$" "/proc/$web/root/srv/index.html" &&
    test_grep "^page$" "/proc/$web2/root/srv/sub/again" && ls logs >actual && printf "app.log\ndb.log\n" >expect && test_cmp expect actual &&
    zstd -dc srv.tar.zst | tar -t >names && test_grep "^srv/site/index.html$" names && [ "$(stat -c %u:%g "/proc/$web/root/etc/users.conf")" = 1000:1000 ]
'

test_done
