#!/bin/bash
# incus from the trixie chroot: see lxd.sh. incus_up, incus_down
LXD_ENGINE=incus
. "$(dirname "${BASH_SOURCE[0]}")/lxd.sh"

incus_up() { lxd_up; }
incus_down() { lxd_down; }

[ "$0" != "${BASH_SOURCE[0]}" ] || engine_main incus ld "$@"
