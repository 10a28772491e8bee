#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Print whom a vgem that is not coherent has named since the last time, for access to its
# buffers outside of DMA_BUF_IOCTL_SYNC, in a line as tools/mesa/check reads it, if anybody.
#
#   mesa-named.sh DRIVER RENDERER CASE

since=/tmp/named

dmesg | sed -n 's/.*vgem[-0-9]*: \(.*\)\[[0-9]*\] \(reads\|writes\|ends\) .*DMA_BUF_IOCTL_SYNC.*/\1 \2/p' > $since.all
tail -n +$(($(cat $since 2> /dev/null || echo 0) + 1)) $since.all | sort -u > $since.new
wc -l < $since.all > $since
[ ! -s $since.new ] || printf 'named\t%s\t%s\t%s\t%s\n' "$@" "$(paste -s -d , $since.new)"
