#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own self tests of this area, which nobody here wrote.
#
#   selftests.sh DIR        DIR holds what 'make kselftest install' left

dir=$1
here=$(dirname "$0")

kselftest() {
	name=${1##*/}
	echo "# Subtest: $name"
	"$dir/$1" 2>&1
	code=$?
	case $code in
	0) echo "ok 1 - $name exits 0" ;;
	4) echo "ok 1 - $name exits 0 # SKIP" ;;
	*) echo "not ok 1 - $name exits $code" ;;
	esac
}

modprobe vgem
# one of udmabuf's tests maps 2 GiB of huge pages
echo 1024 > /proc/sys/vm/nr_hugepages
kselftest dmabuf-heaps/dmabuf-heap
kselftest drivers/dma-buf/udmabuf
echo 0 > /proc/sys/vm/nr_hugepages
echo "# Subtest: dmabuf_selftests"
"$here/loadtests.sh" dma-buf dmabuf_selftests

# Last a test of sw_sync and sync_file, which are the kernel's, that takes and
# gives memory 65536 times: without kmemleak's notes it needs half the time.  The
# leaks of all others are looked for before.
"$here/leaks.sh"
leaks=/sys/kernel/debug/kmemleak
[ ! -e $leaks ] || echo off > $leaks
kselftest sync/sync_test
