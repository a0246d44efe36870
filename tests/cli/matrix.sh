#!/bin/bash
# docs/engines.md: made of results, and what must not go unnoticed.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"

matrix() { python3 "$SONDE_SOURCE/tests/lib/matrix.py" "$@"; }

# The library writes below the build: here into a directory of the test.
rows_in()
{
    local SONDE_BUILD=$TRASH/$1
    matrix_row 'enginx 2.10' plain && matrix_cell running yes '' && matrix_cell exit unknown 'only its daemon knows it' &&
        matrix_cell diff-stopped unknown 'nothing below it' && matrix_cell copy-in-running yes ''
    matrix_row 'enginx 2.9' plain
    for column in $matrix_columns; do matrix_cell "$column" yes ''; done
    matrix_row 'enginx 3' 'skipped whole'
}

test_expect PYTHON 'rows are sorted, unknown cells have a reason, what nobody tested is said' '
    rows_in a && matrix table a/engines >page && sed -n "/^| enginx/p; /^[0-9]/p" page >actual && cat >expect <<-\EOT &&
	| enginx 2.9 | plain | yes | yes | yes | yes | yes | yes | yes | yes |
	| enginx 2.10 | plain | yes | not tested | not tested | not tested | not tested | unknown (1) | not tested | not tested |
	| enginx 2.9 | plain | yes | yes | yes | yes | yes | yes | yes | yes |
	| enginx 2.10 | plain | not tested | unknown (2) | not tested | not tested | yes | not tested | not tested | not tested |
	1. only its daemon knows it
	2. nothing below it
	EOT
    test_cmp expect actual && grep "^| engine |" page >heads &&
    test_grep "^| engine | variant | diff running | diff stopped | export running | export stopped | copy in running | copy in stopped | copy out" heads
'

test_expect PYTHON '--strict fails for a cell that nobody tested' '
    rows_in b && test_status 1 matrix table --strict b/engines >page 2>err && test_grep "enginx 2.10 plain: layers: not tested" err &&
    test_grep "enginx 2.10 plain: copy-out-stopped: not tested" err &&
    rm b/engines/enginx_2.10_plain.tsv && test_status 0 matrix table --strict b/engines >page
'

test_expect PYTHON 'a page that was changed by hand is noticed' '
    rows_in c && matrix table c/engines >page && matrix form page &&
    sed "s/| yes | not tested |/| yes | yes or so |/" page >changed && ! cmp -s page changed && sed "s/^Written/Wrote/" page >head && cat page - >tail <<<"more" &&
    test_status 1 matrix form head 2>err && test_status 1 matrix form tail 2>err && test_grep "by hand" err
'

test_expect PYTHON 'a result that contradicts the page is noticed; rows that did not run are not' '
    rows_in d && matrix table d/engines >page && matrix check page d/engines &&
    rm d/engines/enginx_2.9_plain.tsv && matrix check page d/engines &&
    sed -i "s/^running.*/running\tunknown\tno file/" d/engines/enginx_2.10_plain.tsv &&
    test_status 1 matrix check page d/engines 2>err && test_grep "enginx 2.10 plain: running: the page says" err &&
    sed -i "s/^copy-in-running.*/copy-in-running\tunknown\tno file/" d/engines/enginx_2.10_plain.tsv &&
    test_status 1 matrix check page d/engines 2>err && test_grep "enginx 2.10 plain: copy-in-running: the page says" err
'

test_expect PYTHON 'an unknown cell without a reason is refused' '
    mkdir -p e && printf "row\tenginx\tplain\nexit\tunknown\t\n" >e/x.tsv && test_status 1 matrix table e 2>err && test_grep "without a reason" err
'

test_expect PYTHON 'the page of this tree is one that the generator wrote' '
    matrix form "$SONDE_SOURCE/docs/engines.md"
'

test_done
