/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_CLIENT_H_
#define _VIRTGPU_MOCK_CLIENT_H_

#include <kunit/test.h>
#include <linux/types.h>

/* Of framebuffers. */
#define MOCK_CLIENT_WIDTH  640
#define MOCK_CLIENT_HEIGHT 480

struct dma_buf;
struct drm_file;
struct drm_framebuffer;
struct drm_virtgpu_execbuffer;
struct drm_virtgpu_resource_create_blob;
struct vgpu_object;

struct vgpu_object *mock_client_object(struct kunit *test,
				       struct drm_file *file, u32 *handle);
struct vgpu_object *mock_client_attach(struct kunit *test,
				       struct vgpu_object *vobj);
struct vgpu_object *mock_client_import(struct kunit *test,
				       struct dma_buf *dmabuf);
struct drm_framebuffer *mock_client_fb(struct kunit *test,
				       struct drm_file *file);
struct drm_framebuffer *mock_client_fb_of(struct kunit *test,
					  struct drm_file *file, u32 format);
void mock_client_end_fb(struct kunit *test, struct drm_framebuffer *fb);
int mock_client_create_blob(struct kunit *test, struct drm_file *file,
			    struct drm_virtgpu_resource_create_blob *args);
u32 mock_client_blob_mem(struct kunit *test, struct drm_file *file, u32 handle);
u64 mock_client_copy(struct kunit *test, const void *data, size_t size);
int mock_client_execbuffer(struct kunit *test, struct drm_file *file,
			   struct drm_virtgpu_execbuffer *args);

#endif
