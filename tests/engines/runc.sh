#!/bin/bash
# runc without an engine: see oci.sh. runc_up, runc_down
OCI=runc
. "$(dirname "${BASH_SOURCE[0]}")/oci.sh"

runc_up() { oci_up; }
runc_down() { oci_down; }

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main runc rt "$@"
