#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What user space sees of this kernel, a line a behaviour.
#
#   parity.sh BIN OUT          keep the lines in OUT
#   parity.sh BIN OUT TABLE    then print KTAP: are they ours of the table?

top=$(cd "$(dirname "$0")/../.." && pwd)

modprobe vgem
modprobe vkms
modprobe virtio_gpu
modprobe vivid n_devs=1 node_types=0x1
modprobe vim2m

timed=
[ $# -lt 3 ] || timed=--untimed
"$1" $timed > "$2"
code=$?
[ $# -gt 2 ] || exit $code
if [ $code = 0 ]; then
	echo "ok 1 - every group runs to its end"
else
	echo "not ok 1 - every group runs to its end"
fi
exec "$top/tools/parity/run" check --lines "$2" --table "$3"
