#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Switch faults on, one after the other, each for the tests that come to its place.
#
#   mutants.sh igt|unit|leaks LISTS FAULT ...
#
# LISTS has a file for each fault with its tests, or its modules of unit tests, a line
# each.  Tests run until one fails; that one runs again without the fault, and if it
# still fails the guest is of no use to others, and all ends.

here=$(dirname "$0")
top=$(cd "$here/../.." && pwd)
switch=/sys/module/prime_mutants/parameters/on
told=/tmp/told

tests_igt() {
	"$top/igt-tests/runner" --bin "$top/build/igt" --kernel ours --testlist "$1" --timeout 40 --fail-fast
}

tests_unit() {
	while read -r module; do
		echo "# module: $module"
		"$here/kunit.sh" "$module" > /tmp/suites < /dev/null
		cat /tmp/suites
		if grep -q '^ *not ok' /tmp/suites; then
			echo "FAIL $module"
			break
		fi
	done < "$1"
}

# All of them, and then kmemleak is asked.
tests_leaks() {
	tests_igt "$1"
	"$here/leaks.sh" > /tmp/leaks || echo "FAIL leaks"
	cat /tmp/leaks
	# what it has told is not told again
	echo clear > /sys/kernel/debug/kmemleak
}

kind=$1 lists=$2
shift 2
if [ "$kind" = leaks ]; then
	echo scan=off > /sys/kernel/debug/kmemleak
	"$here/leaks.sh" > /dev/null
	echo clear > /sys/kernel/debug/kmemleak
fi
for fault in "$@"; do
	echo "$fault" > $switch || exit 1
	echo "# on: $fault"
	tests_"$kind" "$lists/$fault" | tee $told
	echo none > $switch
	echo "# off: $fault"
	# a test's name without the devices it was for
	sed -n 's/^FAIL \([^@ ]*\(@[^@ ]*\)\{0,2\}\).*/\1/p' $told | head -n 1 > /tmp/failed
	if [ -s /tmp/failed ]; then
		[ "$kind" != leaks ] || cp "$lists/$fault" /tmp/failed
		tests_"$kind" /tmp/failed > $told
		if grep -q ^FAIL $told; then
			echo "# spoiled: $fault"
			exit 0
		fi
		echo "# well again: $fault"
	fi
done
