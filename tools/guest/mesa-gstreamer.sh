#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The cases of gstreamer, of mesa-patches/tests, and a line for each as tools/mesa/check
# reads it. No renderer is in it, whatever it is called.
#
#   mesa-gstreamer.sh PROGRAM DRIVER RENDERER CASE ...

program=$1 driver=$2 renderer=$3
shift 3
seconds=240

# To look at each plugin there is would take it minutes.
mkdir -p /tmp/plugins
for plugin in coreelements app videoconvertscale; do
	ln -sf /usr/lib/*/gstreamer-1.0/libgst$plugin.so /tmp/plugins
done
export GST_PLUGIN_SYSTEM_PATH_1_0=/tmp/plugins

modprobe -a vgem "$driver"
modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x00
for case in "$@"; do
	timeout -s KILL $seconds "$program" "$case" > /tmp/said 2>&1
	code=$?
	case $code in
	0) outcome=passed ;;
	137) outcome=hung ;;
	*) [ $code -gt 128 ] && outcome=crashed || outcome=failed ;;
	esac
	printf 'mesa\t%s\t%s\t%s\t%s\t%s\n' "$driver" "$renderer" "$case" "$outcome" \
		"$(sed -n '/^# /{s///;p;q}' /tmp/said)"
	"${0%/*}/mesa-named.sh" "$driver" "$renderer" "$case"
done
