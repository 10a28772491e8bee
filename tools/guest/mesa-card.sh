#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Print which card a driver has, cardN: the first.
#
#   mesa-card.sh DRIVER

for path in /sys/kernel/debug/dri/[0-9] /sys/kernel/debug/dri/[0-9][0-9]; do
	read -r name _ 2> /dev/null < "$path/name" || continue
	if [ "$name" = "$1" ]; then
		echo "card${path##*/}"
		exit 0
	fi
done
exit 1
