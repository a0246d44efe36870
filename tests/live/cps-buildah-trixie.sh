#!/bin/bash
# The same of Debian trixie's buildah.
SUITE=trixie
. "$(dirname "$0")/cps-buildah.sh"
