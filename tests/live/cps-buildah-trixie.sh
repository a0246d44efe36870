#!/bin/bash
# The same of Debian trixie's buildah.
# once
SUITE=trixie
. "$(dirname "$0")/cps-buildah.sh"
