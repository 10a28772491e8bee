#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Races: the kernel's own threads against each other, then processes.
#
#   stress.sh BIN SECONDS SEED ROUNDS
#
# ROUNDS are of the unit tests, SECONDS of the program, and SEED is the first of
# its rounds.  With kunit.filter_glob=*race* the modules bring only those suites.

here=$(dirname "$0")
kcsan=/sys/kernel/debug/kcsan

"$here/kunit.sh" "dma_buf_kunit race_rounds=$4" drm_prime_kunit drm_gem_storage_kunit vgem

modprobe vgem devices=2
modprobe vkms
# what this one imports moves
strict=/sys/kernel/config/vgem/strict
mkdir $strict
echo segments=1 > $strict/constraints
echo 1 > $strict/enable
if "$1/dmabuf_stress" --run-subtest everything --seconds "$2" --seed "$3" --hang 120; then
	echo "ok 1 - stress"
else
	echo "not ok 1 - stress"
fi
rmdir $strict
# what is left in use would show here
for module in vkms vgem; do
	if modprobe -r $module; then
		echo "ok 1 - $module unloads"
	else
		echo "not ok 1 - $module unloads"
	fi
done

[ ! -e $kcsan ] || cat $kcsan > "$VM_SHARE/kcsan"
