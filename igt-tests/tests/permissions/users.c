// SPDX-License-Identifier: MIT
/*
 * Users that are not root, on nodes that anybody may open. DRM asks for
 * authentication where names of buffers are concerned, and for a master where
 * displays are; to share a buffer by its descriptor, having it is enough.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <xf86drmMode.h>

#include "igt.h"
#include "igt_vgem.h"

#include "permissions.h"

/* A node for everybody, in a folder for everybody. */
struct node {
	char folder[32], path[48];
};

static struct node node;

static void remove_node(int sig)
{
	(void)sig;
	if (!node.folder[0])
		return;
	unlink(node.path);
	rmdir(node.folder);
	node.folder[0] = '\0';
}

static void make_node(dev_t number)
{
	int fd;

	igt_install_exit_handler(remove_node);
	remove_node(0);
	strcpy(node.folder, "/tmp/igt-XXXXXX");
	igt_assert(mkdtemp(node.folder));
	snprintf(node.path, sizeof(node.path), "%s/node", node.folder);
	do_or_die(chmod(node.folder, 0755));
	do_or_die(mknod(node.path, S_IFCHR | 0600, number));
	do_or_die(chmod(node.path, 0666));
	fd = open(node.path, O_RDWR | O_CLOEXEC);
	igt_require_f(fd >= 0, "no devices can be made in /tmp\n");
	close(fd);
}

static dev_t number_of(int fd)
{
	struct stat st;

	do_or_die(fstat(fd, &st));
	return st.st_rdev;
}

static dev_t number_of_render_node(const struct endpoint *ep)
{
	char *path = drmGetRenderDeviceNameFromFd(ep->fd);
	struct stat st;

	igt_require_f(path, "%s has no render node\n", ep->name);
	do_or_die(stat(path, &st));
	free(path);
	return st.st_rdev;
}

/* The descriptor is all it takes: found, changed and handed on. */
static uint32_t use_buffer(int fd, int dmabuf, uint64_t size)
{
	uint32_t handle = prime_fd_to_handle(fd, dmabuf);
	int again = prime_handle_to_fd_for_mmap(fd, handle);
	void *map = dmabuf_mmap(again, size);

	igt_assert(dmabuf_inode(again) == dmabuf_inode(dmabuf));
	prime_sync_start(again, true);
	pattern_check(map, size, 1);
	pattern_fill(map, size, 2);
	prime_sync_end(again, true);
	munmap(map, size);
	close(again);
	return handle;
}

static int __flink(int fd, uint32_t handle, uint32_t *name)
{
	struct drm_gem_flink arg = { .handle = handle };
	int err = drmIoctl(fd, DRM_IOCTL_GEM_FLINK, &arg) ? -errno : 0;

	errno = 0;
	*name = arg.name;
	return err;
}

static int __open_by_name(int fd, uint32_t name)
{
	struct drm_gem_open arg = { .name = name };
	int err = drmIoctl(fd, DRM_IOCTL_GEM_OPEN, &arg) ? -errno : 0;

	errno = 0;
	return err;
}

/* What the user's process is told, and what it asks for. */
struct talk {
	int to_user[2], to_master[2];
};

static void talk_open(struct talk *t)
{
	do_or_die(pipe(t->to_user));
	do_or_die(pipe(t->to_master));
}

static void talk_close(struct talk *t)
{
	for (int i = 0; i < 2; i++) {
		close(t->to_user[i]);
		close(t->to_master[i]);
	}
}

static void tell(int fd, uint32_t word)
{
	igt_assert_eq(write(fd, &word, sizeof(word)), sizeof(word));
}

static uint32_t hear(int fd)
{
	uint32_t word;

	igt_assert_eq(read(fd, &word, sizeof(word)), sizeof(word));
	return word;
}

/* The nodes of others are closed to it, so that all it has is what it is given. */
static int become_user(void)
{
	int fd;

	igt_drop_root();
	fd = open(node.path, O_RDWR | O_CLOEXEC);
	igt_assert_fd(fd);
	return fd;
}

static void user_on_primary(struct talk *t, int dmabuf, uint64_t size,
			    uint32_t name)
{
	int fd = become_user();
	uint32_t handle = use_buffer(fd, dmabuf, size), mine;
	drm_magic_t magic;

	igt_assert_eq(__flink(fd, handle, &mine), -EACCES);
	igt_assert_eq(__open_by_name(fd, name), -EACCES);
	igt_assert_eq(drmSetMaster(fd), -1);
	igt_assert_eq(errno, EACCES);

	do_or_die(drmGetMagic(fd, &magic));
	tell(t->to_master[1], magic);
	hear(t->to_user[0]);
	do_or_die(__flink(fd, handle, &mine));
	do_or_die(__open_by_name(fd, mine));
	do_or_die(__open_by_name(fd, name));
	close(fd);
}

/* What a subtest that has failed leaves behind, for the next to close. */
static int master = -1;

/* Somebody is master, or whoever opens the node would be. */
static void open_master(const struct endpoint *ep)
{
	if (master >= 0)
		close(master);
	master = drm_reopen_driver(ep->fd);
	igt_require_f(drmSetMaster(master) == 0,
		      "somebody else is master of %s\n", ep->name);
}

static void fill(const struct endpoint_bo *bo, uint32_t seed)
{
	void *map = dmabuf_mmap(bo->dmabuf, bo->size);

	pattern_fill(map, bo->size, seed);
	munmap(map, bo->size);
}

static void check(const struct endpoint_bo *bo, uint32_t seed)
{
	void *map = dmabuf_mmap(bo->dmabuf, bo->size);

	pattern_check(map, bo->size, seed);
	munmap(map, bo->size);
}

static void unauthenticated(const struct endpoint *exporter,
			    const struct endpoint *importer)
{
	struct endpoint_bo bo;
	struct talk talk;
	uint32_t handle, name;

	open_master(importer);
	make_node(number_of(master));
	talk_open(&talk);
	endpoint_create(exporter, 32, 32, &bo);
	fill(&bo, 1);
	handle = endpoint_import(importer, bo.dmabuf);
	gem_close(importer->fd, handle);
	handle = prime_fd_to_handle(master, bo.dmabuf);
	name = gem_flink(master, handle);
	igt_fork(child, 1)
		user_on_primary(&talk, bo.dmabuf, bo.size, name);
	/* the write end must be the child's alone, or its end goes unheard */
	close(talk.to_master[1]);
	talk.to_master[1] = -1;
	do_or_die(drmAuthMagic(master, hear(talk.to_master[0])));
	tell(talk.to_user[1], 1);
	igt_waitchildren();
	check(&bo, 2);
	talk_close(&talk);
	endpoint_destroy(&bo);
	close(master);
	master = -1;
	remove_node(0);
}

static void user_on_render(int dmabuf, uint64_t size, uint32_t name)
{
	struct vgem_bo bo = { .width = 16, .height = 16, .bpp = 32 };
	int fd = become_user();
	uint32_t handle = use_buffer(fd, dmabuf, size), mine;
	drm_magic_t magic;

	igt_assert_eq(__flink(fd, handle, &mine), -EACCES);
	igt_assert_eq(__open_by_name(fd, name), -EACCES);
	igt_assert_eq(drmGetMagic(fd, &magic), -EACCES);
	igt_assert_eq(__vgem_create(fd, &bo), -EACCES);
	gem_close(fd, handle);
	close(fd);
}

static void render_node(const struct endpoint *exporter,
			const struct endpoint *importer)
{
	struct endpoint_bo bo;
	uint32_t handle;

	make_node(number_of_render_node(importer));
	endpoint_create(exporter, 32, 32, &bo);
	fill(&bo, 1);
	handle = endpoint_import(importer, bo.dmabuf);
	igt_fork(child, 1)
		user_on_render(bo.dmabuf, bo.size,
			       gem_flink(importer->fd, handle));
	igt_waitchildren();
	check(&bo, 2);
	gem_close(importer->fd, handle);
	endpoint_destroy(&bo);
	remove_node(0);
}

/* A file that root has opened and handed on works as it does for root. */
static void inherited(const struct endpoint *exporter,
		      const struct endpoint *importer)
{
	struct endpoint_bo bo;

	endpoint_create(exporter, 32, 32, &bo);
	fill(&bo, 1);
	gem_close(importer->fd, endpoint_import(importer, bo.dmabuf));
	igt_fork(child, 1) {
		uint32_t handle, name;

		igt_drop_root();
		handle = use_buffer(importer->fd, bo.dmabuf, bo.size);
		do_or_die(__flink(importer->fd, handle, &name));
		gem_close(importer->fd, handle);
	}
	igt_waitchildren();
	check(&bo, 2);
	endpoint_destroy(&bo);
}

const struct permission_test user_tests[] = {
	{ "unauthenticated", "a primary node shares, but names need a master",
	  unauthenticated, false },
	{ "render-node", "a render node shares, and has no names at all",
	  render_node, false },
	{ "inherited-file", "a file stays what it was opened as", inherited,
	  false },
	{}
};
