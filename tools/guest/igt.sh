#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the igt-tests of the fast list on every device the guest has.
#
#   igt.sh BIN RESULTS KERNEL [OPTION ...]
#
# BIN holds the programs, RESULTS gets what they left, KERNEL is whose expectations count,
# options are the runner's.

top=$(cd "$(dirname "$0")/../.." && pwd)

bin=$1 results=$2 kernel=$3
shift 3
exec "$top/igt-tests/runner" --bin "$bin" --results "$results/igt" --kernel "$kernel" --ktap --multiple-mode \
	--load "vgem devices=2" --load "vkms enable_overlay=1" --load virtio_gpu \
	--load "vivid n_devs=3 allocators=0,1,0 multiplanar=1,1,2" --load vim2m "$@"
