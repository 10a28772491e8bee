#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The guest's half of tools/scanout/run: job.sh BIN CASES

modprobe vgem
modprobe vkms
modprobe virtio_gpu

if [ "$2" = exporters ]; then
	# cameras only; the second has memory in one piece
	modprobe vivid n_devs=2 node_types=0x1,0x1 allocators=0,1 || exit 1
	strict=/sys/kernel/config/vgem/strict
	mkdir $strict && echo segments=1 > $strict/constraints && echo 1 > $strict/enable || exit 1
	STRICT=/dev/dri/$(cat $strict/card)
	export STRICT
fi

guest=$(dirname "$0")/../guest
. "$guest/port.sh"
port=$(port_of prime.scanout) || exit 1
"$1" "$port" "$2" || exit 1
# nothing of the buffers has stayed behind
modprobe -r virtio_gpu || exit 1
exec "$guest/leaks.sh"
