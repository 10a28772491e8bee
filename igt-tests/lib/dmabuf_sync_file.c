// SPDX-License-Identifier: MIT
/* The fences of a dma-buf, as poll() and as sync_file. */

#include <errno.h>
#include <poll.h>

#include "dmabuf_sync_file.h"
#include "drmtest.h"
#include "igt_vgem.h"
#include "ioctl_wrappers.h"

/* Whether the ioctl exists: asked with flags that no kernel takes. */
static bool has_ioctl(int fd, unsigned long request)
{
	struct dma_buf_export_sync_file arg = { .flags = ~0u, .fd = -1 };
	struct vgem_bo bo = { .width = 1, .height = 1, .bpp = 32 };
	int dmabuf, err;

	vgem_create(fd, &bo);
	dmabuf = prime_handle_to_fd(fd, bo.handle);
	gem_close(fd, bo.handle);
	igt_assert_eq(igt_ioctl(dmabuf, request, &arg), -1);
	err = errno;
	close(dmabuf);
	return err == EINVAL;
}

bool has_dmabuf_export_sync_file(int fd)
{
	return has_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE);
}

bool has_dmabuf_import_sync_file(int fd)
{
	return has_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE);
}

int dmabuf_export_sync_file(int dmabuf, uint32_t flags)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };

	do_ioctl(dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);
	igt_assert_fd(arg.fd);
	return arg.fd;
}

void dmabuf_import_sync_file(int dmabuf, uint32_t flags, int sync_fd)
{
	struct dma_buf_import_sync_file arg = { .flags = flags, .fd = sync_fd };

	do_ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

static bool no_event(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) == 0;
}

/*
 * A reader waits for writers only (POLLIN), a writer for all (POLLOUT). For RW
 * only the stronger may be asked: poll() returns when either has happened.
 */
bool dmabuf_busy(int dmabuf, uint32_t flags)
{
	return no_event(dmabuf, flags & DMA_BUF_SYNC_WRITE ? POLLOUT : POLLIN);
}

bool sync_file_busy(int sync_file)
{
	return no_event(sync_file, POLLIN);
}

bool dmabuf_sync_file_busy(int dmabuf, uint32_t flags)
{
	int sync_file = dmabuf_export_sync_file(dmabuf, flags);
	bool busy = sync_file_busy(sync_file);

	close(sync_file);
	return busy;
}
