#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The layout of a driver's tracepoints: facts, as tools/parity/table.py reads them.
#
#   events.sh SYSTEM SUBJECT MODULE   MODULE: a name, or a file with a slash in it
#
# Programs read events as the format file says, so all of that is the interface, but
# for the number that each boot gives an event.

system=$1 subject=$2 module=$3

case $module in
*/*)
	# what modprobe would have found by itself
	for need in $(modinfo -F depends "$module" | tr , ' '); do
		modprobe "$need"
	done
	insmod "$module"
	;;
*) modprobe "$module" ;;
esac || exit 1

for format in /sys/kernel/tracing/events/"$system"/*/format; do
	name=$(basename "$(dirname "$format")")
	printf 'interface\t%s\tevent-%s\t%s\t%s\n' "$subject" "$name" "format of the tracepoint $name" \
		"$(grep -v -e '^ID:' -e '^name:' "$format" | tr -s '\t ' ' ' | grep . | paste -sd '|')"
done
