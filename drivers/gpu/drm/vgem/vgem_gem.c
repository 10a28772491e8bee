// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgem buffers
 *
 * A vgem buffer is written by the CPU of one process and read by the device,
 * or the CPU, of another. Write-combined pages make every read slow, and where
 * page attributes live in the kernel's own page table, as on x86, each page
 * has to be switched to them and back again.
 *
 * Nobody gains by that where devices snoop the CPU's caches. So pages are
 * cacheable there, and write-combined only where the platform says that the
 * device is not coherent: the two ioctls of vgem do not include one to flush
 * a cache, and a client that maps through vgem has nothing else to ask.
 *
 * The question is asked of vgem's own device. An importer that does not snoop
 * on a platform that otherwise does, such as an Intel GPU without a cache
 * shared with the CPU, has to flush for itself what the CPU wrote after the
 * import; mainline's write-combined pages spared it that.
 *
 * All the rest is that of &struct drm_gem_storage: no page is taken before the
 * first use, then those that suit all devices that are attached, and they move
 * if a stricter device comes. It also frees what is allocated here.
 *
 * A device that is made to be not coherent has more of a buffer, see
 * vgem_coherence.c.
 */

#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/slab.h>

#include <drm/drm_gem_storage.h>

#include "vgem_coherence.h"
#include "vgem_drv.h"

static struct drm_gem_object *coherent_create_object(void)
{
	struct drm_gem_storage *storage;

	storage = kzalloc(sizeof(*storage), GFP_KERNEL);

	return storage ? &storage->base : ERR_PTR(-ENOMEM);
}

/**
 * vgem_gem_create_object - allocate the object for a new or an imported buffer
 * @drm: the device that the buffer belongs to
 * @size: bytes in the buffer, whole pages; the caller initialises the object
 *
 * Context: Process context, may sleep.
 * Return: an object that only its caching is set of, or -ENOMEM.
 */
struct drm_gem_object *vgem_gem_create_object(struct drm_device *drm,
					      size_t size)
{
	struct drm_gem_object *obj;

	if (drm_to_vgem(drm)->config.noncoherent)
		obj = vgem_noncoherent_create_object(size);
	else
		obj = coherent_create_object();
	if (IS_ERR(obj))
		return obj;

	to_drm_gem_storage(obj)->map_wc = !dev_is_dma_coherent(drm->dev);
	return obj;
}
