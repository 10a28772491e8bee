#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Print KTAP: what do the tracepoints print?  The unit tests see what each is called
# with; here they run once more, with the events on, and the lines are read from
# tracefs.  A kernel without tracing has none, and nothing to answer for.
#
#   traced.sh

here=$(dirname "$0")
tracing=/sys/kernel/tracing
lines=/tmp/traced.$$

[ -d $tracing/events ] || mount -t tracefs none $tracing 2> /dev/null || exit 0
# the kernel forgets all lines when a module with events goes, so somebody has to use it
filter=/sys/module/kunit/parameters/filter_glob
everything=$(grep -v '(null)' $filter)
printf none > $filter
modprobe vgem
for group in dma_buf drm_gem_storage; do
	if ! echo 1 > $tracing/events/$group/enable; then
		echo "not ok 1 - events/$group can be enabled"
		exit 1
	fi
done
echo > $tracing/trace
"$here/kunit.sh" 'dma_buf_kunit only=dma_buf_trace.*' \
	'drm_gem_storage_kunit only=drm_gem_storage_trace.*'
for group in dma_buf drm_gem_storage; do
	echo 0 > $tracing/events/$group/enable
done
sed -n 's/^.*: \(\(dma_buf\|drm_gem_storage\)_[a-z_]*: \)/\1/p' $tracing/trace > $lines
modprobe -r vgem
printf %s "${everything:-*}" > $filter

# NAME NUMBER-OF-LINES-AT-LEAST PATTERN: the event is there, and every line is like that
like() {
	all=$(grep -c "^$1: " $lines)
	good=$(grep -cE "^$1: $3\$" $lines)
	if [ "$all" -lt "$2" ] || [ "$all" != "$good" ]; then
		grep "^$1: " $lines | grep -vE "^$1: $3\$" | head -3 | sed 's/^/# /'
		echo "not ok 1 - $1 is printed, $good of $all lines as they should be"
	else
		echo "ok 1 - $1 is printed"
	fi
}

# NAME FIELDS: one line has just these
has() {
	if grep -qE "^$1: $2\$" $lines; then
		echo "ok 1 - $1 tells $2"
	else
		grep "^$1: " $lines | head -3 | sed 's/^/# /'
		echo "not ok 1 - $1 tells $2"
	fi
}

ino='ino=[1-9][0-9]*'
dev='dev=[^ ]+'
kind='(none|shmem|masked|contiguous)'
needs='mask=0x[0-9a-f]+ boundary=0x[0-9a-f]+ segment-size=[0-9]+ align=[0-9]+ segments=[0-9]+ domains=0x[0-3]'
object="$dev object=[0-9a-f]+ offset=0x[0-9a-f]+ size=[0-9]+ from=$kind to=$kind"

like dma_buf_export 8 "$ino size=[0-9]+ exporter=[^ ]+"
like dma_buf_fd 1 "$ino fd=[0-9]+"
like dma_buf_get 1 "$ino fd=[0-9]+"
like dma_buf_put 8 "$ino size=[0-9]+ exporter=[^ ]+"
like dma_buf_attach 4 "$ino $dev dynamic=[01] peer2peer=[01]"
like dma_buf_detach 4 "$ino $dev dynamic=[01] peer2peer=[01]"
like dma_buf_map 2 "$ino $dev dir=(to|both) nents=[1-9][0-9]* mapped=[1-9][0-9]*"
like dma_buf_unmap 2 "$ino $dev dir=(to|both) nents=[1-9][0-9]* mapped=[1-9][0-9]*"
like dma_buf_pin 2 "$ino $dev pins=[0-9]+"
like dma_buf_constrain 3 "$ino $dev $needs ret=-?[0-9]+"
like dma_buf_refuse 2 "$ino $dev demand=[a-z ]+ entry=[0-9]+ address=0x[0-9a-f]+ length=[0-9]+"
like dma_buf_mmap 2 "$ino pgoff=[0-9]+ pages=[1-9][0-9]*"
like dma_buf_cpu_access 3 "$ino (begin|end) dir=to"
like dma_buf_move 2 "$ino count=[0-9]+"
like dma_buf_revoke 2 "$ino count=[0-9]+"
like drm_gem_storage_choose 2 "$object ret=0"
like drm_gem_storage_move 3 "$object ret=(0|-16)"
like drm_gem_storage_relax 1 "$object ret=0"

# the values are those of the test cases
has dma_buf_attach "$ino dev=trace_of_a_device[^ ]* dynamic=0 peer2peer=0"
has dma_buf_attach "$ino dev=trace_of_moves[^ ]* dynamic=1 peer2peer=0"
has dma_buf_map "$ino dev=trace_of_a_device[^ ]* dir=to nents=[1-4] mapped=2"
has dma_buf_constrain "$ino dev=trace_of_decisions[^ ]* mask=0xffffffffffffffff boundary=0xffffffffffffffff segment-size=18446744073709551615 align=1 segments=5 domains=0x1 ret=0"
has dma_buf_refuse "$ino dev=trace_of_a_refused_copy[^ ]* demand=copy entry=0 .*"
has dma_buf_mmap "$ino pgoff=1 pages=2"
has drm_gem_storage_move "dev=decisions_are_told[^ ]* object=[0-9a-f]+ offset=0x[0-9a-f]+ size=2162688 from=shmem to=contiguous ret=-16"

# one number names a buffer in all events
strangers=$(sed -n 's/^dma_buf_[a-z_]*: \(ino=[0-9]*\) .*/\1/p' $lines | sort -u > $lines.all
	sed -n 's/^dma_buf_export: \(ino=[0-9]*\) .*/\1/p' $lines | sort -u | comm -23 $lines.all -)
if [ -z "$strangers" ]; then
	echo "ok 1 - each buffer of an event was exported"
else
	echo "not ok 1 - each buffer of an event was exported, but not: $strangers"
fi
rm -f $lines $lines.all
