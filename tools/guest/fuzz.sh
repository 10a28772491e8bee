#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Make a guest ready for the programs of tools/fuzz, and run one there.
#
#   fuzz.sh PROGRAM [ARGUMENT ...]

# virtio-gpu last: some steps know the others by their numbers
modprobe vgem devices=2 && modprobe vkms && modprobe vim2m && modprobe virtio_gpu || exit 1

# Where there is fault injection, a step may ask for it: also where sleeping is
# allowed, which is everywhere here, and without a page of log each time.
failslab=/sys/kernel/debug/failslab
if [ -d $failslab ]; then
	echo N > $failslab/ignore-gfp-wait
	echo 0 > $failslab/verbose
	# but not below this one: drm_minor_alloc_release(), which is stock's, then
	# puts an ERR_PTR
	awk '$3 == "drm_sysfs_minor_alloc" { print "0x" $1; getline; print "0x" $1 }' /proc/kallsyms | {
		read -r start && read -r end
		echo "$start" > $failslab/reject-start
		echo "$end" > $failslab/reject-end
	}
fi
# What hangs is a finding as well.
for setting in hung_task_panic softlockup_panic hardlockup_panic; do
	[ ! -e /proc/sys/kernel/$setting ] || echo 1 > /proc/sys/kernel/$setting
done
# A vCPU of a busy host stands still for longer than ten seconds at times.
[ ! -e /proc/sys/kernel/watchdog_thresh ] || echo 30 > /proc/sys/kernel/watchdog_thresh

exec "$@"
