#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Print KTAP: has the kernel said this?  A test that provokes a warning cannot see
# whether there was one.
#
#   told.sh TEXT

if dmesg | grep -q "$1"; then
	echo "ok 1 - the kernel's log has: $1"
else
	echo "not ok 1 - the kernel's log has: $1"
fi
