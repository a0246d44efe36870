# shellcheck shell=bash
# Sourced before the harness: the test file runs again with a directory of detached sessions that no other test has.
if [ -z "${SONDE_OWN_RUN-}" ] && [ "$(id -u)" = 0 ]; then
    export SONDE_OWN_RUN=1
    # shellcheck disable=SC2016 # for the shell in there
    exec unshare --mount --propagation private sh -c '
        mkdir -p -m 700 /run/sonde && mount -t tmpfs -o mode=700 none /run/sonde && exec bash "$0"' "$0"
fi
