/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VGEM_DEVICE_TEST_H
#define VGEM_DEVICE_TEST_H

struct kunit;
struct vgem_device;
struct vgem_device_config;

struct vgem_device *vgem_test_create(struct kunit *test,
				     const struct vgem_device_config *config);
void vgem_test_remove(struct kunit *test, struct vgem_device *vgem);

#endif
