#!/bin/bash
# crun without an engine: see oci.sh. crun_up, crun_down
OCI=crun
. "$(dirname "${BASH_SOURCE[0]}")/oci.sh"

crun_up() { oci_up; }
crun_down() { oci_down; }

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main crun rt "$@"
