#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A module that tests when it is loaded, and tells the kernel log about it: load
# it, and print what it told as KTAP, a line for each test.
#
#   loadtests.sh PREFIX MODULE [OPTION ...]
#
# The log has 'PREFIX: Running SUITE/TEST' for each test, and for one that failed
# 'PREFIX/SUITE: TEST failed with error N'.

prefix=$1
module=$2
shift

before=$(dmesg | wc -l)
modprobe "$@"
loaded=$?
dmesg | tail -n +$((before + 1)) | awk -v prefix="$prefix" -v module="$module" -v loaded=$loaded '
	{ sub(/^\[[^]]*\] */, "") }
	index($0, prefix ": Running ") == 1 {
		name = substr($0, length(prefix) + 11)
		if (index(name, "/"))
			tests[++count] = name
	}
	index($0, prefix "/") == 1 && / failed / {
		split(substr($0, length(prefix) + 2), words, /: /)
		test = words[2]
		sub(/^setup failed for /, "", test)
		sub(/ failed.*/, "", test)
		name = words[1] "/" test
		failed[name] = 1
		if (tests[count] != name)	# it got no further than its setup
			tests[++count] = name
	}
	END {
		for (i = 1; i <= count; i++)
			print (tests[i] in failed ? "not ok " : "ok ") i " - " tests[i]
		print (loaded == 0 ? "ok " : "not ok ") count + 1 " - " module "/loads"
		print (count ? "ok " : "not ok ") count + 2 " - " module "/runs tests"
	}'
[ $loaded != 0 ] || modprobe -r "$module"
