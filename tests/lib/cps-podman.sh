# shellcheck shell=bash
# What the live tests of podman share: the truth of `podman inspect` and `buildah inspect`, and the rows of the matrix.

. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"

# files_of_podman CLIENT NAME: upper, lowers and mounts by `podman inspect`
files_of_podman()
{
    "$1" inspect "$2" | jq -S '.[0] | {
        upper: (.GraphDriver.Data.UpperDir // null),
        lowers: ((.GraphDriver.Data.LowerDir // "") | split(":")),
        mounts: (.Mounts | map({ type: .Type, name: (.Name // null), source: .Source, destination: .Destination,
                                 read_only: (.RW | not) }) | sort_by(.destination)) }'
}

# files_of_cps NAME ARGUMENT...: the same by cps
files_of_cps()
{
    local name=$1
    shift
    cps_field "$name" '{ upper: .layers.upper, lowers: .layers.lowers, mounts: (.mounts | sort_by(.destination)) }' "$@" |
        jq -S .
}

# podman_columns PREREQ CLIENT CPS-ARGUMENT...: the columns of a row, of containers $web (running, two processes, a volume
# and a bind), $done7 (exited with 7) and $made (created)
# podman_files PREREQ VARIANT CLIENT CPS-ARGUMENT...: the cells of their files; $done7 has written /srv/new
podman_files()
{
    files_options=("${@:4}")
    matrix_files "$1" "$2" "podman:$web" "$("$3" inspect --format '{{.State.Pid}}' "$web" 2>/dev/null)" "podman:$done7" /srv/new=new
}

podman_columns()
{
    local prereq=$1
    podman_client=$2
    shift 2
    podman_where=("$@")

    matrix_yes running "$prereq" 'the running ones are listed without -a, with the pid that podman says' '
        cps_list json --json --no-trunc "${podman_where[@]}" &&
        jq -r ".containers[] | select(.engine == \"podman\") | [.name, .pid] | @tsv" json >names &&
        test_grep "^$web	$($podman_client inspect --format "{{.State.Pid}}" $web)$" names &&
        test_grep -v "^$done7	" names && test_grep -v "^$made	" names
    '
    matrix_yes stopped "$prereq" 'with -a the stopped ones are listed too' '
        cps_field $done7 .status "${podman_where[@]}" >actual && test_json . exited actual &&
        cps_field $made .status "${podman_where[@]}" >actual && test_json . created actual
    '
    matrix_yes name "$prereq" 'ids, names, images, states, pids, exit codes are those of podman ps' '
        records_of_podman $podman_client >expect &&
        [ "$(jq length expect)" -ge 3 ] &&
        records_of_cps expect "${podman_where[@]}" >actual &&
        test_cmp expect actual
    '
    matrix_yes image "$prereq" 'the image is shown as podman ps shows it' '
        $podman_client ps -a --format "{{.Image}}" --filter name=$web >expect &&
        cps_field $web .image "${podman_where[@]}" | jq -r . >actual && test_cmp expect actual
    '
    matrix_yes status "$prereq" 'running, exited and created are told apart' '
        for name in $web $done7 $made; do
            $podman_client inspect --format "{{.State.Status}}" $name >expect &&
            cps_field $name .status "${podman_where[@]}" | jq -r . >actual && test_cmp expect actual || return 1
        done
    '
    matrix_yes exit "$prereq" 'the exit code of a stopped container, and when it ended' '
        cps_field $done7 .exit_code "${podman_where[@]}" >actual && test_json . 7 actual &&
        podman_time=$(date -d "$($podman_client inspect $done7 | jq -r ".[0].State.FinishedAt")" +%s) &&
        [ "$podman_time" = "$(date -d "$(cps_field $done7 .finished "${podman_where[@]}" | jq -r .)" +%s)" ]
    '
}
