// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: prime overview
 *
 * A GEM handle means something only to the file it was made on, so a buffer
 * cannot leave a process or a device by handle. PRIME turns a handle into a
 * file descriptor (a dma-buf), which goes through a UNIX socket like any other
 * and cannot be guessed, and turns a descriptor back into a handle on any DRM
 * device that is able to use it.
 *
 * This file does the two conversions, for DRM_IOCTL_PRIME_HANDLE_TO_FD and
 * DRM_IOCTL_PRIME_FD_TO_HANDLE and for drivers that call them from the kernel.
 * How an object becomes a dma-buf is in drm_prime_export.c, how a dma-buf
 * becomes an object in drm_prime_import.c, how a file remembers which handle
 * stands for which dma-buf in drm_prime_cache.c, and conversions of scatter
 * lists in drm_prime_sg.c.
 *
 * What comes back is always what was given:
 *
 * - A handle that was exported or imported before gives its dma-buf again, in
 *   whatever file it is exported.
 * - A dma-buf that is known to the file gives its handle again.
 * - A dma-buf of the same device gives the object behind it, and an imported
 *   object the dma-buf it came from. Buffers are never wrapped twice.
 *
 * Lifetime
 * ~~~~~~~~
 *
 * The dma-buf of an object is found again through &drm_gem_object.dma_buf. It
 * is a real reference, and together with the dma-buf's reference to the object
 * a loop, which is broken when the object's last handle is closed. So the
 * pointer may only be set while a handle exists or is about to, and may only
 * be followed under &drm_device.object_name_lock, where handles are counted.
 * Code that needs the dma-buf of an imported object for longer follows
 * &drm_gem_object.import_attach, which stays for the object's life.
 *
 * Anybody can close a handle at any time, even one that is being made and
 * whose number was merely guessed. Both conversions therefore
 * hold &drm_prime_file_private.lock from end to end, and closing a handle
 * first makes it impossible to look up, then takes that lock to remove it from
 * the cache, and only then drops the object and frees the number. A handle
 * that was found, or made, under the lock thus stays the same object until the
 * lock is dropped, and what is added to the cache for it will be seen by the
 * one who closes it.
 *
 * Everything that can fail comes before the handle or the file descriptor is
 * visible to user space. There is no undoing after that: another thread may
 * already have closed the number and opened something else under it.
 *
 * Locking
 * ~~~~~~~
 *
 * In this order, outermost first::
 *
 *   drm_prime_file_private.lock	one handle per buffer in a file
 *     drm_device.object_name_lock	handle counts and drm_gem_object.dma_buf
 *       dma_resv			storage, taken by attach and map
 *       drm_file.table_lock		the handle table itself (a spinlock)
 *
 * &drm_gem_object_funcs.export and &drm_driver.gem_prime_import run under the first
 * two. Where a driver leaves the latter unset, &drm_driver.gem_prime_import_sg_table runs
 * under the first, and so does the one that is told of a new handle
 * (&drm_gem_object_funcs.open). On mainline it has the second as well. So a driver's
 * import of a table may run twice at once, for two clients, as its &drm_driver.dumb_create
 * may. Of mainline's drivers xen's front end adds to a list there without a lock, which
 * dumb_create does, too: a race then as now, of one more pair.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/module.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "drm_internal.h"
#include "drm_prime_internal.h"

MODULE_IMPORT_NS(DMA_BUF);

/*
 * Without GEM there are no handles, and drm_gem_init() never initialized the
 * locks that guard them.
 */
static bool has_handles(const struct drm_device *dev)
{
	return drm_core_check_feature(dev, DRIVER_GEM);
}

/* Make a dma-buf of an object that has none, and a reference to it. */
static struct dma_buf *export_object_locked(struct drm_gem_object *obj,
					    u32 flags)
{
	struct dma_buf *dma_buf;

	lockdep_assert_held(&obj->dev->object_name_lock);

	/* nobody would be left to break the loop */
	if (!obj->handle_count)
		return ERR_PTR(-ENOENT);

	if (obj->funcs->export)
		dma_buf = obj->funcs->export(obj, flags);
	else
		dma_buf = drm_gem_prime_export(obj, flags);
	if (IS_ERR(dma_buf))
		return dma_buf;

	get_dma_buf(dma_buf);
	obj->dma_buf = dma_buf;
	return dma_buf;
}

/* A reference to the one dma-buf of an object. */
static struct dma_buf *dma_buf_of_object_locked(struct drm_gem_object *obj,
						u32 flags)
{
	struct dma_buf *dma_buf = obj->dma_buf;

	lockdep_assert_held(&obj->dev->object_name_lock);

	if (obj->import_attach)
		dma_buf = obj->import_attach->dmabuf;
	if (!dma_buf)
		return export_object_locked(obj, flags);

	get_dma_buf(dma_buf);
	return dma_buf;
}

/* @handle is not in the cache, and may not be a handle at all. */
static struct dma_buf *dma_buf_of_handle_locked(struct drm_file *file,
						u32 handle, u32 flags)
{
	struct drm_gem_object *obj;
	struct drm_prime_pair *pair;
	struct dma_buf *dma_buf;

	/* not before: between, the handle could be closed and forgotten */
	obj = drm_gem_object_lookup(file, handle);
	if (!obj)
		return ERR_PTR(-ENOENT);

	pair = drm_prime_pair_alloc_locked(&file->prime);
	if (!pair) {
		dma_buf = ERR_PTR(-ENOMEM);
		goto put;
	}

	mutex_lock(&obj->dev->object_name_lock);
	dma_buf = dma_buf_of_object_locked(obj, flags);
	mutex_unlock(&obj->dev->object_name_lock);

	if (IS_ERR(dma_buf))
		drm_prime_pair_free_locked(&file->prime, pair);
	else
		drm_prime_cache_add_locked(&file->prime, pair, dma_buf, handle);
put:
	drm_gem_object_put(obj);
	return dma_buf;
}

/**
 * drm_gem_prime_handle_to_dmabuf - the dma-buf of a GEM handle
 * @dev: device @file_priv belongs to
 * @file_priv: file the handle was made on
 * @handle: the handle
 * @flags: DRM_CLOEXEC and DRM_RDWR, which the first export of an object decides
 *
 * Exports the object if it is not yet. No file descriptor is made, so the
 * caller can still fail and drop the buffer with dma_buf_put().
 *
 * Context: takes &drm_prime_file_private.lock and
 * &drm_device.object_name_lock, sleeps.
 * Return: the dma-buf with a reference for the caller, or an error pointer:
 *
 *	* -ENOENT: there is no such handle
 *	* -ENOMEM: out of memory
 *	* what &drm_gem_object_funcs.export said; where a driver has none, as
 *	  drm_gem_prime_export()
 */
struct dma_buf *drm_gem_prime_handle_to_dmabuf(struct drm_device *dev,
					       struct drm_file *file_priv,
					       u32 handle, u32 flags)
{
	struct drm_prime_pair *pair;

	if (!has_handles(dev))
		return ERR_PTR(-ENOENT);

	guard(mutex)(&file_priv->prime.lock);

	/* who closes this handle right now has not taken the lock yet */
	pair = drm_prime_cache_find_handle_locked(&file_priv->prime, handle);
	if (!pair)
		return dma_buf_of_handle_locked(file_priv, handle, flags);

	get_dma_buf(pair->dma_buf);
	return pair->dma_buf;
}
EXPORT_SYMBOL(drm_gem_prime_handle_to_dmabuf);

/**
 * drm_gem_prime_handle_to_fd - a dma-buf file descriptor of a GEM handle
 * @dev: device @file_priv belongs to
 * @file_priv: file the handle was made on
 * @handle: the handle
 * @flags: DRM_CLOEXEC and DRM_RDWR
 * @prime_fd: where to store the descriptor, unchanged on error
 *
 * The descriptor is visible to user space on return: the caller must not fail
 * any more, or use drm_gem_prime_handle_to_dmabuf() instead.
 *
 * Context: as drm_gem_prime_handle_to_dmabuf().
 * Return: 0, or a negative errno:
 *
 *	* -EMFILE: the process has no file descriptor left
 *	* -ENOMEM: out of memory
 *	* as drm_gem_prime_handle_to_dmabuf()
 */
int drm_gem_prime_handle_to_fd(struct drm_device *dev,
			       struct drm_file *file_priv, u32 handle,
			       u32 flags, int *prime_fd)
{
	struct dma_buf *dma_buf;
	int fd;

	fd = get_unused_fd_flags(flags & DRM_CLOEXEC);
	if (fd < 0)
		return fd;

	dma_buf = drm_gem_prime_handle_to_dmabuf(dev, file_priv, handle, flags);
	if (IS_ERR(dma_buf)) {
		put_unused_fd(fd);
		return PTR_ERR(dma_buf);
	}

	*prime_fd = fd;
	/* takes over our reference, which another thread may drop at once */
	dma_buf_fd_install(dma_buf, fd);
	return 0;
}
EXPORT_SYMBOL(drm_gem_prime_handle_to_fd);

/* Let @obj, which is about to get a handle, find its dma-buf again. */
static void link_dma_buf_locked(struct drm_gem_object *obj,
				struct dma_buf *dma_buf)
{
	lockdep_assert_held(&obj->dev->object_name_lock);

	if (obj->dma_buf) {
		drm_WARN_ON_ONCE(obj->dev, obj->dma_buf != dma_buf);
		return;
	}
	get_dma_buf(dma_buf);
	obj->dma_buf = dma_buf;
}

/*
 * Returns with &drm_device.object_name_lock held if it returns an object. A driver's own
 * import finds it held, as on mainline. Ours makes an object that nobody else knows yet,
 * or takes a reference to one whose dma-buf the caller has: imports into a device need
 * not wait for each other.
 */
static struct drm_gem_object *import_and_lock(struct drm_device *dev,
					      struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj;

	if (!dev->driver->gem_prime_import) {
		obj = drm_gem_prime_import(dev, dma_buf);
		if (!IS_ERR(obj))
			mutex_lock(&dev->object_name_lock);
		return obj;
	}

	mutex_lock(&dev->object_name_lock);
	obj = dev->driver->gem_prime_import(dev, dma_buf);
	if (IS_ERR(obj))
		mutex_unlock(&dev->object_name_lock);
	return obj;
}

static int import_as_handle_locked(struct drm_device *dev,
				   struct drm_file *file,
				   struct dma_buf *dma_buf, u32 *handle)
{
	struct drm_gem_object *obj;
	int ret;

	lockdep_assert_held(&file->prime.lock);

	obj = import_and_lock(dev, dma_buf);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	link_dma_buf_locked(obj, dma_buf);
	/* unlocks object_name_lock, and on error also undoes the link */
	ret = drm_gem_handle_create_tail(file, obj, handle);
	drm_gem_object_put(obj);
	return ret;
}

/* @dma_buf_file is not in the cache, and may not be that of a dma-buf at all. */
static int handle_of_file_locked(struct drm_device *dev, struct drm_file *file,
				 const struct file *dma_buf_file, u32 *handle)
{
	struct dma_buf *dma_buf = dma_buf_of_file(dma_buf_file);
	struct drm_prime_pair *pair;
	int ret;

	if (IS_ERR(dma_buf))
		return PTR_ERR(dma_buf);

	/* now, while there is no handle that would have to be taken back */
	pair = drm_prime_pair_alloc_locked(&file->prime);
	if (!pair)
		return -ENOMEM;

	ret = import_as_handle_locked(dev, file, dma_buf, handle);
	if (ret)
		drm_prime_pair_free_locked(&file->prime, pair);
	else
		drm_prime_cache_add_locked(&file->prime, pair, dma_buf,
					   *handle);
	return ret;
}

/**
 * drm_gem_prime_fd_to_handle - a GEM handle of a dma-buf file descriptor
 * @dev: device @file_priv belongs to
 * @file_priv: file to make the handle on
 * @prime_fd: file descriptor of a dma-buf
 * @handle: where to store the handle, unchanged on error
 *
 * Imports the buffer with &drm_driver.gem_prime_import or
 * drm_gem_prime_import(), unless the file has a handle for it. A handle that
 * is returned a second time is still one handle, and closed by one GEM_CLOSE.
 *
 * Context: takes &drm_prime_file_private.lock and
 * &drm_device.object_name_lock, sleeps.
 * Return: 0, or a negative errno:
 *
 *	* -EBADF: @prime_fd is not open
 *	* -EINVAL: @prime_fd is not a dma-buf, or @dev cannot import
 *	* -ENOMEM: out of memory
 *	* what &drm_driver.gem_prime_import said; where a driver has none, as
 *	  drm_gem_prime_import()
 */
int drm_gem_prime_fd_to_handle(struct drm_device *dev,
			       struct drm_file *file_priv, int prime_fd,
			       u32 *handle)
{
	struct drm_prime_pair *pair;

	/* held without a reference if no other thread could close it meanwhile */
	CLASS(fd, f)(prime_fd);
	if (fd_empty(f))
		return -EBADF;
	if (!has_handles(dev))
		return -EINVAL;

	guard(mutex)(&file_priv->prime.lock);

	pair = drm_prime_cache_find_file_locked(&file_priv->prime, fd_file(f));
	if (!pair)
		return handle_of_file_locked(dev, file_priv, fd_file(f),
					     handle);

	*handle = pair->handle;
	return 0;
}
EXPORT_SYMBOL(drm_gem_prime_fd_to_handle);

/**
 * drm_prime_handle_to_fd_ioctl - DRM_IOCTL_PRIME_HANDLE_TO_FD
 * @dev: device of the file
 * @data: &struct drm_prime_handle
 * @file_priv: file the ioctl was called on
 *
 * Return: 0, or a negative errno:
 *
 *	* -EINVAL: a flag is set that is neither DRM_CLOEXEC nor DRM_RDWR
 *	* -ENOENT: there is no such handle
 *	* -EMFILE: the process has no file descriptor left
 *	* -ENFILE, -ENOMEM: no file or no memory left
 *	* what the driver said
 */
int drm_prime_handle_to_fd_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv)
{
	struct drm_prime_handle *args = data;
	const struct drm_driver *driver = dev->driver;

	if (args->flags & ~(DRM_CLOEXEC | DRM_RDWR))
		return -EINVAL;

	if (driver->prime_handle_to_fd)
		return driver->prime_handle_to_fd(dev, file_priv, args->handle,
						  args->flags, &args->fd);
	return drm_gem_prime_handle_to_fd(dev, file_priv, args->handle,
					  args->flags, &args->fd);
}

/**
 * drm_prime_fd_to_handle_ioctl - DRM_IOCTL_PRIME_FD_TO_HANDLE
 * @dev: device of the file
 * @data: &struct drm_prime_handle; its flags have never been looked at and
 *        must stay ignored
 * @file_priv: file the ioctl was called on
 *
 * Return: 0, or a negative errno:
 *
 *	* -EBADF: there is no such file descriptor
 *	* -EINVAL: it is not a dma-buf, or the device cannot import, or it cannot use
 *	  storage that is scattered like that
 *	* -ENODEV: the driver imports no buffers of other devices, or the storage was
 *	  revoked
 *	* -EBUSY: the device cannot reach the storage, and that cannot move
 *	* -EREMOTEIO: it is another device's memory, to which there is no path
 *	* -EIO: the exporter did not do what it had agreed to, or the device would
 *	  have been given a copy
 *	* -ERESTARTSYS, -EINTR: a signal arrived
 *	* -ENOMEM: out of memory
 *	* what the driver or the exporter said
 */
int drm_prime_fd_to_handle_ioctl(struct drm_device *dev, void *data,
				 struct drm_file *file_priv)
{
	struct drm_prime_handle *args = data;
	const struct drm_driver *driver = dev->driver;

	if (driver->prime_fd_to_handle)
		return driver->prime_fd_to_handle(dev, file_priv, args->fd,
						  &args->handle);
	return drm_gem_prime_fd_to_handle(dev, file_priv, args->fd,
					  &args->handle);
}
