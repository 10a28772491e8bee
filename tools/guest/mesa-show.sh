#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A buffer of vgem on the screen of a virtio GPU, in which Mesa draws while it is there:
# a line for each case as tools/mesa/check reads it, and DRIVER-RENDERER-CASE.ppm in
# $VM_SHARE, the screen as QEMU has it.
#
#   mesa-show.sh PROGRAM DRIVER RENDERERS CASE ...	PROGRAM is dmabuf of mesa-patches/tests

program=$1 driver=$2 renderers=$3
shift 3
seconds=60

. "$(dirname "$0")/port.sh"
screen=$(port_of prime.screen 2> /dev/null) && exec 8<> "$screen"

run() { # CASE
	rm -f /tmp/shows
	mkfifo /tmp/shows
	timeout -s KILL $seconds "$program" show "$driver" > /tmp/shows 2> /tmp/why &
	child=$!
	read -r said < /tmp/shows
	outcome=failed
	if [ "$said" = shown ]; then
		echo "$driver-$renderer-$1" >&8
		read -r answer <&8
		[ "$answer" = ok ] && outcome=passed
	fi
	kill $child 2> /dev/null
	wait $child 2> /dev/null
	code=$?
	[ "$said" = shown ] || [ $code -le 128 ] || outcome=crashed
	printf 'mesa\t%s\t%s\t%s\t%s\t%s\n' "$driver" "$renderer" "$1" "$outcome" "$(sed -n '/^# /{s///;p;q}' /tmp/why)"
	"${0%/*}/mesa-named.sh" "$driver" "$renderer" "$1"
}

modprobe -a vgem virtio_gpu
export GALLIUM_OVERRIDE_CPU_CAPS=sse4.1
for renderer in $renderers; do
	export GALLIUM_DRIVER="$renderer"
	for case in "$@"; do
		run "$case"
	done
done
