#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job as a test: every hop of both frames, and both pictures.
#
#   journey.sh BIN RESULTS

modprobe vgem devices=2
modprobe vkms
modprobe virtio_gpu
if "$1/journey" "$2"; then
	echo "ok 1 - journey"
else
	echo "not ok 1 - journey"
fi
for frame in frame-1.png frame-2.png; do
	if [ -s "$2/$frame" ]; then
		echo "ok 1 - $frame"
	else
		echo "not ok 1 - $frame"
	fi
done
