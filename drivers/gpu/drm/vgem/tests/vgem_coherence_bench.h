/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VGEM_COHERENCE_BENCH_H
#define VGEM_COHERENCE_BENCH_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct dma_buf;
struct drm_device;
struct drm_gem_object;
struct kunit;
struct vgem_device;
struct vgem_noncoherent;

#define VGEM_TEST_PAGES 8
#define VGEM_TEST_SIZE	(VGEM_TEST_PAGES * PAGE_SIZE)

/**
 * struct vgem_test_views - a buffer that is not coherent, with everybody at it
 * @maker: the device that has it
 * @drm: the same, with a reference
 * @buffer: its object
 * @dmabuf: exported
 * @importer: another device
 * @imported: the object of that, or NULL
 * @map: where the test's process has the buffer, or 0; goes with the process
 */
struct vgem_test_views {
	struct vgem_device *maker;
	struct drm_device *drm;
	struct vgem_noncoherent *buffer;
	struct dma_buf *dmabuf;
	struct drm_device *importer;
	struct drm_gem_object *imported;
	unsigned long map;
};

int vgem_test_views_init(struct kunit *test);
void vgem_test_views_exit(struct kunit *test);
void vgem_test_make_buffer(struct kunit *test, size_t size);
void vgem_test_drop_buffer(struct kunit *test);
void vgem_test_import(struct kunit *test);
void vgem_test_map(struct kunit *test);

u8 vgem_test_device_reads(struct kunit *test, unsigned long offset);
void vgem_test_device_writes(struct kunit *test, unsigned long offset, u8 byte);
u8 vgem_test_cpu_reads(struct kunit *test, unsigned long offset);
void vgem_test_cpu_writes(struct kunit *test, unsigned long offset, u8 byte);
void vgem_test_begin(struct kunit *test, enum dma_data_direction dir);
void vgem_test_end(struct kunit *test, enum dma_data_direction dir);

#endif
