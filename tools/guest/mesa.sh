#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The cases of mesa-patches/tests with each renderer that draws with the CPU, or with
# the one that is named, and a line for each as tools/mesa/check reads it: what it was
# run with, and what came of it.
#
#   mesa.sh PROGRAM DRIVER[:NODE] RENDERERS [CASE ...]		on the card of this driver

program=$1 driver=$2 renderers=$3
shift 3
cases=${*:-$("$program" --list)}
seconds=120

# One that hangs is waiting for what nobody gives: it fails as well.
run() { # CASE
	timeout -s KILL $seconds "$program" "$1" "$driver" > /tmp/said 2>&1
	code=$?
	case $code in
	0) echo passed ;;
	1) echo failed ;;
	137) echo hung ;;
	*) [ $code -gt 128 ] && echo crashed || echo failed ;;
	esac
}

modprobe -a vgem vkms "${driver%%:*}"
modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x00
for renderer in $renderers; do
	# a GPU that renders is not asked which of those it is
	[ "$renderer" = virgl ] || export GALLIUM_DRIVER="$renderer"
	# what llvmpipe does with more was seen to draw wrong colours on an emulated CPU
	export GALLIUM_OVERRIDE_CPU_CAPS=sse4.1
	export MESA_PICTURES="$VM_SHARE/$driver-$renderer-"
	for case in $cases; do
		outcome=$(run "$case")
		printf 'mesa\t%s\t%s\t%s\t%s\t%s\n' "$driver" "$renderer" "$case" "$outcome" \
			"$(sed -n '/^# /{s///;p;q}' /tmp/said)"
		"${0%/*}/mesa-named.sh" "$driver" "$renderer" "$case"
	done
done
