// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu commands and answers
 *
 * A command is compared with the bytes that the specification asks for, and not
 * with the structures that it was made by. An answer is given in every length
 * from nothing to whole, of every type, and with sizes in it that are lies.
 */

#include <kunit/test.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include <drm/virtgpu_drm.h>

#include "../virtgpu_cmd.h"

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
static void cmd_2d(struct kunit *test)
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
static void cmd_memory(struct kunit *test)
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
static void cmd_context(struct kunit *test)
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
static void cmd_transfer_3d(struct kunit *test)
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
static void cmd_cursor(struct kunit *test)
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
static void cmd_fence(struct kunit *test)
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

/* Succeeds if each type of answer has its errno, whatever the length. */
static void resp_types(struct kunit *test)
{
	static const struct {
		u32 type;
		int ret;
	} cases[] = {
		{ VIRTIO_GPU_RESP_OK_NODATA, 0 },
		{ VIRTIO_GPU_RESP_OK_EDID, -EPROTO },
		{ VIRTIO_GPU_RESP_ERR_UNSPEC, -EIO },
		{ VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, -ENOMEM },
		{ VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID, -EINVAL },
		{ VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, -EINVAL },
		{ VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, -EINVAL },
		{ VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, -EINVAL },
		{ VIRTIO_GPU_CMD_RESOURCE_UNREF, -EPROTO },
		{ 0, -EPROTO },
		{ U32_MAX, -EPROTO },
	};
	struct virtio_gpu_ctrl_hdr hdr = {};
	size_t len;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		hdr.type = cpu_to_le32(cases[i].type);
		KUNIT_EXPECT_EQ(test,
				vgpu_resp_check(&hdr, sizeof(hdr),
						VIRTIO_GPU_RESP_OK_NODATA),
				cases[i].ret);
	}

	hdr.type = cpu_to_le32(VIRTIO_GPU_RESP_OK_NODATA);
	for (len = 0; len < sizeof(hdr); len++) {
		ret = vgpu_resp_check(&hdr, len, VIRTIO_GPU_RESP_OK_NODATA);
		KUNIT_EXPECT_EQ(test, ret, -EPROTO);
	}
}

/* Succeeds if a list of outputs is read whole or not at all. */
static void resp_display_info(struct kunit *test)
{
	struct virtio_gpu_resp_display_info *info;
	struct vgpu_display display = { .enabled = true };
	size_t len;

	info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, info);
	info->hdr.type = cpu_to_le32(VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	info->pmodes[15].enabled = cpu_to_le32(0x100);
	info->pmodes[15].r.width = cpu_to_le32(640);

	for (len = 0; len < sizeof(*info); len += 4)
		KUNIT_EXPECT_EQ(test,
				vgpu_resp_display_info(info, len, 0, &display),
				-EPROTO);
	KUNIT_EXPECT_TRUE(test, display.enabled);

	KUNIT_EXPECT_EQ(test, vgpu_resp_display_info(info, len, 0, &display),
			0);
	KUNIT_EXPECT_FALSE(test, display.enabled);
	KUNIT_EXPECT_EQ(test, vgpu_resp_display_info(info, len, 15, &display),
			0);
	KUNIT_EXPECT_TRUE(test, display.enabled);
	KUNIT_EXPECT_EQ(test, display.rect.width, 640);
	KUNIT_EXPECT_EQ(test, vgpu_resp_display_info(info, len, 16, &display),
			-EPROTO);
}

/* Succeeds if an EDID is never longer than what the host has written. */
static void resp_edid(struct kunit *test)
{
	struct virtio_gpu_resp_edid *edid;
	const void *data;
	size_t size, head = offsetof(typeof(*edid), edid);

	edid = kunit_kzalloc(test, sizeof(*edid), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, edid);
	edid->hdr.type = cpu_to_le32(VIRTIO_GPU_RESP_OK_EDID);

	edid->size = cpu_to_le32(128);
	KUNIT_EXPECT_EQ(test, vgpu_resp_edid(edid, head + 127, &data, &size),
			-EPROTO);
	KUNIT_EXPECT_EQ(test, vgpu_resp_edid(edid, head - 1, &data, &size),
			-EPROTO);
	KUNIT_EXPECT_EQ(test, vgpu_resp_edid(edid, head + 128, &data, &size),
			0);
	KUNIT_EXPECT_PTR_EQ(test, data, (const void *)edid->edid);
	KUNIT_EXPECT_EQ(test, size, 128);

	edid->size = 0;
	KUNIT_EXPECT_EQ(test, vgpu_resp_edid(edid, sizeof(*edid), &data, &size),
			-EPROTO);
	edid->size = cpu_to_le32(1025);
	KUNIT_EXPECT_EQ(test, vgpu_resp_edid(edid, SIZE_MAX, &data, &size),
			-EPROTO);
	edid->size = cpu_to_le32(U32_MAX);
	KUNIT_EXPECT_EQ(test, vgpu_resp_edid(edid, sizeof(*edid), &data, &size),
			-EPROTO);
}

/* Succeeds if a capset that cannot be is not taken. */
static void resp_capset(struct kunit *test)
{
	struct virtio_gpu_resp_capset_info info = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_RESP_OK_CAPSET_INFO),
		.capset_id = cpu_to_le32(63),
		.capset_max_version = cpu_to_le32(2),
		.capset_max_size = cpu_to_le32(VGPU_CAPSET_MAX_SIZE),
	};
	struct virtio_gpu_ctrl_hdr hdr = {
		.type = cpu_to_le32(VIRTIO_GPU_RESP_OK_CAPSET),
	};
	struct vgpu_capset capset;
	const void *data;
	size_t size;

	KUNIT_EXPECT_EQ(test,
			vgpu_resp_capset_info(&info, sizeof(info), &capset), 0);
	KUNIT_EXPECT_EQ(test, capset.id, 63);
	KUNIT_EXPECT_EQ(test, capset.max_version, 2);
	KUNIT_EXPECT_EQ(test,
			vgpu_resp_capset_info(&info, sizeof(info) - 1, &capset),
			-EPROTO);
	info.capset_max_size = cpu_to_le32(VGPU_CAPSET_MAX_SIZE + 1);
	KUNIT_EXPECT_EQ(test,
			vgpu_resp_capset_info(&info, sizeof(info), &capset),
			-EPROTO);
	info.capset_max_size = 0;
	info.capset_id = cpu_to_le32(64);
	KUNIT_EXPECT_EQ(test,
			vgpu_resp_capset_info(&info, sizeof(info), &capset),
			-EPROTO);
	info.capset_id = 0;
	KUNIT_EXPECT_EQ(test,
			vgpu_resp_capset_info(&info, sizeof(info), &capset),
			-EPROTO);

	KUNIT_EXPECT_EQ(test, vgpu_resp_capset(&hdr, sizeof(hdr), &data, &size),
			0);
	KUNIT_EXPECT_EQ(test, size, 0);
	KUNIT_EXPECT_EQ(test,
			vgpu_resp_capset(&hdr, sizeof(hdr) - 1, &data, &size),
			-EPROTO);
}

/* Succeeds if names and mappings are read whole or not at all. */
static void resp_uuid_and_map(struct kunit *test)
{
	struct virtio_gpu_resp_resource_uuid answer = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_RESP_OK_RESOURCE_UUID),
		.uuid = { 1, 2, 3 },
	};
	struct virtio_gpu_resp_map_info map = {
		.hdr.type = cpu_to_le32(VIRTIO_GPU_RESP_OK_MAP_INFO),
		.map_info = (__force u32)cpu_to_le32(0xf3),
	};
	uuid_t uuid;
	u32 caching;

	KUNIT_EXPECT_EQ(test,
			vgpu_resp_uuid(&answer, sizeof(answer) - 1, &uuid),
			-EPROTO);
	KUNIT_EXPECT_EQ(test, vgpu_resp_uuid(&answer, sizeof(answer), &uuid),
			0);
	KUNIT_EXPECT_EQ(test, uuid.b[2], 3);

	KUNIT_EXPECT_EQ(test,
			vgpu_resp_map_info(&map, sizeof(map) - 1, &caching),
			-EPROTO);
	KUNIT_EXPECT_EQ(test, vgpu_resp_map_info(&map, sizeof(map), &caching),
			0);
	KUNIT_EXPECT_EQ(test, caching, VIRTIO_GPU_MAP_CACHE_WC);
}

static struct kunit_case cmd_cases[] = { KUNIT_CASE(cmd_2d),
					 KUNIT_CASE(cmd_memory),
					 KUNIT_CASE(cmd_context),
					 KUNIT_CASE(cmd_transfer_3d),
					 KUNIT_CASE(cmd_cursor),
					 KUNIT_CASE(cmd_fence),
					 KUNIT_CASE(resp_types),
					 KUNIT_CASE(resp_display_info),
					 KUNIT_CASE(resp_edid),
					 KUNIT_CASE(resp_capset),
					 KUNIT_CASE(resp_uuid_and_map),
					 {} };

static struct kunit_suite cmd_suite = {
	.name = "virtio_gpu_cmd",
	.test_cases = cmd_cases,
};

kunit_test_suite(cmd_suite);
