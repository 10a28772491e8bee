#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Let a task that says so run out of memory, with nothing in the log.
#
#   faults.sh           does nothing where the kernel has no fault injection
#
# A task says it with fail-nth or make-it-fail (Documentation/fault-injection in
# the kernel).  The unit tests do, each in its own thread.

# Tell failslab or fail_page_alloc ($1) to pass over what is allocated below any
# of these functions.  They stand next to each other in their file.
pass_over() {
	attr=$1
	shift
	[ -e "$attr/reject-start" ] || return 0
	# shellcheck disable=SC2046 # two words
	set -- $(awk -v names=" $* " '
		index(names, " " $3 " ") { inside = 1; if (!from) from = $1 }
		inside && !index(names, " " $3 " ") { inside = 0; to = $1 }
		END { print "0x" from, "0x" to }' /proc/kallsyms)
	[ "$1" != 0x ] || return 0
	echo "$1" > "$attr/reject-start"
	echo "$2" > "$attr/reject-end"
}

for what in failslab fail_page_alloc; do
	attr=/sys/kernel/debug/$what
	[ -d $attr ] || continue
	# first of all: nobody but such a task
	echo Y > $attr/task-filter
	echo 0 > $attr/verbose
	# allocations that may sleep as well, which is nearly all of them
	echo N > $attr/ignore-gfp-wait
	[ ! -e $attr/ignore-gfp-highmem ] || echo N > $attr/ignore-gfp-highmem
	[ ! -e $attr/min-order ] || echo 0 > $attr/min-order
	# with make-it-fail each one fails, for good
	echo 1 > $attr/interval
	echo 0 > $attr/space
	echo -1 > $attr/times
	echo 100 > $attr/probability
done

# what kmemleak notes down, and pages for slabs and for KASAN's notes: whoever
# allocates gets what he asked for without them, or tries again
pass_over /sys/kernel/debug/failslab __alloc_object mem_pool_alloc
pass_over /sys/kernel/debug/fail_page_alloc allocate_slab new_slab ___slab_alloc \
	kmem_cache_alloc_noprof __kmalloc_noprof kmem_cache_free kfree
