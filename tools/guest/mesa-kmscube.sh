#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kmscube in each of its modes, and a line for each as tools/mesa/check reads it. It
# draws in buffers of GBM, shows them, and samples others that it has imported.
#
#   mesa-kmscube.sh DRIVER RENDERER CASE ...

driver=$1 renderer=$2
shift 2
seconds=120 frames=6

# It ends when there is something to read.
[ -p /tmp/nothing ] || mkfifo /tmp/nothing
exec 7<> /tmp/nothing

run() { # CASE OPTIONS ...
	case=$1
	shift
	timeout -s KILL $seconds kmscube -D "/dev/dri/$card" -c $frames "$@" <&7 > /tmp/said 2>&1
	code=$?
	shown=$(sed -n 's/^Rendered \([0-9]*\) frames.*/\1/p' /tmp/said | tail -n 1)
	if [ $code = 137 ]; then outcome=hung
	elif [ $code -gt 128 ] && [ $code != 255 ]; then outcome=crashed
	elif [ $code != 0 ] || [ "${shown:-0}" -lt $((frames - 1)) ]; then outcome=failed
	else outcome=passed
	fi
	printf 'mesa\t%s\t%s\t%s\t%s\t%s\n' "$driver" "$renderer" "$case" "$outcome" \
		"exit $code, ${shown:-no} frames: $(tail -n 1 /tmp/said)"
	"${0%/*}/mesa-named.sh" "$driver" "$renderer" "$case"
}

modprobe "$driver"
card=$("${0%/*}/mesa-card.sh" "$driver")
[ "$renderer" = virgl ] || export GALLIUM_DRIVER="$renderer"
for case in "$@"; do
	case $case in
	kmscube) run $case ;;
	kmscube-atomic) run $case -A ;;
	kmscube-texture) run $case -M rgba ;;
	kmscube-nv12) run $case -M nv12-1img ;;
	kmscube-nv12-planes) run $case -M nv12-2img ;;
	esac
done
