// SPDX-License-Identifier: MIT
/*
 * The two PRIME ioctls with input that is right, nearly right, and wrong. What
 * is refused must be refused with the documented errno, must leave no descriptor
 * behind, and must leave the object usable.
 */

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "endpoint.h"

/**
 * TEST: Arguments of the two ioctls of PRIME
 * Description: PRIME_HANDLE_TO_FD and PRIME_FD_TO_HANDLE with arguments right
 *	and wrong, on each DRM device.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: handle-to-fd-bad-flags
 * Description: Any flag but CLOEXEC and RDWR is EINVAL.
 *
 * SUBTEST: handle-to-fd-bad-handle
 * Description: Handles that never were are ENOENT.
 *
 * SUBTEST: handle-to-fd-foreign-handle
 * Description: Another file's handle is ENOENT.
 *
 * SUBTEST: handle-to-fd-closed-handle
 * Description: A closed handle is ENOENT, and its number reused is a new
 *	dma-buf.
 *
 * SUBTEST: handle-to-fd-mode-stays
 * Description: The first export decides the file's mode.
 *
 * SUBTEST: handle-to-fd-no-fds
 * Description: EMFILE, and the object is none the worse.
 *
 * SUBTEST: fd-to-handle-bad-fd
 * Description: Descriptors that are not open are EBADF.
 *
 * SUBTEST: fd-to-handle-not-dmabuf
 * Description: Descriptors of other things are EINVAL.
 *
 * SUBTEST: fd-to-handle-flags-unread
 * Description: Import reads neither flags nor handle.
 *
 * SUBTEST: render-node
 * Description: Both ioctls work on a render node.
 *
 * SUBTEST: handle-to-fd-cloexec
 * Description: FD_CLOEXEC is set exactly if asked for.
 *
 * SUBTEST: handle-to-fd-rdwr
 * Description: The file is writable exactly if asked for.
 */

IGT_TEST_DESCRIPTION("Arguments of PRIME_HANDLE_TO_FD and PRIME_FD_TO_HANDLE.");

static uint32_t new_handle(int fd)
{
	struct vgem_bo bo = { .width = 64, .height = 64, .bpp = 32 };

	vgem_create(fd, &bo);
	return bo.handle;
}

/* The number that the next descriptor gets: one that is lost is not open either. */
static int next_fd(void)
{
	int fd = dup(STDIN_FILENO);

	igt_assert_fd(fd);
	close(fd);
	return fd;
}

static void export_bad_flags(const struct endpoint *ep)
{
	uint32_t handle = new_handle(ep->fd);
	int fds = count_open_fds(), dmabuf, err;

	for (int bit = 0; bit < 32; bit++) {
		uint32_t flag = 1u << bit;

		if (flag & (DRM_CLOEXEC | DRM_RDWR))
			continue;
		err = __prime_handle_to_fd(ep->fd, handle, flag, &dmabuf);
		igt_assert_eq(err, -EINVAL);
		flag |= DRM_CLOEXEC | DRM_RDWR;
		err = __prime_handle_to_fd(ep->fd, handle, flag, &dmabuf);
		igt_assert_eq(err, -EINVAL);
		igt_assert_eq(dmabuf, -1);
	}
	igt_assert_eq(count_open_fds(), fds);
	close(prime_handle_to_fd(ep->fd, handle));
	gem_close(ep->fd, handle);
}

static void export_bad_handle(const struct endpoint *ep)
{
	uint32_t handle = new_handle(ep->fd);
	int fds = count_open_fds(), next = next_fd(), dmabuf;

	igt_assert_eq(__prime_handle_to_fd(ep->fd, 0, 0, &dmabuf), -ENOENT);
	igt_assert_eq(__prime_handle_to_fd(ep->fd, ~0u, 0, &dmabuf), -ENOENT);
	igt_assert_eq(__prime_handle_to_fd(ep->fd, handle + 1000, 0, &dmabuf),
		      -ENOENT);
	gem_close(ep->fd, handle);
	igt_assert_eq(__prime_handle_to_fd(ep->fd, handle, 0, &dmabuf),
		      -ENOENT);
	igt_assert_eq(count_open_fds(), fds);
	igt_assert_eq(next_fd(), next);
}

/* A handle means something only to the file that created it. */
static void export_foreign_handle(const struct endpoint *ep)
{
	uint32_t handle = new_handle(ep->fd);
	int other = drm_reopen_driver(ep->fd), dmabuf;

	igt_assert_eq(__prime_handle_to_fd(other, handle, 0, &dmabuf), -ENOENT);
	close(other);
	gem_close(ep->fd, handle);
}

/* The cache must forget a handle: its number is given out again. */
static void export_closed_handle(const struct endpoint *ep)
{
	uint32_t handle = new_handle(ep->fd), next;
	int old = prime_handle_to_fd(ep->fd, handle), dmabuf;
	int new;

	gem_close(ep->fd, handle);
	igt_assert_eq(__prime_handle_to_fd(ep->fd, handle, 0, &dmabuf),
		      -ENOENT);
	next = new_handle(ep->fd);
	new = prime_handle_to_fd(ep->fd, next);
	igt_assert_f(dmabuf_inode(old) != dmabuf_inode(new),
		     "handle %u (then %u) gives the closed object's dma-buf\n",
		     handle, next);
	close(old);
	close(new);
	gem_close(ep->fd, next);
}

static void check_cloexec(const struct endpoint *ep, uint32_t flags)
{
	uint32_t handle = new_handle(ep->fd);
	int dmabuf;

	do_or_die(__prime_handle_to_fd(ep->fd, handle, flags, &dmabuf));
	igt_assert_eq(!!(fcntl(dmabuf, F_GETFD) & FD_CLOEXEC),
		      !!(flags & DRM_CLOEXEC));
	close(dmabuf);

	/* Also when the dma-buf exists already. */
	do_or_die(__prime_handle_to_fd(ep->fd, handle, flags ^ DRM_CLOEXEC,
				       &dmabuf));
	igt_assert_eq(!!(fcntl(dmabuf, F_GETFD) & FD_CLOEXEC),
		      !(flags & DRM_CLOEXEC));
	close(dmabuf);
	gem_close(ep->fd, handle);
}

static void export_cloexec(const struct endpoint *ep)
{
	check_cloexec(ep, 0);
	check_cloexec(ep, DRM_CLOEXEC);
}

static void check_rdwr(const struct endpoint *ep, uint32_t flags)
{
	int mode = flags & DRM_RDWR ? O_RDWR : O_RDONLY, dmabuf;
	uint32_t handle = new_handle(ep->fd);
	void *map;

	do_or_die(__prime_handle_to_fd(ep->fd, handle, flags, &dmabuf));
	igt_assert_eq(fcntl(dmabuf, F_GETFL) & O_ACCMODE, mode);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);
	if (mode == O_RDWR) {
		igt_assert(map != MAP_FAILED);
		munmap(map, 4096);
	} else {
		igt_assert(map == MAP_FAILED);
		igt_assert_eq(errno, EACCES);
	}
	close(dmabuf);
	gem_close(ep->fd, handle);
}

static void export_rdwr(const struct endpoint *ep)
{
	check_rdwr(ep, 0);
	check_rdwr(ep, DRM_RDWR);
}

/* One object has one dma-buf, and its file has one mode. */
static void first_mode_stays(const struct endpoint *ep)
{
	uint32_t handle = new_handle(ep->fd);
	int first, second;

	do_or_die(__prime_handle_to_fd(ep->fd, handle, 0, &first));
	do_or_die(__prime_handle_to_fd(ep->fd, handle, DRM_RDWR, &second));
	igt_assert(dmabuf_inode(first) == dmabuf_inode(second));
	igt_assert_eq(fcntl(second, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(first);
	close(second);
	gem_close(ep->fd, handle);
}

static void import_bad_fd(const struct endpoint *ep)
{
	int gone = open("/dev/null", O_RDONLY);
	uint32_t handle;

	close(gone);
	igt_assert_eq(__prime_fd_to_handle(ep->fd, -1, &handle), -EBADF);
	igt_assert_eq(__prime_fd_to_handle(ep->fd, gone, &handle), -EBADF);
	igt_assert_eq(__prime_fd_to_handle(ep->fd, 1 << 30, &handle), -EBADF);
}

static void refuse_and_close(const struct endpoint *ep, int fd)
{
	uint32_t handle;

	igt_assert_fd(fd);
	igt_assert_eq(__prime_fd_to_handle(ep->fd, fd, &handle), -EINVAL);
	close(fd);
}

/* Descriptors of every kind that is not a dma-buf. */
static void import_not_dmabuf(const struct endpoint *ep)
{
	uint32_t handle;
	int pair[2];

	refuse_and_close(ep, open("/dev/null", O_RDWR));
	refuse_and_close(ep, open("/proc/self/exe", O_RDONLY));
	refuse_and_close(ep, open("/", O_RDONLY | O_DIRECTORY));
	refuse_and_close(ep, memfd_create("igt", 0));
	do_or_die(pipe(pair));
	refuse_and_close(ep, pair[0]);
	refuse_and_close(ep, pair[1]);
	do_or_die(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	refuse_and_close(ep, pair[0]);
	close(pair[1]);
	igt_assert_eq(__prime_fd_to_handle(ep->fd, ep->fd, &handle), -EINVAL);
}

/* libdrm's callers never filled this field: it must stay unread. */
static void import_flags_unread(const struct endpoint *ep)
{
	uint32_t handle = new_handle(ep->fd);
	struct drm_prime_handle arg = {
		.fd = prime_handle_to_fd(ep->fd, handle),
		.flags = ~0u,
		.handle = ~0u,
	};

	do_ioctl(ep->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);
	igt_assert_eq_u32(arg.handle, handle);
	close(arg.fd);
	gem_close(ep->fd, handle);
}

static void export_without_fds(const struct endpoint *ep)
{
	uint32_t handle = new_handle(ep->fd);
	struct rlimit old, none;
	int dmabuf, err;

	do_or_die(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	do_or_die(setrlimit(RLIMIT_NOFILE, &none));
	err = __prime_handle_to_fd(ep->fd, handle, DRM_RDWR, &dmabuf);
	do_or_die(setrlimit(RLIMIT_NOFILE, &old));
	igt_assert_eq(err, -EMFILE);

	/* The failed export must not have left half a dma-buf. */
	dmabuf = prime_handle_to_fd(ep->fd, handle);
	igt_assert_eq_u32(prime_fd_to_handle(ep->fd, dmabuf), handle);
	gem_close(ep->fd, handle);
	close(dmabuf);
}

static void render_node(const struct endpoint *ep)
{
	char *path = drmGetRenderDeviceNameFromFd(ep->fd);
	uint32_t handle, back;
	int render, dmabuf;

	igt_require_f(path, "%s has no render node\n", ep->name);
	render = open(path, O_RDWR | O_CLOEXEC);
	free(path);
	igt_assert_fd(render);

	handle = new_handle(ep->fd);
	dmabuf = prime_handle_to_fd(ep->fd, handle);
	back = prime_fd_to_handle(render, dmabuf);
	close(dmabuf);
	dmabuf = prime_handle_to_fd(render, back);
	igt_assert_eq_u32(prime_fd_to_handle(ep->fd, dmabuf), handle);
	close(dmabuf);
	close(render);
	gem_close(ep->fd, handle);
}

static const struct exporter_test tests[] = {
	{ "handle-to-fd-bad-flags", "any flag but CLOEXEC and RDWR is EINVAL",
	  export_bad_flags },
	{ "handle-to-fd-bad-handle", "handles that never were are ENOENT",
	  export_bad_handle },
	{ "handle-to-fd-foreign-handle", "another file's handle is ENOENT",
	  export_foreign_handle },
	{ "handle-to-fd-closed-handle",
	  "a closed handle is ENOENT, and its number reused is a new dma-buf",
	  export_closed_handle },
	{ "handle-to-fd-mode-stays", "the first export decides the file's mode",
	  first_mode_stays },
	{ "handle-to-fd-no-fds", "EMFILE, and the object is none the worse",
	  export_without_fds },
	{ "fd-to-handle-bad-fd", "descriptors that are not open are EBADF",
	  import_bad_fd },
	{ "fd-to-handle-not-dmabuf", "descriptors of other things are EINVAL",
	  import_not_dmabuf },
	{ "fd-to-handle-flags-unread", "import reads neither flags nor handle",
	  import_flags_unread },
	{ "render-node", "both ioctls work on a render node", render_node },
	{ "handle-to-fd-cloexec", "FD_CLOEXEC is set exactly if asked for",
	  export_cloexec },
	{ "handle-to-fd-rdwr", "the file is writable exactly if asked for",
	  export_rdwr },
	{}
};

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		cards_load();
		num = endpoints_open_drm(eps, MAX_ENDPOINTS);
		igt_require_f(num, "no DRM device\n");
	}

	exporter_subtests(tests, eps, num);

	igt_fixture {
		endpoints_close(eps, num);
	}
}
