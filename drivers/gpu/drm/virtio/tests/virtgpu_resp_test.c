// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu answers
 *
 * An answer is given in every length from nothing to whole, of every type, and with
 * sizes in it that are lies.
 */

#include <kunit/test.h>
#include <linux/string.h>

#include "../virtgpu_resp.h"

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

static struct kunit_case resp_cases[] = {
	KUNIT_CASE(resp_types),
	KUNIT_CASE(resp_display_info),
	KUNIT_CASE(resp_edid),
	KUNIT_CASE(resp_capset),
	KUNIT_CASE(resp_uuid_and_map),
	{}
};

static struct kunit_suite resp_suite = {
	.name = "virtio_gpu_resp",
	.test_cases = resp_cases,
};

kunit_test_suite(resp_suite);
