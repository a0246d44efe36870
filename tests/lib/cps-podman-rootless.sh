# shellcheck shell=bash
# A row of the matrix for rootless podman: podman_rootless_tests PREREQ KIND. ROOTLESS_DRIVER is set; $kind is what cps
# calls the root.

podman_rootless_tests()
{
    local need=$1
    kind=$2

    test_expect "$need" "setup: containers of a user of our own, driver $ROOTLESS_DRIVER" '
        podman_rootless_up &&
        matrix_row "podman $(pmu version -f "{{.Client.Version}}")" "rootless, $ROOTLESS_DRIVER" &&
        pmu run -d --name $web -v vol:/data "$IMAGE" sh -c "sleep 1000000 & sleep 1000001" &&
        { pmu run --name $done7 "$IMAGE" sh -c "echo new >/srv/new; exit 7"; [ $? = 7 ]; } &&
        pmu create --name $made "$IMAGE" true
    '

    podman_columns "$need" pmu

    matrix_yes layers "$need" 'layers and mounts are those of podman inspect; a new file is in the upper directory' '
        for name in $web $done7 $made; do
            files_of_podman pmu $name >expect && files_of_cps $name >actual || return 1
            # vfs: podman does not say which tree it is, nor which one that was copied from
            [ "$kind" != directory ] || { jq .mounts expect >e && jq .mounts actual >a && mv e expect && mv a actual; }
            test_cmp expect actual || return 1
        done &&
        cps_field $done7 "[.layers.kind, (.layers.lowers | length)]" >actual &&
        if [ "$kind" = directory ]; then test_json . "[\"directory\", 1]" actual; else test_json . "[\"$kind\", 4]" actual; fi &&
        upper=$(cps_field $done7 .layers.upper | jq -r .) &&
        [ "$(cat "$upper/srv/new")" = new ] &&
        lower=$(cps_field $done7 ".layers.lowers[0]" | jq -r .) && [ -d "$lower" ] && [ ! -e "$lower/srv/new" ]
    '

    matrix_yes entered "$need" 'cnsenter enters it by its name' '
        cnsenter podman:$web cat /etc/motd >actual && pmu exec $web cat /etc/motd >expect && test_cmp expect actual
    '

    podman_files "$need" "$ROOTLESS_DRIVER" pmu
}
