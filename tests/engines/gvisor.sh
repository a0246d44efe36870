#!/bin/bash
# gVisor's runsc without an engine: see oci.sh. gvisor_up, gvisor_down
# The static binary of the trixie chroot, run on the host. Platform systrap: kvm and ptrace do not work everywhere.
#   gvisor_overlay none   keeps changes in the root as mounted, instead of in a file of the sandbox
OCI=runsc
. "$(dirname "${BASH_SOURCE[0]}")/oci.sh"
OCI_PROGRAM=$CHROOT_CACHE/trixie/usr/bin/runsc
OCI_OPTIONS=(--platform=systrap --network=none --ignore-cgroups)

gvisor_overlay() { OCI_OPTIONS+=("--overlay2=$1"); }

gvisor_up() { oci_up; }
gvisor_down() { oci_down; }

# runsc's own is for a root that is read-only, with a gVisor's mounts.
oci_spec() { (cd "$1" && runc spec); }

oci_version() { "$OCI_PROGRAM" --version | sed -n '1s/.*version \(release-\)\{0,1\}[0-9.~]*~\{0,1\}\(20[0-9]*\).*/\2/p'; }

oci_ids() { find "$OCI_DIR/state" -name '*_sandbox:*.state' -printf '%f\n' | sed 's/_sandbox:.*//'; }

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main gvisor rt "$@"
