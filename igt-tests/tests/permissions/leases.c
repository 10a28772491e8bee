// SPDX-License-Identifier: MIT
/* A display that its master has leased to another, who shows imported buffers. */

#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>

#include "igt.h"
#include "igt_kms.h"

#include "../kms.h"
#include "permissions.h"

#define WIDTH  160
#define HEIGHT 120

/* The lessee's view of a display. */
struct lease {
	struct kms master, lessee;
	uint32_t id, plane;
};

static void lease_open(struct lease *l, const struct endpoint *ep)
{
	uint32_t objects[3];
	int fd;

	kms_open(&l->master, ep, WIDTH, HEIGHT);
	l->plane = kms_plane(&l->master, DRM_PLANE_TYPE_PRIMARY);
	objects[0] = l->master.crtc;
	objects[1] = l->master.connector;
	objects[2] = l->plane;
	fd = drmModeCreateLease(l->master.ep.fd, objects, ARRAY_SIZE(objects),
				O_CLOEXEC, &l->id);
	igt_assert_fd(fd);
	l->lessee = l->master;
	l->lessee.ep.fd = fd;
	do_or_die(drmSetClientCap(fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1));
	do_or_die(drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1));
	do_or_die(drmModeCreatePropertyBlob(fd, &l->lessee.mode,
					    sizeof(l->lessee.mode),
					    &l->lessee.mode_blob));
}

static void lease_close(struct lease *l)
{
	close(l->lessee.ep.fd);
	kms_close(&l->master);
}

static uint32_t add_fb(const struct kms *kms, uint32_t handle, uint32_t pitch)
{
	uint32_t strides[4] = { pitch }, offsets[4] = {}, fb;

	do_or_die(__kms_addfb(kms->ep.fd, handle, kms->width, kms->height,
			      DRM_FORMAT_XRGB8888, 0, strides, offsets, 1, 0,
			      &fb));
	return fb;
}

static uint64_t shown(const struct lease *l)
{
	uint64_t fb = 0;

	igt_assert(kmstest_get_property(l->master.ep.fd, l->plane,
					DRM_MODE_OBJECT_PLANE, "FB_ID", NULL,
					&fb, NULL));
	return fb;
}

/* By the older call, which needs no look at the planes. */
static int __flip(const struct kms *kms, uint32_t fb)
{
	int err = drmModePageFlip(kms->ep.fd, kms->crtc, fb, 0, NULL);

	errno = 0;
	return err;
}

static void lessee_imports(const struct endpoint *exporter,
			   const struct endpoint *importer)
{
	struct endpoint_bo bo;
	uint32_t handle, fb;
	struct lease l;
	ino_t inode;
	int again;

	lease_open(&l, importer);
	endpoint_create(exporter, l.master.width, l.master.height, &bo);
	inode = dmabuf_inode(bo.dmabuf);
	handle = endpoint_import(&l.lessee.ep, bo.dmabuf);
	/* the lessee's handle is not the master's */
	igt_assert_eq(__prime_handle_to_fd(l.master.ep.fd, handle, 0, &again),
		      -ENOENT);
	again = prime_handle_to_fd(l.lessee.ep.fd, handle);
	igt_assert(dmabuf_inode(again) == inode);
	close(again);
	fb = add_fb(&l.lessee, handle, bo.pitch);
	kms_show(&l.lessee, fb);
	igt_assert_eq_u64(shown(&l), fb);
	endpoint_destroy(&bo);
	igt_assert_neq(dmabuf_alive(inode), 0);
	lease_close(&l);
	dmabuf_expect_gone(inode);
}

/* What is shown stays, for it belongs to the file and not to the lease. */
static void lease_revoked(const struct endpoint *exporter,
			  const struct endpoint *importer)
{
	struct endpoint_bo bo;
	uint32_t handle, fb;
	struct lease l;
	ino_t inode;
	int again;

	lease_open(&l, importer);
	endpoint_create(exporter, l.master.width, l.master.height, &bo);
	inode = dmabuf_inode(bo.dmabuf);
	handle = endpoint_import(&l.lessee.ep, bo.dmabuf);
	fb = add_fb(&l.lessee, handle, bo.pitch);
	kms_show(&l.lessee, fb);
	do_or_die(__flip(&l.lessee, fb));
	endpoint_destroy(&bo);

	do_or_die(drmModeRevokeLease(l.master.ep.fd, l.id));
	igt_assert_eq(__flip(&l.lessee, fb), -ENOENT);
	igt_assert_eq_u64(shown(&l), fb);
	again = prime_handle_to_fd(l.lessee.ep.fd, handle);
	igt_assert(dmabuf_inode(again) == inode);
	close(again);
	gem_close(l.lessee.ep.fd, handle);
	igt_assert_neq(dmabuf_alive(inode), 0);

	close(l.lessee.ep.fd);
	igt_assert_eq_u64(shown(&l), 0);
	dmabuf_expect_gone(inode);
	kms_close(&l.master);
}

const struct permission_test lease_tests[] = {
	{ "lessee-imports", "a lessee shows a buffer that it has imported",
	  lessee_imports, true },
	{ "lease-revoked", "the lease is revoked while a buffer is shown",
	  lease_revoked, true },
	{}
};
