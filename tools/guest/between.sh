#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Between two suites of one guest: the next one loads the drivers it wants, as it
# wants them, and their unit tests do not run with it.

modprobe -qr vgem vkms vivid vim2m virtio_gpu
filter=/sys/module/kunit/parameters/filter_glob
[ ! -w $filter ] || printf %s none > $filter
