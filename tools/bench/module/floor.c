// SPDX-License-Identifier: GPL-2.0
/*
 * A DRM device that answers the ioctls of PRIME, and has none: what they cost where
 * neither a dma-buf nor a bridge to it is involved.
 *
 * What it does is what nobody can do without who keeps to the contracts of the code
 * around us: an object with a handle; for an export a file and a descriptor, and with
 * per-buffer statistics their directory; for an import an object of the importer's
 * helper with a handle, and a table that is mapped for its device by the DMA API while
 * there is that object. Pages, and the list of them, are there from the first import
 * on, in a file of shmem, since nobody pays for these twice.
 */

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
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
 * @file: once it was exported, while it has a handle
 * @kobj: its directory in sysfs, where buffers have one
 * @pages: once it was imported
 * @sgt: that describes them
 * @known: the handle of the import, or 0
 */
struct exported {
	struct drm_gem_object base;
	struct file *file;
	struct kobject *kobj;
	struct page **pages;
	struct sg_table sgt;
	u32 known;
};

/**
 * struct imported - what its helper makes of a table for an importer
 * @shmem: the object
 * @file: of the export, with a reference
 */
struct imported {
	struct drm_gem_shmem_object shmem;
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
	if (!exported->file)
		ret = exported_make_file(exported);
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

static void imported_free(struct drm_gem_object *obj)
{
	struct drm_gem_shmem_object *shmem = to_drm_gem_shmem_obj(obj);
	struct imported *imported = container_of(shmem, struct imported, shmem);
	struct file *file = imported->file;
	struct exported *from = file->private_data;

	dma_unmap_sgtable(obj->dev->dev, &from->sgt, DMA_BIDIRECTIONAL,
			  DMA_ATTR_SKIP_CPU_SYNC);
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
	/* all that the helper asks it for */
	struct dma_buf dmabuf = { .size = from->base.size };
	struct dma_buf_attachment attach = { .dmabuf = &dmabuf };
	struct drm_gem_object *obj;
	int ret;

	ret = from->pages ? 0 : exported_take_pages(from);
	if (ret)
		return ERR_PTR(ret);

	ret = dma_map_sgtable(drm->dev, &from->sgt, DMA_BIDIRECTIONAL,
			      DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		return ERR_PTR(ret);

	obj = drm_gem_shmem_prime_import_sg_table(drm, &attach, &from->sgt);
	if (IS_ERR(obj)) {
		dma_unmap_sgtable(drm->dev, &from->sgt, DMA_BIDIRECTIONAL,
				  DMA_ATTR_SKIP_CPU_SYNC);
		return obj;
	}
	container_of(to_drm_gem_shmem_obj(obj), struct imported, shmem)->file =
		get_file(file);

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
