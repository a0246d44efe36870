# shellcheck shell=bash
# A captured host as cps sees it, and what of that is kept beside the fixture. For tests/cli/fixtures.sh, which compares,
# tests/fixtures/make.sh, which writes it, and tests/cli/capture.sh. In the current directory: host/, raw, actual.

# What a dead host's files can tell; a new column of cps need not change every fixture.
fixture_fields='id, name, engine, image, image_id, status, exit_code, created, started, finished, command, labels, pod, infra,
    pod_namespace, project, restarts, hostname, log, store, layers, mounts'

# fixture_copy ROW: git keeps no owners: what is in a user's home belongs to that user, or to whoever runs this, who is
# that user then.
fixture_copy()
{
    cp -a --no-preserve=ownership "$SONDE_SOURCE/tests/fixtures/$1" host && chmod -R a+rX host || return 1
    [ -d host/home/user ] || return 0
    if [ "$(id -u)" = 0 ]; then
        for dir in host/home/user host/run/user/1000; do
            [ ! -e "$dir" ] || chown -hR 1000:1000 "$dir" || return 1
        done
    else
        sed -i "s/:1000:1000:/:$(id -u):$(id -g):/" host/etc/passwd && { [ ! -e host/run/user/1000 ] ||
            mv host/run/user/1000 "host/run/user/$(id -u)"; }
    fi
}

# as_nobody is the harness's, if there is one
fixture_reader() { if [ "$(id -u)" = 0 ] && declare -F as_nobody >/dev/null; then as_nobody "$@"; else "$@"; fi; }

fixture_list()
{
    local status=0
    fixture_reader cps -a --json --sysroot "$PWD/host" >raw 2>err || status=$?
    [ "$status" = 0 ] || { echo "status $status"; cat err; return 1; }
    sed "s,/run/user/$(id -u)/,/run/user/1000/,g" raw | jq ".containers |= (map({ $fixture_fields }) | sort_by(.engine, .id))" >actual
}

# fixture_texts DIR: all bytes below it, names and targets of links, and the JSON that is in base64
fixture_texts()
{
    find "$1" -printf '%P %l\n'
    find "$1" -type f -exec cat {} + | tee all
    grep -aoP '(?<![A-Za-z0-9+/])[eW][wy3][A-Za-z0-9+/]{62,}=*' all | while read -r word; do base64 -d <<<"$word" 2>/dev/null; done
    return 0
}
