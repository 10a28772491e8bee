#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Load each module of KUnit suites and print the results of the suites it brings.
#
#   kunit.sh 'MODULE [OPTION ...] [only=SUITES.CASES]' ...
#
# SUITES and CASES are patterns, as KUnit's filter_glob takes them.
# A module with a slash in it is a file, others are those of the kernel's tree.

results=/sys/kernel/debug/kunit
filter=/sys/module/kunit/parameters/filter_glob
# what the kernel was booted with, if anything
everything=$(grep -v '(null)' $filter)

"$(dirname "$0")/faults.sh"

for module in "$@"; do
	load=modprobe
	case $module in
	*" only="*) printf %s "${module##* only=}" > $filter ;;
	*) printf %s "${everything:-*}" > $filter ;;
	esac
	module=${module%% only=*}
	name=${module%% *}
	case $name in */*)
		load=insmod
		name=$(basename "$name" .ko)
		;;
	esac
	before=" $(cd $results && echo *) "
	# shellcheck disable=SC2086 # options are words of their own
	if ! $load $module; then
		echo "not ok 1 - $name loads"
		continue
	fi
	# all at once, to start a process takes a debug kernel as long as a suite
	found=
	for suite in "$results"/*; do
		case $before in
		*" ${suite##*/} "*) ;;
		*) found="$found $suite/results" ;;
		esac
	done
	# shellcheck disable=SC2086 # a file each
	if [ -n "$found" ]; then
		cat $found
	else
		echo "not ok 1 - $name has a suite"
	fi
	# what a test has closed may be on its way
	tries=0
	while [ "$(cat "/sys/module/$name/refcnt" 2> /dev/null || echo 0)" != 0 ] && [ $tries -lt 300 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	modprobe -r "$name" 2> /dev/null || rmmod "$name" || echo "not ok 1 - $name unloads"
done
