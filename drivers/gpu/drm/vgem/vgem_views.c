// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: two views of a buffer
 *
 * A CPU whose caches a device does not snoop has its own idea of what memory
 * contains. What it has read once it does not read again, and what it has written
 * stays with it, until it is told otherwise. Whoever forgets to tell it has a
 * program that works on a PC, and shows old pixels, now and then, on the machine of
 * somebody else.
 *
 * Here the cache is as large as the buffer, and evicts nothing by itself, so that
 * old pixels show every time. The device's view are the pages of &struct
 * drm_gem_storage. The CPU's view are other pages, as many, and the two become
 * equal in the brackets of dma_buf_begin_cpu_access() and dma_buf_end_cpu_access()
 * only, as far as their direction asks for it:
 *
 * ========================  ===================================================
 * begin, to read            the CPU sees what the device has
 * begin, to write           what the device has is fetched, and seen in the pages
 *                           that are then written to, as a cache fetches a line
 *                           before its first byte is changed
 * begin, for both           as to read
 * end, to read              nothing
 * end, to write, or both    the device gets the bytes that the CPU has changed
 * write outside             the device gets it when somebody else's bracket for
 *                           writing ends. If one for reading begins before, the
 *                           CPU has lost it, as by invalidating a cache.
 * ========================  ===================================================
 *
 * No program that keeps to the rules is told apart from one on a coherent device.
 * That is why single bytes are flushed, and not pages: what a device, or the bracket
 * of another, writes beside what the CPU writes must not be undone. A byte
 * counts as changed if it is not what was fetched; if the CPU writes what the device
 * had anyway, there is nothing to flush.
 *
 * Brackets nest and overlap, for they are those of several processes, with one CPU's
 * view for all. What somebody writes in a bracket that is still open survives when
 * another's begins; of the same page only what the device has changed is seen. The
 * first of them that ends flushes for all.
 *
 * A cache of lines can be seen to write back, or to read, what nobody asked for.
 * This one does neither, so the right picture is no proof that a program is right on
 * all machines, but that it has brackets where it needs them.
 *
 * Locking: see struct vgem_views.
 */

#include <linux/bitmap.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "vgem_coherence.h"

/* Bytes that are compared in one go. */
#define CHUNK 64

/**
 * vgem_views_init - views of a buffer that nobody has looked at
 * @views: filled in
 * @count: pages of the buffer
 */
void vgem_views_init(struct vgem_views *views, unsigned long count)
{
	mutex_init(&views->lock);
	views->count = count;
}

/**
 * vgem_views_fini - give back what the views have
 * @views: of vgem_views_init(), which nobody has mapped
 */
void vgem_views_fini(struct vgem_views *views)
{
	vfree(views->cpu);
	bitmap_free(views->written);
	mutex_destroy(&views->lock);
}

/**
 * vgem_views_alloc_locked - have pages for the CPU
 * @views: the views
 *
 * They are zero, as the buffer was at first, and stay until the buffer is freed:
 * they cannot be made again of what the device has, since the CPU may not know that
 * yet. Charged to the caller's control group.
 *
 * Return: 0 or -ENOMEM.
 */
int vgem_views_alloc_locked(struct vgem_views *views)
{
	/* rather an errno for one client than the end of another */
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN |
			  __GFP_RETRY_MAYFAIL | __GFP_ZERO;
	size_t size = array_size(views->count, PAGE_SIZE);
	unsigned long *written;
	u8 *cpu;

	lockdep_assert_held(&views->lock);

	if (views->cpu)
		return 0;

	cpu = __vmalloc(array_size(2, size), gfp);
	if (!cpu)
		return -ENOMEM;
	written = bitmap_zalloc(views->count, gfp);
	if (!written) {
		vfree(cpu);
		return -ENOMEM;
	}
	views->cpu = cpu;
	views->fetched = cpu + size;
	views->written = written;

	return 0;
}

/**
 * vgem_views_write_page_locked - the CPU is about to write to a page
 * @views: the views, allocated
 * @page: which
 *
 * To be called before the first write after the processes' mappings were made
 * read-only, for what is written afterwards cannot be told from what was there.
 */
void vgem_views_write_page_locked(struct vgem_views *views, unsigned long page)
{
	unsigned long offset = page << PAGE_SHIFT;

	lockdep_assert_held(&views->lock);

	if (__test_and_set_bit(page, views->written))
		return;

	if (views->writers)
		memcpy(views->cpu + offset, views->fetched + offset, PAGE_SIZE);
	else
		memcpy(views->fetched + offset, views->cpu + offset, PAGE_SIZE);
}

/**
 * vgem_views_forget_locked - no page was written to
 * @views: the views; all mappings into processes are read-only, or have no entries
 *
 * What was not flushed is lost to the device, and to the CPU as soon as it fetches.
 */
void vgem_views_forget_locked(struct vgem_views *views)
{
	lockdep_assert_held(&views->lock);

	if (views->written)
		bitmap_zero(views->written, views->count);
}

/* A page that the CPU writes to: what it has not changed follows the device. */
static void fetch_beside(u8 *cpu, u8 *fetched, const u8 *device)
{
	unsigned int i, chunk;

	for (chunk = 0; chunk < PAGE_SIZE; chunk += CHUNK) {
		if (!memcmp(fetched + chunk, device + chunk, CHUNK))
			continue;
		for (i = chunk; i < chunk + CHUNK; i++) {
			if (fetched[i] == device[i])
				continue;
			if (READ_ONCE(cpu[i]) == fetched[i])
				WRITE_ONCE(cpu[i], device[i]);
			fetched[i] = device[i];
		}
	}
}

/**
 * vgem_views_fetch_locked - a bracket begins
 * @views: the views, allocated
 * @device: what the device has
 * @read: whether the CPU is to see that at once, also in the pages that it has not
 *	  written to
 */
void vgem_views_fetch_locked(struct vgem_views *views, const u8 *device,
			     bool read)
{
	u8 *cpu = views->cpu, *fetched = views->fetched;
	unsigned long page;

	lockdep_assert_held(&views->lock);

	for (page = 0; page < views->count; page++) {
		if (!test_bit(page, views->written)) {
			memcpy(fetched, device, PAGE_SIZE);
			if (read)
				memcpy(cpu, device, PAGE_SIZE);
		} else {
			fetch_beside(cpu, fetched, device);
		}
		cpu += PAGE_SIZE;
		fetched += PAGE_SIZE;
		device += PAGE_SIZE;
		cond_resched();
	}
}

static void flush_page(const u8 *cpu, u8 *fetched, u8 *device)
{
	unsigned int i, chunk;
	u8 byte;

	for (chunk = 0; chunk < PAGE_SIZE; chunk += CHUNK) {
		if (!memcmp(cpu + chunk, fetched + chunk, CHUNK))
			continue;
		for (i = chunk; i < chunk + CHUNK; i++) {
			/* once: others may still be writing */
			byte = READ_ONCE(cpu[i]);
			if (byte == fetched[i])
				continue;
			WRITE_ONCE(device[i], byte);
			fetched[i] = byte;
		}
	}
}

/**
 * vgem_views_flush_locked - a bracket for writing ends
 * @views: the views, allocated
 * @device: gets what the CPU has changed
 *
 * Pages that were written to stay such, see vgem_views_forget_locked().
 */
void vgem_views_flush_locked(struct vgem_views *views, u8 *device)
{
	unsigned long page, offset;

	lockdep_assert_held(&views->lock);

	for_each_set_bit(page, views->written, views->count) {
		offset = page << PAGE_SHIFT;
		flush_page(views->cpu + offset, views->fetched + offset,
			   device + offset);
		cond_resched();
	}
}
