#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# i915's mock selftests, which need no hardware; the kernel is one with
# i915.config.  The seed is fixed, so that two kernels do the same.

exec "$(dirname "$0")/loadtests.sh" i915 i915 mock_selftests=-1 st_random_seed=1
