#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Make the first and only vgem one that is not coherent: the CPU sees what devices have
# written to its buffers, and they what the CPU has, when DMA_BUF_IOCTL_SYNC says so.

folder=/sys/kernel/config/vgem/mesa

modprobe vgem devices=0
mkdir $folder && echo 1 > $folder/noncoherent && echo 1 > $folder/enable
