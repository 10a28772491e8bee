// SPDX-License-Identifier: MIT
/*
 * Operations on handles: buffers made, exported, imported, named and closed,
 * through files that other threads use, and close, at the same time.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "ioctl_wrappers.h"
#include "stress.h"

static int create_dumb(struct stress_thread *t, int file,
		       struct drm_mode_create_dumb *dumb)
{
	*dumb = (struct drm_mode_create_dumb){
		.width = STRESS_PAGE / 4,
		.height = 2 + stress_random(t, 3),
		.bpp = 32,
	};
	return stress_ioctl(file, DRM_IOCTL_MODE_CREATE_DUMB, dumb);
}

static int handle_to_fd(int file, uint32_t handle, uint32_t flags, int *fd)
{
	struct drm_prime_handle arg = { .handle = handle, .flags = flags };
	int ret = stress_ioctl(file, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg);

	*fd = ret ? -1 : arg.fd;
	return ret;
}

static int map_dumb(int file, uint32_t handle, size_t size, int prot,
		    void **map)
{
	struct drm_mode_map_dumb arg = { .handle = handle };
	int ret = stress_ioctl(file, DRM_IOCTL_MODE_MAP_DUMB, &arg);

	if (ret)
		return ret;
	*map = mmap(NULL, size, prot, MAP_SHARED, file, arg.offset);
	return *map == MAP_FAILED ? -errno : 0;
}

/* Nobody can guess a handle of the file, so the content is in time. */
static int create_filled(struct stress_thread *t, int file, int *dmabuf)
{
	struct drm_mode_create_dumb dumb;
	void *map;
	int ret;

	ret = create_dumb(t, file, &dumb);
	if (ret)
		return ret;
	ret = map_dumb(file, dumb.handle, dumb.size, PROT_READ | PROT_WRITE,
		       &map);
	if (ret)
		return ret;
	stress_content_fill(t, map, dumb.size);
	munmap(map, dumb.size);
	return handle_to_fd(file, dumb.handle,
			    DRM_CLOEXEC | (stress_random(t, 8) ? DRM_RDWR : 0),
			    dmabuf);
}

static int op_create(struct stress_thread *t)
{
	struct stress *s = t->process->stress;
	const struct stress_node *node =
		&s->nodes[stress_random(t, s->num_nodes)];
	int file = stress_open_node(s, node);
	int dmabuf, ret;

	t->met_hot = node->hot >= 0;
	if (file < 0)
		return t->met_hot ? STRESS_IDLE : -errno;
	ret = create_filled(t, file, &dmabuf);
	close(file);
	if (!ret)
		stress_put_fd(t, dmabuf);
	return ret;
}

static int gem_close_handle(int file, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	return stress_ioctl(file, DRM_IOCTL_GEM_CLOSE, &arg);
}

/* Handles of one buffer may be in several slots: only one can be closed. */
static int op_close(struct stress_thread *t)
{
	struct stress_file *file = stress_use_file(t);
	uint32_t handle;
	int ret = STRESS_IDLE;

	if (!file)
		return STRESS_IDLE;
	handle = stress_pick_handle(t, file);
	if (handle)
		ret = gem_close_handle(file->fd, handle);
	stress_unuse(file);
	return ret;
}

static int op_export(struct stress_thread *t)
{
	static const uint32_t flags[] = { 0, DRM_CLOEXEC, DRM_RDWR,
					  DRM_RDWR | DRM_CLOEXEC };
	struct stress_file *file = stress_use_file(t);
	int ret = STRESS_IDLE, fd = -1;
	uint32_t handle;

	if (!file)
		return STRESS_IDLE;
	handle = stress_pick_handle(t, file);
	if (handle)
		ret = handle_to_fd(file->fd, handle, flags[stress_random(t, 4)],
				   &fd);
	stress_unuse(file);
	if (fd >= 0)
		stress_put_fd(t, fd);
	return ret;
}

static void keep_handle(struct stress_thread *t, struct stress_file *file,
			uint32_t handle)
{
	uint32_t old = stress_put_handle(t, file, handle);

	if (old && old != handle)
		gem_close_handle(file->fd, old);
}

static int fd_to_handle(struct stress_thread *t, int fd)
{
	struct drm_prime_handle arg = { .fd = fd };
	struct stress_file *file = stress_use_file(t);
	int ret;

	if (!file)
		return STRESS_IDLE;
	ret = stress_ioctl(file->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);
	if (!ret)
		keep_handle(t, file, arg.handle);
	stress_unuse(file);
	return ret;
}

static int op_import(struct stress_thread *t)
{
	int fd = stress_take_fd(t), ret;

	if (fd < 0)
		return STRESS_IDLE;
	ret = fd_to_handle(t, fd);
	close(fd);
	return ret;
}

static int op_import_racing(struct stress_thread *t)
{
	int fd = stress_glance_fd(t);

	return fd < 0 ? STRESS_IDLE : fd_to_handle(t, fd);
}

static atomic_uint *name_slot(struct stress_thread *t,
			      const struct stress_file *file)
{
	struct stress *s = t->process->stress;

	return &s->shared->names[file->node - s->nodes]
				[stress_random(t, STRESS_NAMES)];
}

static int op_flink(struct stress_thread *t)
{
	struct stress_file *file = stress_use_file(t);
	struct drm_gem_flink arg = {};
	int ret = STRESS_IDLE;

	if (!file)
		return STRESS_IDLE;
	arg.handle = stress_pick_handle(t, file);
	if (arg.handle)
		ret = stress_ioctl(file->fd, DRM_IOCTL_GEM_FLINK, &arg);
	if (!ret)
		*name_slot(t, file) = arg.name;
	stress_unuse(file);
	return ret;
}

/* Gives a second handle of a buffer that may have one in this file already. */
static int op_open_name(struct stress_thread *t)
{
	struct stress_file *file = stress_use_file(t);
	struct drm_gem_open arg = {};
	int ret = STRESS_IDLE;

	if (!file)
		return STRESS_IDLE;
	arg.name = *name_slot(t, file);
	if (arg.name)
		ret = stress_ioctl(file->fd, DRM_IOCTL_GEM_OPEN, &arg);
	if (!ret)
		keep_handle(t, file, arg.handle);
	stress_unuse(file);
	return ret;
}

/* Two pages: no buffer is smaller, and a handle does not tell. */
static int op_map_handle(struct stress_thread *t)
{
	struct stress_map map = { .size = 2 * STRESS_PAGE };
	struct stress_file *file = stress_use_file(t);
	int ret = STRESS_IDLE;
	uint32_t handle;

	if (!file)
		return STRESS_IDLE;
	handle = stress_pick_handle(t, file);
	if (handle)
		ret = map_dumb(file->fd, handle, map.size, PROT_READ, &map.at);
	stress_unuse(file);
	if (ret)
		return ret;
	stress_content_check(t, &map);
	stress_map_drop(&map);
	return 0;
}

/* A file that goes takes all its handles and fences with it. */
static int op_reopen(struct stress_thread *t)
{
	struct stress_process *p = t->process;
	unsigned int i = stress_random(t, p->stress->num_nodes);
	const struct stress_node *node = &p->stress->nodes[i];
	int fd = stress_open_node(p->stress, node);

	if (fd < 0 && node->hot < 0)
		return -errno;
	stress_replace(&p->files[i], fd);
	return 0;
}

const struct stress_op stress_ops_gem[] = {
	STRESS_OP("create", op_create, 6),
	STRESS_OP("GEM_CLOSE", op_close, 12, STRESS_ERRS(EINVAL)),
	STRESS_OP("HANDLE_TO_FD", op_export, 16, STRESS_ERRS(ENOENT)),
	/*
	 * EBUSY: mapped by who cannot let it move.  EINVAL: a heap's, and the
	 * heap does not move it for a device with constraints.
	 */
	STRESS_OP("FD_TO_HANDLE", op_import, 16,
		  STRESS_ERRS(EINTR, EBUSY, EINVAL)),
	STRESS_OP("FD_TO_HANDLE, racing", op_import_racing, 4,
		  STRESS_ERRS(EINTR, EBUSY, EINVAL)),
	STRESS_OP("GEM_FLINK", op_flink, 3, STRESS_ERRS(ENOENT)),
	STRESS_OP("GEM_OPEN", op_open_name, 3, STRESS_ERRS(ENOENT)),
	/* imported: EINVAL; closed before mmap(): EINVAL or EACCES */
	STRESS_OP("MAP_DUMB and mmap", op_map_handle, 4,
		  STRESS_ERRS(ENOENT, EINVAL, EACCES)),
	STRESS_OP("reopen a device", op_reopen, 2),
	{},
};
