#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Load each module of KUnit suites and print the results of the suites it brings.
#
#   kunit.sh 'MODULE [OPTION ...]' ...

results=/sys/kernel/debug/kunit

for module in "$@"; do
	before=$(ls $results)
	# shellcheck disable=SC2086 # options are words of their own
	if ! modprobe $module; then
		echo "not ok 1 - $module loads"
		continue
	fi
	found=
	for suite in $(ls $results); do
		case "
$before
" in *"
$suite
"*) continue ;; esac
		found=yes
		cat "$results/$suite/results"
	done
	[ -n "$found" ] || echo "not ok 1 - $module has a suite"
	modprobe -r "${module%% *}" || echo "not ok 1 - $module unloads"
done
