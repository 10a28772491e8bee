// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu requests
 *
 * A command is compared with the bytes that the specification asks for, and not
 * with the structures that it was made by.
 */

#include <kunit/test.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include <drm/virtgpu_drm.h>

#include "../virtgpu_req.h"

/* Numbers that no two fields share, so that one in the wrong place is seen. */
static const struct vgpu_rect some_rect = { 0x11, 0x22, 0x33, 0x44 };

static u32 word(const struct vgpu_req *req, size_t offset)
{
	return get_unaligned_le32((const u8 *)&req->hdr + offset);
}

static u64 quad(const struct vgpu_req *req, size_t offset)
{
	return get_unaligned_le64((const u8 *)&req->hdr + offset);
}

static void expect_head(struct kunit *test, const struct vgpu_req *req,
			u32 type, size_t size)
{
	KUNIT_EXPECT_EQ(test, word(req, 0), type);
	KUNIT_EXPECT_EQ(test, req->size, size);
	/* no fence is asked for, and nothing left over from another command */
	KUNIT_EXPECT_EQ(test, word(req, 4), 0);
	KUNIT_EXPECT_EQ(test, quad(req, 8), 0);
}

static void expect_rect(struct kunit *test, const struct vgpu_req *req)
{
	KUNIT_EXPECT_EQ(test, word(req, 24), some_rect.x);
	KUNIT_EXPECT_EQ(test, word(req, 28), some_rect.y);
	KUNIT_EXPECT_EQ(test, word(req, 32), some_rect.width);
	KUNIT_EXPECT_EQ(test, word(req, 36), some_rect.height);
}

static struct vgpu_req *dirty_req(struct kunit *test)
{
	struct vgpu_req *req = kunit_kzalloc(test, sizeof(*req), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, req);
	memset(req, 0xa5, sizeof(*req));
	return req;
}

/* Succeeds if commands about 2D resources are as the specification has them. */
static void req_2d(struct kunit *test)
{
	const struct vgpu_texture texture = {
		.format = 2,
		.width = 640,
		.height = 480,
	};
	struct vgpu_req *req = dirty_req(test);

	vgpu_req_create_2d(req, 7, &texture);
	expect_head(test, req, 0x101, 40);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);
	KUNIT_EXPECT_EQ(test, word(req, 28), 2);
	KUNIT_EXPECT_EQ(test, word(req, 32), 640);
	KUNIT_EXPECT_EQ(test, word(req, 36), 480);

	vgpu_req_transfer_2d(req, 7, &some_rect, 0x123456789aULL);
	expect_head(test, req, 0x105, 56);
	expect_rect(test, req);
	KUNIT_EXPECT_EQ(test, quad(req, 40), 0x123456789aULL);
	KUNIT_EXPECT_EQ(test, word(req, 48), 7);

	vgpu_req_flush(req, 7, &some_rect);
	expect_head(test, req, 0x104, 48);
	expect_rect(test, req);
	KUNIT_EXPECT_EQ(test, word(req, 40), 7);

	vgpu_req_scanout(req, 3, 7, &some_rect);
	expect_head(test, req, 0x103, 48);
	expect_rect(test, req);
	KUNIT_EXPECT_EQ(test, word(req, 40), 3);
	KUNIT_EXPECT_EQ(test, word(req, 44), 7);
}

/* Succeeds if those about memory are. */
static void req_memory(struct kunit *test)
{
	const struct vgpu_blob blob = {
		.ctx_id = 5,
		.mem = 1,
		.flags = 2,
		.id = 0x1122334455ULL,
		.size = 0x6677889900ULL,
	};
	struct vgpu_req *req = dirty_req(test);

	vgpu_req_attach(req, 7, 9);
	expect_head(test, req, 0x106, 32);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);
	KUNIT_EXPECT_EQ(test, word(req, 28), 9);

	vgpu_req_detach(req, 7);
	expect_head(test, req, 0x107, 32);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);

	vgpu_req_unref(req, 7);
	expect_head(test, req, 0x102, 32);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);

	vgpu_req_create_blob(req, 7, &blob, 9);
	expect_head(test, req, 0x10c, 56);
	KUNIT_EXPECT_EQ(test, word(req, 16), 5);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);
	KUNIT_EXPECT_EQ(test, word(req, 28), 1);
	KUNIT_EXPECT_EQ(test, word(req, 32), 2);
	KUNIT_EXPECT_EQ(test, word(req, 36), 9);
	KUNIT_EXPECT_EQ(test, quad(req, 40), blob.id);
	KUNIT_EXPECT_EQ(test, quad(req, 48), blob.size);

	vgpu_req_map_blob(req, 7, 0x10000);
	expect_head(test, req, 0x208, 40);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);
	KUNIT_EXPECT_EQ(test, quad(req, 32), 0x10000);

	vgpu_req_unmap_blob(req, 7);
	expect_head(test, req, 0x209, 32);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);
}

/* Succeeds if those of contexts are, and a name without an end is cut. */
static void req_context(struct kunit *test)
{
	struct vgpu_req *req = dirty_req(test);
	char name[100];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	vgpu_req_ctx_create(req, 5, 4, name);
	expect_head(test, req, 0x200, 96);
	KUNIT_EXPECT_EQ(test, word(req, 16), 5);
	KUNIT_EXPECT_EQ(test, word(req, 24), 63);
	KUNIT_EXPECT_EQ(test, word(req, 28), 4);
	KUNIT_EXPECT_EQ(test, req->ctx_create.debug_name[62], 'n');
	KUNIT_EXPECT_EQ(test, req->ctx_create.debug_name[63], '\0');

	vgpu_req_ctx_resource(req, true, 5, 7);
	expect_head(test, req, 0x202, 32);
	KUNIT_EXPECT_EQ(test, word(req, 16), 5);
	KUNIT_EXPECT_EQ(test, word(req, 24), 7);
	vgpu_req_ctx_resource(req, false, 5, 7);
	expect_head(test, req, 0x203, 32);

	vgpu_req_submit(req, 5, 4096);
	expect_head(test, req, 0x207, 32);
	KUNIT_EXPECT_EQ(test, word(req, 16), 5);
	KUNIT_EXPECT_EQ(test, word(req, 24), 4096);

	vgpu_req_ctx_destroy(req, 5);
	expect_head(test, req, 0x201, 24);
	KUNIT_EXPECT_EQ(test, word(req, 16), 5);
}

/* Succeeds if 3D transfers go the way, and from and to where, they are to. */
static void req_transfer_3d(struct kunit *test)
{
	const struct drm_virtgpu_3d_box box = { 1, 2, 3, 4, 5, 6 };
	const struct vgpu_transfer transfer = {
		.offset = 0x99,
		.level = 8,
		.stride = 9,
		.layer_stride = 10,
	};
	struct vgpu_req *req = dirty_req(test);
	u32 i;

	vgpu_req_transfer_3d(req, true, 5, 7, &box, &transfer);
	expect_head(test, req, 0x205, 72);
	KUNIT_EXPECT_EQ(test, word(req, 16), 5);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, word(req, 24 + 4 * i), i + 1);
	KUNIT_EXPECT_EQ(test, quad(req, 48), 0x99);
	KUNIT_EXPECT_EQ(test, word(req, 56), 7);
	KUNIT_EXPECT_EQ(test, word(req, 60), 8);
	KUNIT_EXPECT_EQ(test, word(req, 64), 9);
	KUNIT_EXPECT_EQ(test, word(req, 68), 10);

	vgpu_req_transfer_3d(req, false, 5, 7, &box, &transfer);
	expect_head(test, req, 0x206, 72);
}

/* Succeeds if a cursor that is left of its output keeps its place. */
static void req_cursor(struct kunit *test)
{
	const struct vgpu_rect pos = { .x = -5, .y = 6 };
	struct vgpu_req *req = dirty_req(test);

	vgpu_req_cursor(req, 3, 7, &pos, 1, 2);
	expect_head(test, req, 0x300, 56);
	KUNIT_EXPECT_EQ(test, word(req, 24), 3);
	KUNIT_EXPECT_EQ(test, (s32)word(req, 28), -5);
	KUNIT_EXPECT_EQ(test, word(req, 32), 6);
	KUNIT_EXPECT_EQ(test, word(req, 40), 7);
	KUNIT_EXPECT_EQ(test, word(req, 44), 1);
	KUNIT_EXPECT_EQ(test, word(req, 48), 2);

	/* a host may take one without a picture for a cursor that is hidden */
	req = dirty_req(test);
	vgpu_req_cursor_move(req, 3, 7, &pos, 1, 2);
	expect_head(test, req, 0x301, 56);
	KUNIT_EXPECT_EQ(test, word(req, 24), 3);
	KUNIT_EXPECT_EQ(test, word(req, 40), 7);
	KUNIT_EXPECT_EQ(test, word(req, 44), 1);
	KUNIT_EXPECT_EQ(test, word(req, 48), 2);
}

/* Succeeds if a fence is asked for, on a ring only if there is one. */
static void req_fence(struct kunit *test)
{
	struct vgpu_req *req = dirty_req(test);

	vgpu_req_unref(req, 7);
	vgpu_req_fence(req, 0x123456789aULL, false, 6);
	KUNIT_EXPECT_EQ(test, word(req, 4), 1);
	KUNIT_EXPECT_EQ(test, quad(req, 8), 0x123456789aULL);
	KUNIT_EXPECT_EQ(test, req->hdr.ring_idx, 0);

	vgpu_req_unref(req, 7);
	vgpu_req_fence(req, 8, true, 6);
	KUNIT_EXPECT_EQ(test, word(req, 4), 3);
	KUNIT_EXPECT_EQ(test, req->hdr.ring_idx, 6);
}

static struct kunit_case req_cases[] = {
	KUNIT_CASE(req_2d),
	KUNIT_CASE(req_memory),
	KUNIT_CASE(req_context),
	KUNIT_CASE(req_transfer_3d),
	KUNIT_CASE(req_cursor),
	KUNIT_CASE(req_fence),
	{}
};

static struct kunit_suite req_suite = {
	.name = "virtio_gpu_req",
	.test_cases = req_cases,
};

kunit_test_suite(req_suite);
