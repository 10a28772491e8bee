#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# To be sourced: the guest's end of what tools/vm and tools/scanout listen at.

port_of() { # NAME
	for port in /sys/class/virtio-ports/*; do
		[ "$(cat "$port/name" 2> /dev/null)" != "$1" ] || { echo "/dev/${port##*/}"; return; }
	done
	echo "no port of the name $1" >&2
	return 1
}
