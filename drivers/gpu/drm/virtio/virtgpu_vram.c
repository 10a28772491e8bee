// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu memory of the host
 *
 * Some buffers are in memory that the host's GPU has allocated. The guest's CPU
 * sees them in a window, a region of the device's address space in which the
 * host maps what the guest asks for. Where in the window, the guest decides; how
 * the CPU may cache it, the host does, with its answer.
 *
 * A buffer gets its place when it is made, and the mapping of a process waits
 * for the host's answer until a signal comes. Pages are entered when they are
 * touched: a device that is gone has none, and drm_dev_unplug() takes back what it had
 * given, in mappings of dma-bufs, too. What is touched after that gives SIGBUS. So it is
 * with what a process has written to its own pages in a private mapping, which gets a
 * copy of a page of the window with the first write to it.
 *
 * Lifetime: the place is free when the host has answered that the resource is
 * gone, and no earlier, for until then the host's memory is there.
 *
 * Locking: &vgpu_device.window_lock guards the places. The rest of an object is
 * complete before it is published.
 */

#include <linux/align.h>
#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pfn_t.h>
#include <linux/slab.h>
#include <linux/virtio.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_mm.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>
#include <drm/virtgpu_drm.h>

#include "virtgpu_drv.h"
#include "virtgpu_export.h"
#include "virtgpu_gem.h"
#include "virtgpu_object.h"
#include "virtgpu_resp.h"
#include "virtgpu_vram.h"

/**
 * vgpu_vram_init_window - have a window to memory of the host
 * @vgpu: a device whose &vgpu_device.window is known; without places in use
 *
 * Places are counted by address, as those who read debugfs know them from the original
 * driver. The host is told of offsets, which have to be multiples of something.
 *
 * Return: whether there is one: not where the window itself lies at no such multiple.
 */
bool vgpu_vram_init_window(struct vgpu_device *vgpu)
{
	const struct virtio_shm_region *window = &vgpu->window;

	vgpu->has_window = IS_ALIGNED(window->addr, vgpu->blob_alignment);
	if (vgpu->has_window)
		drm_mm_init(&vgpu->window_mm, window->addr, window->len);
	return vgpu->has_window;
}

/**
 * vgpu_vram_print_window - tell which parts of the window are in use
 * @vgpu: a device that has a window
 * @p: where to
 */
void vgpu_vram_print_window(struct vgpu_device *vgpu, struct drm_printer *p)
{
	guard(mutex)(&vgpu->window_lock);
	drm_mm_print(&vgpu->window_mm, p);
}

/*
 * A private mapping has pages of the process beside those of the window, which mappings
 * of addresses alone must not have.
 */
static vm_fault_t enter_page(struct vm_fault *vmf, unsigned long pfn)
{
	if (is_cow_mapping(vmf->vma->vm_flags))
		return vmf_insert_mixed(vmf->vma, vmf->address,
					__pfn_to_pfn_t(pfn, PFN_DEV));
	return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
}

static vm_fault_t vram_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct vgpu_object *vobj = to_vgpu_object(obj);
	unsigned long first = drm_vma_node_start(&obj->vma_node);
	unsigned long index = vmf->pgoff - first;
	vm_fault_t ret;
	int idx;

	if (vmf->pgoff < first || index >= obj->size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	if (!drm_dev_enter(obj->dev, &idx))
		return VM_FAULT_SIGBUS;

	ret = enter_page(vmf, PHYS_PFN(vobj->window.start) + index);
	drm_dev_exit(idx);

	return ret;
}

static const struct vm_operations_struct vram_vm_ops = {
	.fault = vram_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

/* Whether the host has put it into the window, and how the CPU is to look at it. */
static int window_state(struct vgpu_object *vobj, u32 *caching)
{
	int ret;

	if (!vobj->map_cmd || vobj->lost)
		return -EINVAL;

	ret = vgpu_cmd_wait(vobj->map_cmd);
	if (ret == -ERESTARTSYS)
		return ret;
	if (!ret)
		ret = vgpu_resp_map_info(vobj->map_cmd->resp,
					 vobj->map_cmd->resp_len, caching);
	return ret ? -EINVAL : 0;
}

static int vram_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct vgpu_object *vobj = to_vgpu_object(obj);
	pgprot_t prot;
	u32 caching;
	int ret;

	ret = window_state(vobj, &caching);
	if (ret)
		return ret;

	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_IO);
	vm_flags_set(vma, is_cow_mapping(vma->vm_flags) ? VM_MIXEDMAP :
							  VM_PFNMAP);
	prot = pgprot_decrypted(vm_get_page_prot(vma->vm_flags));
	if (caching == VIRTIO_GPU_MAP_CACHE_WC)
		prot = pgprot_writecombine(prot);
	else if (caching == VIRTIO_GPU_MAP_CACHE_UNCACHED)
		prot = pgprot_noncached(prot);
	vma->vm_page_prot = prot;

	return 0;
}

static const struct drm_gem_object_funcs vram_funcs = {
	.free = vgpu_object_free,
	.open = vgpu_gem_open,
	.close = vgpu_gem_close,
	.export = vgpu_prime_export,
	.mmap = vram_mmap,
	.vm_ops = &vram_vm_ops,
};

static void window_put(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	guard(mutex)(&vgpu->window_lock);
	if (drm_mm_node_allocated(&vobj->window))
		drm_mm_remove_node(&vobj->window);
}

/* Ask the host to have its memory appear in the window. */
static int vram_map(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	struct vgpu_cmd *cmd;
	int ret;

	if (!vgpu->has_window)
		return -EINVAL;

	scoped_guard(mutex, &vgpu->window_lock)
		ret = drm_mm_insert_node_generic(&vgpu->window_mm,
						 &vobj->window,
						 vobj->storage.base.size,
						 vgpu->blob_alignment, 0,
						 DRM_MM_INSERT_BEST);
	if (ret)
		return ret;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;
	ret = vgpu_cmd_expect(cmd, VIRTIO_GPU_RESP_OK_MAP_INFO,
			      sizeof(struct virtio_gpu_resp_map_info));
	if (ret) {
		vgpu_cmd_put(cmd);
		return ret;
	}

	vgpu_req_map_blob(&cmd->req, vobj->res.id,
			  vobj->window.start - vgpu->window.addr);
	vgpu_queue_send(&vgpu->ctrl, cmd);
	vobj->map_cmd = cmd;
	return 0;
}

static int vram_make(struct vgpu_device *vgpu, struct vgpu_object *vobj)
{
	struct vgpu_res *res = &vobj->res;
	struct vgpu_cmd *cmd;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return -ENOMEM;

	vgpu_req_create_blob(&cmd->req, res->id, &res->blob, 0);
	vgpu_queue_send(&vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);
	res->created = true;
	/* it never has memory of the guest */
	res->attached = true;

	if (!(res->blob.flags & VIRTGPU_BLOB_FLAG_USE_MAPPABLE))
		return 0;
	return vram_map(vgpu, vobj);
}

/**
 * vgpu_vram_create - make a buffer in memory of the host
 * @vgpu: the device
 * @blob: what from
 *
 * Return: an object that nobody knows of, or an error pointer:
 *
 *	* -EINVAL: its size is no size here, or it is to be mapped and there is no
 *	  window
 *	* -ENOSPC: its size is 0, or the window or the range of offsets has no room
 *	  for it
 *	* -ENOMEM: out of memory
 */
struct vgpu_object *vgpu_vram_create(struct vgpu_device *vgpu,
				     const struct vgpu_blob *blob)
{
	struct drm_gem_object *obj;
	struct vgpu_object *vobj;
	int ret;

	if (overflows_type(PAGE_ALIGN(blob->size), size_t))
		return ERR_PTR(-EINVAL);

	vobj = kzalloc(sizeof(*vobj), GFP_KERNEL);
	if (!vobj)
		return ERR_PTR(-ENOMEM);

	vgpu_object_init(vobj);
	obj = &vobj->storage.base;
	obj->funcs = &vram_funcs;
	drm_gem_private_object_init(vgpu->drm, obj, PAGE_ALIGN(blob->size));
	vobj->host_blob = true;
	vobj->res.kind = VGPU_RES_BLOB;
	vobj->res.blob = *blob;
	vobj->res.blob.size = obj->size;

	ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		ret = vgpu_res_init(vgpu, &vobj->res);
	if (!ret)
		ret = vram_make(vgpu, vobj);
	if (ret) {
		drm_gem_object_put(obj);
		return ERR_PTR(ret);
	}

	return vobj;
}

/**
 * vgpu_vram_unmap - have the host's memory leave the window
 * @vobj: an object that goes; nothing happens if it is not in the window
 *
 * Without memory for the command the end of the resource does it, too.
 */
void vgpu_vram_unmap(struct vgpu_object *vobj)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct vgpu_cmd *cmd;

	if (!vobj->map_cmd)
		return;

	cmd = vgpu_cmd_create();
	if (!cmd)
		return;
	vgpu_req_unmap_blob(&cmd->req, vobj->res.id);
	vgpu_queue_send(&vgpu->ctrl, cmd);
	vgpu_cmd_put(cmd);
}

/**
 * vgpu_vram_destroy - free an object that the host has nothing of any more
 * @vobj: an object of vgpu_vram_create()
 */
void vgpu_vram_destroy(struct vgpu_object *vobj)
{
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);

	window_put(vgpu, vobj);
	vgpu_cmd_put(vobj->map_cmd);
	drm_gem_object_release(&vobj->storage.base);
	kfree(vobj);
}

/* Virtio devices know the buffer by its UUID, and need no addresses. */
static bool by_name_only(const struct vgpu_object *vobj)
{
	return !(vobj->res.blob.flags & VIRTGPU_BLOB_FLAG_USE_MAPPABLE);
}

/**
 * vgpu_vram_map_dma_buf - &dma_buf_ops.map_dma_buf
 * @attach: attachment of the device
 * @dir: direction of the transfers
 *
 * Return: a mapped table, or an error pointer:
 *
 *	* -EIO: the buffer cannot be mapped, and the device is none of virtio
 *	* -EINVAL: the host has nothing in the window for it
 *	* -ERESTARTSYS: a signal arrived while the host had not said
 *	* -ENOMEM: out of memory
 *	* what dma_map_resource() said
 */
struct sg_table *vgpu_vram_map_dma_buf(struct dma_buf_attachment *attach,
				       enum dma_data_direction dir)
{
	struct vgpu_object *vobj = to_vgpu_object(attach->dmabuf->priv);
	struct vgpu_device *vgpu = to_vgpu(vobj->storage.base.dev);
	struct sg_table *sgt;
	dma_addr_t addr;
	u32 caching;
	int ret;

	if (by_name_only(vobj) &&
	    (!is_virtio_device(attach->dev) || !vgpu->has_uuid))
		return ERR_PTR(-EIO);
	if (!by_name_only(vobj)) {
		ret = window_state(vobj, &caching);
		if (ret)
			return ERR_PTR(ret);
	}

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (by_name_only(vobj))
		return sgt;

	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		goto err_free;
	addr = dma_map_resource(attach->dev, vobj->window.start,
				vobj->window.size, dir, DMA_ATTR_SKIP_CPU_SYNC);
	ret = dma_mapping_error(attach->dev, addr);
	if (ret)
		goto err_table;

	/* there is no struct page behind it */
	sg_set_page(sgt->sgl, NULL, vobj->window.size, 0);
	sg_dma_address(sgt->sgl) = addr;
	sg_dma_len(sgt->sgl) = vobj->window.size;
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

/**
 * vgpu_vram_unmap_dma_buf - &dma_buf_ops.unmap_dma_buf
 * @attach: attachment of the device
 * @sgt: from vgpu_vram_map_dma_buf()
 * @dir: direction it was mapped with
 */
void vgpu_vram_unmap_dma_buf(struct dma_buf_attachment *attach,
			     struct sg_table *sgt, enum dma_data_direction dir)
{
	if (sgt->nents)
		dma_unmap_resource(attach->dev, sg_dma_address(sgt->sgl),
				   sg_dma_len(sgt->sgl), dir,
				   DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}
