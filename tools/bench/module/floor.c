// SPDX-License-Identifier: GPL-2.0
/*
 * A DRM device that answers the ioctls of PRIME, and has none: what they cost where
 * neither a dma-buf nor a bridge to it is involved.
 *
 * What it does is what nobody can do without who keeps to the contracts of the code
 * around us:
 *
 * - an object with a handle;
 * - for an export a file and a descriptor, and with per-buffer statistics their
 *   directory; the members of the buffer that others read, see struct visible; and the
 *   lock under which drm_gem.c looks for the dma-buf of an object, to drop it;
 * - for an import an object of the importer's helper with a handle; an attachment, which
 *   dma_buf_attach() has to allocate, for it returns one that is nobody else's; the
 *   reservation lock when that comes and is mapped, and when it goes, for amdgpu_cs.c
 *   looks at the list of them under it, and amdgpu and xe place what they export under
 *   it; the exporter's callbacks, by way of its operations; and a table that is mapped
 *   for the device by the DMA API while there is that object.
 *
 * Pages, and the list of them, are there from the first import on, in a file of shmem,
 * since nobody pays for these twice.
 */

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>

#include "bench.h"
#include "prime_bench_uapi.h"

/**
 * struct exported - an object of ours
 * @base: the object
 * @visible: what others would see of its buffer, once it was exported
 * @file: then, while it has a handle
 * @kobj: its directory in sysfs, where buffers have one
 * @pages: once it was imported
 * @sgt: that describes them
 * @known: the handle of the import, or 0
 */
struct exported {
	struct drm_gem_object base;
	struct visible visible;
	struct file *file;
	struct kobject *kobj;
	struct page **pages;
	struct sg_table sgt;
	u32 known;
};

/**
 * struct attached - what drivers read of a &struct dma_buf_attachment
 * @visible: the buffer
 * @dev: the device, for exporters
 * @node: in the list of the buffer
 * @priv: the exporter's
 * @importer_ops: set if the importer follows moves
 * @importer_priv: the importer's
 * @peer2peer: whether it can use addresses of other devices, for exporters
 */
struct attached {
	struct visible *visible;
	struct device *dev;
	struct list_head node;
	void *priv;
	const void *importer_ops;
	void *importer_priv;
	bool peer2peer;
};

/**
 * struct imported - what its helper makes of a table for an importer
 * @shmem: the object
 * @attach: of its device
 * @file: of the export, with a reference
 */
struct imported {
	struct drm_gem_shmem_object shmem;
	struct attached *attach;
	struct file *file;
};

static struct platform_device *platform;
static struct drm_device *floor_device;

static struct exported *to_exported(struct drm_gem_object *obj)
{
	return container_of(obj, struct exported, base);
}

static void exported_free(struct drm_gem_object *obj)
{
	struct exported *exported = to_exported(obj);

	if (exported->pages) {
		sg_free_table(&exported->sgt);
		drm_gem_put_pages(obj, exported->pages, false, false);
	}
	drm_gem_object_release(obj);
	kfree(exported);
}

/* The end of the loop, when the handle is closed. */
static void exported_close(struct drm_gem_object *obj, struct drm_file *client)
{
	struct exported *exported = to_exported(obj);

	if (exported->file)
		fput(exported->file);
	exported->file = NULL;
}

static const struct drm_gem_object_funcs exported_funcs = {
	.free = exported_free,
	.close = exported_close,
};

static int floor_create(struct drm_file *client, struct drm_device *drm,
			struct drm_mode_create_dumb *args)
{
	struct exported *exported;
	int ret;

	args->pitch = DIV_ROUND_UP(args->width * args->bpp, 8);
	args->size = PAGE_ALIGN((u64)args->pitch * args->height);
	exported = kzalloc(sizeof(*exported), GFP_KERNEL);
	if (!exported)
		return -ENOMEM;

	exported->base.funcs = &exported_funcs;
	drm_gem_private_object_init(drm, &exported->base, args->size);
	ret = drm_gem_handle_create(client, &exported->base, &args->handle);
	drm_gem_object_put(&exported->base);

	return ret;
}

static struct sg_table *exported_map(struct attached *attach)
{
	struct exported *exported = attach->visible->priv;
	int ret;

	ret = dma_map_sgtable(attach->dev, &exported->sgt, DMA_BIDIRECTIONAL,
			      DMA_ATTR_SKIP_CPU_SYNC);

	return ret ? ERR_PTR(ret) : &exported->sgt;
}

static void exported_unmap(struct attached *attach, struct sg_table *sgt)
{
	dma_unmap_sgtable(attach->dev, sgt, DMA_BIDIRECTIONAL,
			  DMA_ATTR_SKIP_CPU_SYNC);
}

static const struct floor_ops exported_ops = {
	.map = exported_map,
	.unmap = exported_unmap,
};

static int exported_file_release(struct inode *inode, struct file *file)
{
	struct exported *exported = file->private_data;

	if (exported->kobj)
		nothing_out_of_sysfs(exported->kobj);
	drm_gem_object_put(&exported->base);

	return 0;
}

static const struct file_operations exported_fops = {
	.owner = THIS_MODULE,
	.release = exported_file_release,
};

static int exported_make_file(struct exported *exported)
{
	struct kobject *kobj = NULL;
	struct file *file;

	if (IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS))
		kobj = nothing_in_sysfs(&platform->dev.kobj);
	if (IS_ERR(kobj))
		return PTR_ERR(kobj);

	file = anon_inode_create_getfile("prime_floor", &exported_fops,
					 exported, O_RDWR, NULL);
	if (IS_ERR(file)) {
		if (kobj)
			nothing_out_of_sysfs(kobj);
		return PTR_ERR(file);
	}
	drm_gem_object_get(&exported->base);
	nothing_show(&exported->visible, exported->base.size, file,
		     &exported_ops, exported->base.resv, exported);
	exported->kobj = kobj;
	exported->file = file;

	return 0;
}

static int floor_handle_to_fd(struct drm_device *drm, struct drm_file *client,
			      u32 handle, u32 flags, int *prime_fd)
{
	struct drm_gem_object *obj;
	struct exported *exported;
	int fd, ret = 0;

	fd = get_unused_fd_flags(flags & DRM_CLOEXEC);
	if (fd < 0)
		return fd;

	obj = drm_gem_object_lookup(client, handle);
	if (!obj) {
		put_unused_fd(fd);
		return -ENOENT;
	}

	exported = to_exported(obj);
	mutex_lock(&drm->object_name_lock);
	if (!exported->file)
		ret = exported_make_file(exported);
	mutex_unlock(&drm->object_name_lock);
	if (ret) {
		put_unused_fd(fd);
	} else {
		*prime_fd = fd;
		fd_install(fd, get_file(exported->file));
	}
	drm_gem_object_put(obj);

	return ret;
}

static int exported_take_pages(struct exported *exported)
{
	size_t size = exported->base.size;
	struct page **pages;
	unsigned int count;
	struct file *file;
	int ret;

	if (!exported->base.filp) {
		file = shmem_file_setup("prime_floor", size, VM_NORESERVE);
		if (IS_ERR(file))
			return PTR_ERR(file);
		mapping_set_gfp_mask(file->f_mapping, GFP_HIGHUSER);
		exported->base.filp = file;
	}

	pages = drm_gem_get_pages(&exported->base);
	if (IS_ERR(pages))
		return PTR_ERR(pages);

	count = size >> PAGE_SHIFT;
	ret = sg_alloc_table_from_pages(&exported->sgt, pages, count, 0, size,
					GFP_KERNEL);
	if (ret)
		drm_gem_put_pages(&exported->base, pages, false, false);
	else
		exported->pages = pages;

	return ret;
}

static struct sg_table *attach_and_map(struct attached *attach)
{
	struct visible *visible = attach->visible;
	struct sg_table *sgt;

	dma_resv_lock(visible->resv, NULL);
	list_add(&attach->node, &visible->attachments);
	sgt = visible->ops->map(attach);
	if (IS_ERR(sgt))
		list_del(&attach->node);
	dma_resv_unlock(visible->resv);

	return sgt;
}

static void unmap_and_detach(struct attached *attach, struct sg_table *sgt)
{
	struct visible *visible = attach->visible;

	dma_resv_lock(visible->resv, NULL);
	visible->ops->unmap(attach, sgt);
	list_del(&attach->node);
	dma_resv_unlock(visible->resv);
	kfree(attach);
}

static void imported_free(struct drm_gem_object *obj)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);
	struct imported *imported = container_of(shmem, struct imported, shmem);
	struct file *file = imported->file;
	struct exported *from = file->private_data;

	unmap_and_detach(imported->attach, shmem->sgt);
	from->known = 0;
	shmem->sgt = NULL;
	drm_gem_shmem_free(shmem);
	fput(file);
}

static const struct drm_gem_object_funcs imported_funcs = {
	.free = imported_free,
};

/* What the helper has no place for, it has its drivers allocate. */
static struct drm_gem_object *floor_create_object(struct drm_device *drm,
						  size_t size)
{
	struct imported *imported = kzalloc(sizeof(*imported), GFP_KERNEL);

	if (!imported)
		return ERR_PTR(-ENOMEM);
	imported->shmem.base.funcs = &imported_funcs;

	return &imported->shmem.base;
}

static struct drm_gem_object *import_table(struct drm_device *drm,
					   struct file *file)
{
	struct exported *from = file->private_data;
	/* for the helper, which asks for the size alone */
	struct dma_buf_attachment asked;
	struct imported *imported;
	struct drm_gem_object *obj;
	struct attached *attach;
	struct dma_buf dmabuf;
	struct sg_table *sgt;
	int ret;

	ret = from->pages ? 0 : exported_take_pages(from);
	if (ret)
		return ERR_PTR(ret);

	attach = kzalloc(sizeof(*attach), GFP_KERNEL);
	if (!attach)
		return ERR_PTR(-ENOMEM);

	attach->visible = &from->visible;
	attach->dev = drm->dev;
	sgt = attach_and_map(attach);
	if (IS_ERR(sgt)) {
		kfree(attach);
		return ERR_CAST(sgt);
	}

	dmabuf.size = from->visible.size;
	asked.dmabuf = &dmabuf;
	obj = drm_gem_shmem_prime_import_sg_table(drm, &asked, sgt);
	if (IS_ERR(obj)) {
		unmap_and_detach(attach, sgt);
		return obj;
	}
	imported =
		container_of(to_drm_gem_shmem_obj(obj), struct imported, shmem);
	imported->attach = attach;
	imported->file = get_file(file);

	return obj;
}

static int import_file(struct drm_device *drm, struct drm_file *client,
		       struct file *file, u32 *handle)
{
	struct exported *from = file->private_data;
	struct drm_gem_object *obj;
	int ret;

	if (from->known) {
		*handle = from->known;
		return 0;
	}

	obj = import_table(drm, file);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	ret = drm_gem_handle_create(client, obj, handle);
	if (!ret)
		from->known = *handle;
	drm_gem_object_put(obj);

	return ret;
}

static int floor_fd_to_handle(struct drm_device *drm, struct drm_file *client,
			      int prime_fd, u32 *handle)
{
	struct file *file = fget(prime_fd);
	int ret = -EINVAL;

	if (!file)
		return -EBADF;
	if (file->f_op == &exported_fops)
		ret = import_file(drm, client, file, handle);
	fput(file);

	return ret;
}

DEFINE_DRM_GEM_FOPS(floor_fops);

static const struct drm_driver floor_driver = {
	.driver_features = DRIVER_RENDER | DRIVER_GEM,
	.fops = &floor_fops,
	.name = PRIME_BENCH_FLOOR,
	.desc = "PRIME without PRIME, for measurements",
	.date = "20260101",
	.major = 1,
	.dumb_create = floor_create,
	.gem_create_object = floor_create_object,
	.prime_handle_to_fd = floor_handle_to_fd,
	.prime_fd_to_handle = floor_fd_to_handle,
};

int floor_init(void)
{
	int ret;

	platform =
		platform_device_register_simple(PRIME_BENCH_FLOOR, -1, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);

	ret = dma_coerce_mask_and_coherent(&platform->dev, DMA_BIT_MASK(64));
	if (ret)
		goto err_platform;

	floor_device = drm_dev_alloc(&floor_driver, &platform->dev);
	if (IS_ERR(floor_device)) {
		ret = PTR_ERR(floor_device);
		goto err_platform;
	}

	ret = drm_dev_register(floor_device, 0);
	if (ret)
		goto err_drm;

	return 0;

err_drm:
	drm_dev_put(floor_device);
err_platform:
	platform_device_unregister(platform);
	return ret;
}

void floor_exit(void)
{
	drm_dev_unregister(floor_device);
	drm_dev_put(floor_device);
	platform_device_unregister(platform);
}
