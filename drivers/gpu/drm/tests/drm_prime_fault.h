/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DRM_PRIME_FAULT_H
#define DRM_PRIME_FAULT_H

#include <linux/iosys-map.h>
#include <linux/types.h>

#include <kunit/test.h>

#include "../../../dma-buf/tests/dma_buf_fault.h"

struct dma_buf;
struct dma_buf_attachment;
struct drm_file;
struct drm_gem_object;
struct page;
struct prime_mock_duo;
struct sg_table;

/* Entries of a scatter list beyond one page of them. */
#define PRIME_FAULT_ORDER 8
#define PRIME_FAULT_PAGES BIT(PRIME_FAULT_ORDER)

/**
 * struct prime_fault - what an attempt works on
 * @duo: two devices with an open file each
 * @again: a second file of the exporter
 * @obj: an object of the exporter
 * @handle: its handle in the exporter's file
 * @fd: its dma-buf as file descriptor, where it is exported beforehand
 * @dma_buf: its dma-buf, likewise
 * @attach: an attachment of the importer's device, likewise
 * @made: what the attempt has made, one of the following likewise
 * @made_handle: a handle
 * @made_fd: a file descriptor
 * @sgt: a table
 * @map: a kernel mapping
 * @addr: a user mapping
 * @block: pages for scatter lists
 * @pages: the same, so that no two can be joined
 */
struct prime_fault {
	struct prime_mock_duo *duo;
	struct drm_file *again;
	struct drm_gem_object *obj;
	u32 handle;
	int fd;
	struct dma_buf *dma_buf;
	struct dma_buf_attachment *attach;
	void *made;
	u32 made_handle;
	int made_fd;
	struct sg_table *sgt;
	struct iosys_map map;
	unsigned long addr;
	struct page *block;
	struct page *pages[PRIME_FAULT_PAGES];
};

int prime_fault_init(struct kunit *test);
void prime_fault_exit(struct kunit *test);

/* Steps: an object that was never exported, one that is, and what is left of neither. */
void prime_fault_object(struct kunit *test);
void prime_fault_object_finish(struct kunit *test);
void prime_fault_buffer(struct kunit *test);
void prime_fault_buffer_finish(struct kunit *test);
/* As if nobody had ever tried to export, or to import or attach. */
void prime_fault_unexported(struct kunit *test);
void prime_fault_unimported(struct kunit *test);

/* drm_gem_prime_handle_to_fd() of the object, the result in made_fd. */
int prime_fault_to_fd(struct kunit *test);

/* An operation on an object that is exported. */
#define PRIME_FAULT_BUFFER_OP(_name, _run, _good, _least)                  \
	{                                                                  \
		.name = _name, .prepare = prime_fault_buffer, .run = _run, \
		.good = _good, .refused = prime_fault_unimported,          \
		.finish = prime_fault_buffer_finish, .least = _least       \
	}

#endif
