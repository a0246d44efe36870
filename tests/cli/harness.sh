#!/bin/bash
# The harness itself: a test that cannot fail would be worth nothing.
. "$(dirname "$0")/../lib/harness.sh"

# inner BODY: runs a test file of that body with tests/run, in `out`; without CI unless asked
inner()
{
    { echo '. "$SONDE_SOURCE/tests/lib/harness.sh"' && printf '%s\n' "$1"; } >inner.sh &&
        env -u VERBOSE CI="${inner_ci-}" TEST_TIMEOUT="${inner_timeout-30}" "$SONDE_SOURCE/tests/run" "$TRASH/inner.sh" >out 2>&1
}

last_line() { tail -n 1 out >last && echo "$1" >expect && test_cmp expect last; }

test_expect 'passing tests are counted, the last line says so' '
    inner "test_expect one true; test_expect two true; test_done" &&
    last_line "2 passed, 0 failed"
'

test_expect 'a failing test fails the run and shows what it printed' '
    ! inner "test_expect one true; test_expect two \"echo spoken && false\"; test_done" &&
    last_line "1 passed, 1 failed" &&
    test_grep "spoken" out && test_grep "not ok 2 - two" out
'

test_expect 'output without an end of line does not swallow the next result' '
    ! inner "test_expect one \"printf x && false\"; test_expect two true; test_done" &&
    last_line "1 passed, 1 failed"
'

test_expect 'a chain with a missing && fails' '
    ! inner "test_expect one \"false
        true\"; test_done" &&
    last_line "0 passed, 1 failed" && test_grep "broken &&" out
'

test_expect 'a missing prerequisite is a visible skip, with CI set a failure' '
    body="test_prereq NOPE false; test_expect NOPE one true; test_expect two true; test_done" &&
    inner "$body" &&
    last_line "1 passed, 0 failed, 1 skipped" && test_grep "skip missing NOPE" out &&
    ! inner_ci=true inner "$body" &&
    last_line "1 passed, 1 failed"
'

test_expect 'a missing fact about the host is a skip with CI too' '
    inner_ci=true inner "test_fact NOPE false; test_expect NOPE one true; test_expect two true; test_done" &&
    last_line "1 passed, 0 failed, 1 skipped"
'

test_expect 'a run without any test fails' '
    ! inner "test_done" &&
    last_line "0 passed, 1 failed" && test_grep "ran no test" out
'

test_expect 'a file that ends early is a failure, and cleanups run, the last one first' '
    ! inner "test_cleanup \"echo first >>$TRASH/order\"; test_cleanup \"echo second >>$TRASH/order\"
        test_expect one true; exit 0" &&
    last_line "1 passed, 1 failed" &&
    printf "second\nfirst\n" >expect && test_cmp expect order
'

test_expect 'a cleanup that fails is a failed test' '
    ! inner "test_cleanup false; test_expect one true; test_done" &&
    last_line "1 passed, 1 failed"
'

test_expect 'a file that hangs is ended, its cleanups run, and it counts as failed' '
    ! inner_timeout=1 inner "test_cleanup \"echo cleaned >$TRASH/cleaned\"
        test_expect one true; test_expect two \"sleep 100\"; test_done" &&
    test_grep "ran out of time" out && test_grep cleaned cleaned &&
    last_line "1 passed, 3 failed"
'

test_expect 'a process or a directory that a test leaves behind fails the run' '
    ! inner "setsid sh -c \"sleep 3; # \$SONDE_TEST_DIR/mark\" >/dev/null 2>&1 &
        test_expect one true; test_done" &&
    test_grep "left behind" out && test_grep "process .*sleep 3" out &&
    ! inner "mkdir \"\$SONDE_TEST_DIR/../stays\"; test_expect one true; test_done" &&
    test_grep "/stays$" out &&
    last_line "1 passed, 1 failed"
'

test_expect 'no temporary directory stays' '
    inner "test_expect one \"echo \\\$SONDE_TEST_DIR >$TRASH/where\"; test_done" &&
    ! [ -e "$(cat where)" ] && ! [ -e "$(dirname "$(cat where)")" ]
'

# row_file NAME MARKS BODY: a file of a tree of its own; it notes when it begins and ends
row_file()
{
    mkdir -p tree/tests/attack && cp "$SONDE_SOURCE/tests/run" tree/tests/ &&
        printf '#!/bin/bash\n%s\n. "$SONDE_SOURCE/tests/lib/harness.sh"\n%s\n' "$2" \
            "echo begin $1 >>$TRASH/order; test_expect $1 '$3'; echo end $1 >>$TRASH/order; test_done" >"tree/tests/attack/$1.sh"
}

test_expect 'with --lanes both rows run at the same time, then what is last, then each file that is alone' '
    rm -f order && row_file one "" "test_wait \"grep two $TRASH/order\"" && row_file two "# lane 2" "test_wait \"grep one $TRASH/order\"" &&
    row_file late "# last" "test_wait \"grep later $TRASH/order\"" && row_file later "# last
# lane 2" "test_wait \"grep -w late $TRASH/order\"" && row_file lone "# alone" true &&
    tree/tests/run --lanes attack >out && last_line "5 passed, 0 failed" &&
    sed -n "1,4s/ .*//p" order >actual && printf "%s\n" begin begin end end >expect && test_cmp expect actual &&
    sed -n "5,8s/ .*//p" order >actual && test_cmp expect actual &&
    sed -n "1,4s/.* //p" order | sort -u >actual && printf "%s\n" one two >expect && test_cmp expect actual &&
    tail -n 2 order >actual && printf "%s\n" "begin lone" "end lone" >expect && test_cmp expect actual
'

test_expect 'a failure in either row is the run'\''s; the sanitizers'\'' build leaves out what is marked' '
    rm -rf tree && row_file one "" true && row_file two "# lane 2" "echo spoken && false" && row_file three "# once" true &&
    ! tree/tests/run --lanes --build tree/build/san attack >out && last_line "1 passed, 1 failed" && test_grep spoken out &&
    ! tree/tests/run --lanes --build tree/build attack >out && last_line "2 passed, 1 failed"
'

test_done
