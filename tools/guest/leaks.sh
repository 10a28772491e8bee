#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Ask kmemleak, where there is one, what the job left behind.  It reports only
# what two scans agree upon, and nothing younger than five seconds.

leaks=/sys/kernel/debug/kmemleak

[ -e $leaks ] || exit 0
sleep 6
echo scan > $leaks
echo scan > $leaks
if [ -s $leaks ] && grep -q . $leaks; then
	echo "not ok 1 - no leaks"
	sed 's/^/# /' $leaks
	exit 1
fi
echo "ok 1 - no leaks"
