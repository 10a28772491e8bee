// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: a client for tests
 *
 * What user space does before it comes to what a test is about. The test's private
 * pointer is the host, see virtgpu_mock_host.c.
 */

#include <kunit/test.h>
#include <linux/dma-resv.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mode.h>
#include <drm/drm_mode_config.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_gem.h"
#include "../virtgpu_import.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_object.h"
#include "../virtgpu_submit.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

/**
 * mock_client_object - make a buffer that a context renders with
 * @test: the test
 * @file: gets a handle of it, and its last reference
 * @handle: the handle
 *
 * Return: the buffer.
 */
struct vgpu_object *mock_client_object(struct kunit *test,
				       struct drm_file *file, u32 *handle)
{
	struct mock_host *host = test->priv;
	struct vgpu_object *vobj = vgpu_object_create(host->vgpu, PAGE_SIZE);
	int ret;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vobj);
	vobj->res.kind = VGPU_RES_3D;
	vgpu_object_publish(vobj);
	ret = drm_gem_handle_create(file, &vobj->storage.base, handle);
	drm_gem_object_put(&vobj->storage.base);
	KUNIT_ASSERT_EQ(test, ret, 0);
	mock_host_settle(host);
	return vobj;
}

/**
 * mock_client_attach - have the host know a buffer, as the commit that shows it does
 * @test: the test
 * @vobj: the buffer, which is a dumb one now
 *
 * Return: @vobj.
 */
struct vgpu_object *mock_client_attach(struct kunit *test,
				       struct vgpu_object *vobj)
{
	struct mock_host *host = test->priv;
	struct dma_resv *resv = vobj->storage.base.resv;

	vobj->dumb = true;
	vobj->res.kind = VGPU_RES_2D;
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, vgpu_object_attach_locked(vobj, NULL), 0);
	dma_resv_unlock(resv);
	vgpu_queue_kick(&host->vgpu->ctrl);
	mock_host_settle(host);
	return vobj;
}

/**
 * mock_client_import - import a buffer of others, and mock_client_attach() it
 * @test: the test
 * @dmabuf: the buffer
 *
 * Return: what it is here, the caller's.
 */
struct vgpu_object *mock_client_import(struct kunit *test,
				       struct dma_buf *dmabuf)
{
	struct mock_host *host = test->priv;
	struct drm_gem_object *obj;

	obj = vgpu_prime_import(host->vgpu->drm, dmabuf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	return mock_client_attach(test, to_vgpu_object(obj));
}

static void put_fb(void *fb)
{
	drm_framebuffer_put(fb);
}

/**
 * mock_client_fb - make a framebuffer of a dumb buffer
 * @test: puts it in the end
 * @file: whose it is
 *
 * Return: the framebuffer, of %MOCK_CLIENT_WIDTH and %MOCK_CLIENT_HEIGHT.
 */
struct drm_framebuffer *mock_client_fb(struct kunit *test,
				       struct drm_file *file)
{
	return mock_client_fb_of(test, file, DRM_FORMAT_HOST_XRGB8888);
}

/**
 * mock_client_fb_of - mock_client_fb() of a format
 * @test: puts it in the end
 * @file: whose it is
 * @format: of the pixels, of 32 bits each
 *
 * Return: the framebuffer.
 */
struct drm_framebuffer *mock_client_fb_of(struct kunit *test,
					  struct drm_file *file, u32 format)
{
	struct drm_mode_create_dumb dumb = {
		.width = MOCK_CLIENT_WIDTH,
		.height = MOCK_CLIENT_HEIGHT,
		.bpp = 32,
	};
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_mode_fb_cmd2 cmd = {
		.width = MOCK_CLIENT_WIDTH,
		.height = MOCK_CLIENT_HEIGHT,
		.pixel_format = format,
	};
	struct drm_framebuffer *fb;

	KUNIT_ASSERT_EQ(test, vgpu_dumb_create(file, drm, &dumb), 0);
	cmd.handles[0] = dumb.handle;
	cmd.pitches[0] = dumb.pitch;
	fb = drm->mode_config.funcs->fb_create(drm, file, &cmd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fb);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_fb, fb), 0);
	/* it keeps the buffer */
	drm_gem_handle_delete(file, dumb.handle);
	return fb;
}

/**
 * mock_client_end_fb - give a framebuffer up before the end of the test
 * @test: the test
 * @fb: of mock_client_fb() or mock_client_fb_of()
 */
void mock_client_end_fb(struct kunit *test, struct drm_framebuffer *fb)
{
	kunit_release_action(test, put_fb, fb);
}

/**
 * mock_client_create_blob - VIRTGPU_RESOURCE_CREATE_BLOB
 * @test: the test
 * @file: the client
 * @args: what it wants; a page of that, if it does not say how much
 *
 * Return: what the system call does.
 */
int mock_client_create_blob(struct kunit *test, struct drm_file *file,
			    struct drm_virtgpu_resource_create_blob *args)
{
	struct mock_host *host = test->priv;
	const struct drm_ioctl_desc *create =
		&vgpu_ioctls[DRM_VIRTGPU_RESOURCE_CREATE_BLOB];

	args->size = args->size ?: PAGE_SIZE;
	return create->func(host->vgpu->drm, args, file);
}

/**
 * mock_client_blob_mem - what VIRTGPU_RESOURCE_INFO tells of a blob
 * @test: the test
 * @file: the client
 * @handle: of any object
 *
 * Return: where its memory is, 0 if it is no blob to the client.
 */
u32 mock_client_blob_mem(struct kunit *test, struct drm_file *file, u32 handle)
{
	struct drm_virtgpu_resource_info args = { .bo_handle = handle };
	struct mock_host *host = test->priv;
	const struct drm_ioctl_desc *info =
		&vgpu_ioctls[DRM_VIRTGPU_RESOURCE_INFO];

	KUNIT_EXPECT_EQ(test, info->func(host->vgpu->drm, &args, file), 0);
	return args.blob_mem;
}

/**
 * mock_client_copy - give a process something at an address of its own
 * @test: the test, whose process it is
 * @data: what
 * @size: of @data, in bytes, a page at most
 *
 * Return: the address.
 */
u64 mock_client_copy(struct kunit *test, const void *data, size_t size)
{
	unsigned long addr, left;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	left = copy_to_user((void __user *)addr, data, size);
	KUNIT_ASSERT_EQ(test, left, 0);
	return addr;
}

/**
 * mock_client_execbuffer - VIRTGPU_EXECBUFFER with a command that is nothing
 * @test: the test
 * @file: the client
 * @args: the rest
 *
 * Return: what the system call does.
 */
int mock_client_execbuffer(struct kunit *test, struct drm_file *file,
			   struct drm_virtgpu_execbuffer *args)
{
	struct mock_host *host = test->priv;
	const u32 nothing = 0;

	args->command = mock_client_copy(test, &nothing, sizeof(nothing));
	args->size = args->size ?: sizeof(nothing);
	return vgpu_execbuffer_ioctl(host->vgpu->drm, args, file);
}
