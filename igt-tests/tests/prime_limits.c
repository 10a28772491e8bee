// SPDX-License-Identifier: MIT
/*
 * As many buffers as a file can be given, and descriptors when there is room for no
 * more of them. What has failed has left nothing, and succeeds when there is room.
 */

#include <dirent.h>
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "igt_vgem.h"
#include "sw_sync.h"

#include "cards.h"
#include "kms.h"

/**
 * TEST: Limits of sharing
 * Description: As many imports as a file can be given, and every call that gives a
 *	descriptor where none is left.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: no-fds-export
 * Description: PRIME_HANDLE_TO_FD when there is no descriptor left.
 *
 * SUBTEST: no-fds-heap
 * Description: DMA_HEAP_IOCTL_ALLOC when there is no descriptor left.
 *
 * SUBTEST: no-fds-udmabuf
 * Description: UDMABUF_CREATE when there is no descriptor left.
 *
 * SUBTEST: no-fds-sync-file
 * Description: EXPORT_SYNC_FILE when there is no descriptor left.
 *
 * SUBTEST: no-fds-received
 * Description: A dma-buf over a socket when there is no descriptor left.
 *
 * SUBTEST: no-fds-syncobj
 * Description: SYNCOBJ_HANDLE_TO_FD when there is no descriptor left.
 *
 * SUBTEST: no-fds-syncobj-sync-file
 * Description: SYNCOBJ_HANDLE_TO_FD of a fence when there is no descriptor left.
 *
 * SUBTEST: no-fds-out-fence
 * Description: OUT_FENCE_PTR of a commit that shows an import when there is no descriptor left.
 *
 * SUBTEST: no-fds-lease
 * Description: MODE_CREATE_LEASE when there is no descriptor left.
 *
 * SUBTEST: many-handles
 * Description: A file that has imported 65536 buffers.
 */

IGT_TEST_DESCRIPTION("Many handles, and no descriptor left.");

#define MANY 65536

static const struct endpoint *eps_of_test;
static int num_eps;

static const struct endpoint *find(const char *driver)
{
	for (int i = 0; i < num_eps; i++)
		if (strcmp(eps_of_test[i].driver, driver) == 0)
			return &eps_of_test[i];
	igt_skip("no %s\n", driver);
}

static const struct endpoint *find_type(enum endpoint_type type)
{
	for (int i = 0; i < num_eps; i++)
		if (eps_of_test[i].type == type)
			return &eps_of_test[i];
	igt_skip("nobody has such buffers\n");
}

/* How many dma-bufs there are, or -1 where nobody counts. */
static int count_dmabufs(void)
{
	DIR *dir = opendir("/sys/kernel/dmabuf/buffers");
	int n = 0;

	if (!dir) {
		errno = 0;
		return -1;
	}
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* A new dma-buf of one page, whose exporter keeps nothing. */
static int new_dmabuf(const struct endpoint *exporter)
{
	struct vgem_bo bo = { .width = 16, .height = 16, .bpp = 32 };
	int dmabuf;

	vgem_create(exporter->fd, &bo);
	dmabuf = prime_handle_to_fd(exporter->fd, bo.handle);
	gem_close(exporter->fd, bo.handle);
	return dmabuf;
}

/* The first, the middle and the last stay, to be looked up. */
static bool is_kept(int i)
{
	return i == 0 || i == MANY / 2 || i == MANY - 1;
}

static void many_handles(const struct endpoint *exporter,
			 const struct endpoint *importer)
{
	struct endpoint mine = *importer;
	int kept[3], num = 0, before, again;
	uint32_t *handle = calloc(MANY, sizeof(*handle)), kept_handle[3];
	ino_t inode[3];

	mine.fd = drm_reopen_driver(importer->fd);
	igt_assert(handle);
	before = count_dmabufs();
	for (int i = 0; i < MANY; i++) {
		int dmabuf = new_dmabuf(exporter);

		handle[i] = endpoint_import(&mine, dmabuf);
		/* ids are given in order, so that a double is seen here */
		igt_assert(i == 0 || handle[i] != handle[i - 1]);
		if (is_kept(i)) {
			inode[num] = dmabuf_inode(dmabuf);
			kept_handle[num] = handle[i];
			kept[num++] = dmabuf;
		} else {
			close(dmabuf);
		}
	}
	if (before >= 0)
		igt_assert_eq(count_dmabufs(), before + MANY);
	for (int i = 0; i < num; i++) {
		igt_assert_eq_u32(prime_fd_to_handle(mine.fd, kept[i]),
				  kept_handle[i]);
		again = prime_handle_to_fd(mine.fd, kept_handle[i]);
		igt_assert(dmabuf_inode(again) == inode[i]);
		close(again);
		close(kept[i]);
	}
	/* Half by hand, the others with the file. */
	for (int i = 0; i < MANY; i += 2)
		gem_close(mine.fd, handle[i]);
	close(mine.fd);
	for (int i = 0; i < num; i++)
		dmabuf_expect_gone(inode[i]);
	if (before >= 0)
		igt_assert_eq(count_dmabufs(), before);
	free(handle);
}

/* What a call needs; each uses what it has use for. */
struct held {
	struct endpoint_bo bo;
	struct kms kms;
	uint32_t number;
	int fd[2];
};

static void make_bo(struct held *h)
{
	endpoint_create(find("vgem"), 16, 16, &h->bo);
	/* it must be exported by the call */
	close(h->bo.dmabuf);
}

static void drop_bo(struct held *h)
{
	gem_close(h->bo.ep->fd, h->bo.handle);
}

static int call_export(struct held *h)
{
	int dmabuf, err;

	err = __prime_handle_to_fd(h->bo.ep->fd, h->bo.handle, 0, &dmabuf);
	return err ?: dmabuf;
}

static void make_nothing(struct held *h)
{
	(void)h;
}

static void make_heap(struct held *h)
{
	h->fd[0] = find_type(ENDPOINT_HEAP)->fd;
}

static int call_heap(struct held *h)
{
	struct dma_heap_allocation_data arg = {
		.len = 4096,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	return ioctl(h->fd[0], DMA_HEAP_IOCTL_ALLOC, &arg) ? -errno :
							     (int)arg.fd;
}

static void make_memfd(struct held *h)
{
	h->fd[0] = find_type(ENDPOINT_UDMABUF)->fd;
	h->fd[1] = memfd_create("igt", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	igt_assert_fd(h->fd[1]);
	do_or_die(ftruncate(h->fd[1], 4096));
	do_or_die(fcntl(h->fd[1], F_ADD_SEALS, F_SEAL_SHRINK));
}

static int call_udmabuf(struct held *h)
{
	struct udmabuf_create arg = {
		.memfd = h->fd[1],
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = 4096,
	};
	int fd = ioctl(h->fd[0], UDMABUF_CREATE, &arg);

	return fd < 0 ? -errno : fd;
}

static void drop_memfd(struct held *h)
{
	close(h->fd[1]);
}

static void make_dmabuf(struct held *h)
{
	h->fd[0] = new_dmabuf(find("vgem"));
}

static int call_sync_file(struct held *h)
{
	struct dma_buf_export_sync_file arg = { .flags = DMA_BUF_SYNC_RW };

	return ioctl(h->fd[0], DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg) ? -errno :
								       arg.fd;
}

static void drop_first(struct held *h)
{
	close(h->fd[0]);
}

static void make_socket(struct held *h)
{
	do_or_die(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h->fd));
	for (int i = 0; i < 2; i++) {
		int dmabuf = new_dmabuf(find("vgem"));

		send_fd(h->fd[0], dmabuf);
		close(dmabuf);
	}
}

/* There is no errno for it: the message comes, and the descriptor does not. */
static int call_receive(struct held *h)
{
	int fd, err = __receive_fd(h->fd[1], &fd, 0);

	return err == -ENOMSG ? -EMFILE : err ?: fd;
}

static void drop_both(struct held *h)
{
	close(h->fd[0]);
	close(h->fd[1]);
}

static void make_syncobj(struct held *h)
{
	for (int i = 0; i < num_eps; i++) {
		h->fd[0] = eps_of_test[i].fd;
		if (eps_of_test[i].type == ENDPOINT_DRM &&
		    drmSyncobjCreate(h->fd[0], DRM_SYNCOBJ_CREATE_SIGNALED,
				     &h->number) == 0)
			return;
	}
	igt_skip("no device with syncobjs\n");
}

static int call_syncobj(struct held *h)
{
	int fd, err = drmSyncobjHandleToFD(h->fd[0], h->number, &fd);

	return err ? -errno : fd;
}

static int call_syncobj_file(struct held *h)
{
	int fd, err = drmSyncobjExportSyncFile(h->fd[0], h->number, &fd);

	return err ? -errno : fd;
}

static void drop_syncobj(struct held *h)
{
	do_or_die(drmSyncobjDestroy(h->fd[0], h->number));
}

static void make_display(struct held *h)
{
	const struct endpoint *vkms = find("vkms");
	uint32_t strides[4], offsets[4] = {}, handle;

	kms_open(&h->kms, vkms, 160, 120);
	endpoint_create(find("vgem"), h->kms.width, h->kms.height, &h->bo);
	strides[0] = h->bo.pitch;
	handle = prime_fd_to_handle(h->kms.ep.fd, h->bo.dmabuf);
	do_or_die(__kms_addfb(h->kms.ep.fd, handle, h->kms.width, h->kms.height,
			      DRM_FORMAT_XRGB8888, 0, strides, offsets, 1, 0,
			      &h->number));
	kms_show(&h->kms, h->number);
}

static int call_out_fence(struct held *h)
{
	int out = -1, err;
	struct kms_fences fences = { .in = -1, .out = &out };
	struct kms_layer layer = {
		.plane = kms_plane(&h->kms, DRM_PLANE_TYPE_PRIMARY),
		.fb = h->number,
		.width = h->kms.width,
		.height = h->kms.height,
	};

	err = __kms_show(&h->kms, &layer, 1, &fences, 0);
	/* none that was not given may be told */
	igt_assert(!err || out == -1);
	return err ?: out;
}

static int call_lease(struct held *h)
{
	uint32_t lessee, objects[] = {
		h->kms.crtc,
		h->kms.connector,
		kms_plane(&h->kms, DRM_PLANE_TYPE_PRIMARY),
	};

	return drmModeCreateLease(h->kms.ep.fd, objects, ARRAY_SIZE(objects),
				  O_CLOEXEC, &lessee);
}

static void drop_display(struct held *h)
{
	kms_close(&h->kms);
	endpoint_destroy(&h->bo);
}

/* A call that gives a descriptor: returns it, or -errno. */
static const struct giver {
	const char *name, *describe;
	void (*make)(struct held *h);
	int (*call)(struct held *h);
	void (*drop)(struct held *h);
} givers[] = {
	{ "export", "PRIME_HANDLE_TO_FD", make_bo, call_export, drop_bo },
	{ "heap", "DMA_HEAP_IOCTL_ALLOC", make_heap, call_heap, make_nothing },
	{ "udmabuf", "UDMABUF_CREATE", make_memfd, call_udmabuf, drop_memfd },
	{ "sync-file", "EXPORT_SYNC_FILE", make_dmabuf, call_sync_file,
	  drop_first },
	{ "received", "a dma-buf over a socket", make_socket, call_receive,
	  drop_both },
	{ "syncobj", "SYNCOBJ_HANDLE_TO_FD", make_syncobj, call_syncobj,
	  drop_syncobj },
	{ "syncobj-sync-file", "SYNCOBJ_HANDLE_TO_FD of a fence", make_syncobj,
	  call_syncobj_file, drop_syncobj },
	{ "out-fence", "OUT_FENCE_PTR of a commit that shows an import",
	  make_display, call_out_fence, drop_display },
	{ "lease", "MODE_CREATE_LEASE", make_display, call_lease,
	  drop_display },
};

/* With no number left, and with one that is. */
static void full_table(const struct giver *g)
{
	struct held held = {};
	struct rlimit old, none;
	int given, before, fds, after;

	do_or_die(getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 0;
	g->make(&held);
	before = count_dmabufs();
	fds = count_open_fds();
	do_or_die(setrlimit(RLIMIT_NOFILE, &none));
	given = g->call(&held);
	do_or_die(setrlimit(RLIMIT_NOFILE, &old));
	errno = 0;
	igt_assert_eq(given, -EMFILE);
	igt_assert_eq(count_open_fds(), fds);
	after = count_dmabufs();
	/* a message that has come without its dma-buf has had the last of it */
	igt_assert_lte(after, before);

	given = g->call(&held);
	igt_assert_lte(0, given);
	igt_assert_eq(count_open_fds(), fds + 1);
	close(given);
	g->drop(&held);
}

igt_main
{
	struct endpoint eps[MAX_ENDPOINTS];

	igt_fixture {
		cards_load();
		num_eps = endpoints_open(eps, MAX_ENDPOINTS);
		eps_of_test = eps;
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(givers); i++) {
		igt_describe_f("%s when there is no descriptor left",
			       givers[i].describe);
		igt_subtest_f("no-fds-%s", givers[i].name)
			full_table(&givers[i]);
	}

	igt_describe("a file that has imported 65536 buffers");
	igt_subtest_with_dynamic("many-handles") {
		for (int i = 0; i < num_eps; i++) {
			const struct endpoint *a = find("vgem"), *b = &eps[i];

			if (a == b || !b->imports)
				continue;
			igt_dynamic_f("%s-to-%s", a->name, b->name)
				many_handles(a, b);
		}
	}

	igt_fixture {
		endpoints_close(eps, num_eps);
	}
}
