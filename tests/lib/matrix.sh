# shellcheck shell=bash
# The engine matrix: which facts of which engine cps was seen to tell right. A live test names its row once and
# fills the row's cells by tests that pass; docs/engines.md is made of what was written, never by hand.
#
#   matrix_row 'docker 20.10.24' 'overlay2'      engine and version; variant
#   matrix_yes COLUMN PREREQ TITLE SCRIPT        as test_expect; passing, the cell is `yes`
#   matrix_unknown COLUMN REASON PREREQ TITLE SCRIPT   the script shows that cps says unknown; REASON: why no file has it
#
# Columns: $matrix_columns. Results go to $SONDE_BUILD/engines/, a file a row; tests/lib/matrix.py makes the table.

matrix_columns='running stopped name image status exit layers entered'
for column in diff export copy-in copy-out; do matrix_columns="$matrix_columns $column-running $column-stopped"; done
matrix_file=

matrix_row()
{
    local dir=$SONDE_BUILD/engines
    mkdir -p "$dir"
    matrix_file=$dir/$(printf '%s %s' "$1" "$2" | tr -c 'A-Za-z0-9._\n-' _).tsv
    printf 'row\t%s\t%s\n' "$1" "$2" >"$matrix_file"
}

matrix_cell()
{
    case " $matrix_columns " in
    *" $1 "*) printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$matrix_file" ;;
    *)        echo "matrix: no column '$1'" >&2; exit 1 ;;
    esac
}

# Only a test that ran and passed counts: not one that was skipped.
matrix_expect()
{
    local failed=$test_failed column=$1 value=$2 reason=$3
    shift 3
    test_expect "$@"
    if [ "$failed" = "$test_failed" ] && ! test_lacks "$1"; then
        matrix_cell "$column" "$value" "$reason"
    fi
}

matrix_yes() { local column=$1; shift; matrix_expect "$column" yes '' "$@"; }

matrix_unknown() { local column=$1 reason=$2; shift 2; matrix_expect "$column" unknown "$reason" "$@"; }
