#!/bin/bash
# cps against podman of Debian trixie as root: its database is SQLite.
# once
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman.sh"
. "$SONDE_SOURCE/tests/lib/cps-podman-sqlite.sh"
SUITE=trixie
test_engine podman
test_names web webrunc done7 made held volatile pod inpod

podman_sqlite_tests TRIXIE

test_done
