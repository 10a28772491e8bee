// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu contexts
 *
 * A client says once which kind of context it wants, how many rings, and of which
 * it wants to be told. QEMU of Debian 12 has no hosts for that.
 */

#include <kunit/test.h>
#include <linux/list.h>
#include <linux/string.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_context.h"
#include "../virtgpu_ioctl.h"
#include "../virtgpu_resp.h"
#include "../virtgpu_submit.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

#define CAPSET 4
#define RINGS  2

static int context_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->has_virgl = true;
	host->vgpu->has_context_init = true;
	host->vgpu->capset_mask = BIT_ULL(CAPSET);
	test->priv = host;
	return 0;
}

static void context_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

/**
 * struct wish - what a client says of the context that it wants
 * @name: of the case
 * @params: what it says
 * @count: how many of them
 * @result: of the system call
 */
struct wish {
	const char *name;
	struct drm_virtgpu_context_set_param params[4];
	u32 count;
	int result;
};

#define KIND(id)                                    \
	{                                           \
		VIRTGPU_CONTEXT_PARAM_CAPSET_ID, id \
	}
#define NUM_RINGS(n)                               \
	{                                          \
		VIRTGPU_CONTEXT_PARAM_NUM_RINGS, n \
	}
#define POLL(mask)                                          \
	{                                                   \
		VIRTGPU_CONTEXT_PARAM_POLL_RINGS_MASK, mask \
	}

static const struct wish wishes[] = {
	{ "nothing", {}, 0, 0 },
	{ "a kind", { KIND(CAPSET) }, 1, 0 },
	{ "a kind that is not there", { KIND(CAPSET + 1) }, 1, -EINVAL },
	{ "a kind beyond all", { KIND(VGPU_CAPSET_MAX_ID + 1) }, 1, -EINVAL },
	{ "two kinds", { KIND(CAPSET), KIND(CAPSET) }, 2, -EINVAL },
	{ "all rings", { NUM_RINGS(64), POLL(~0ULL) }, 2, 0 },
	{ "no rings", { NUM_RINGS(0) }, 1, 0 },
	{ "no rings, then some", { NUM_RINGS(0), NUM_RINGS(1) }, 2, -EINVAL },
	{ "told of none of them", { NUM_RINGS(0), POLL(1) }, 2, -EINVAL },
	{ "too many rings", { NUM_RINGS(65) }, 1, -EINVAL },
	{ "rings twice", { NUM_RINGS(1), NUM_RINGS(1) }, 2, -EINVAL },
	{ "told of a ring", { POLL(2), NUM_RINGS(2) }, 2, 0 },
	{ "told of no such ring", { NUM_RINGS(2), POLL(4) }, 2, -EINVAL },
	{ "told without rings", { POLL(1) }, 1, -EINVAL },
	{ "told twice", { NUM_RINGS(2), POLL(1), POLL(2) }, 3, -EINVAL },
	{ "what is not known", { { 77, 1 } }, 1, -EINVAL },
	{ "more than there is", {}, 5, -EINVAL },
};

static void wish_desc(const struct wish *wish, char *desc)
{
	strscpy(desc, wish->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(wish, wishes, wish_desc);

static int init(struct kunit *test, struct drm_file *file,
		const struct wish *wish)
{
	struct mock_host *host = test->priv;
	struct drm_virtgpu_context_init args = {
		.num_params = wish->count,
	};

	args.ctx_set_params =
		mock_client_copy(test, wish->params, sizeof(wish->params));
	return vgpu_context_init_ioctl(host->vgpu->drm, &args, file);
}

/*
 * Succeeds if the host makes a context of the kind, or none if it cannot be. To ask for
 * no rings is what stock's driver takes: broken by refusing it, by forgetting that it
 * was asked, and, as a warning in the log, by asking for no fence contexts.
 */
static void context_as_wished(struct kunit *test)
{
	const struct wish *wish = test->param_value;
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	bool has_kind =
		wish->params[0].param == VIRTGPU_CONTEXT_PARAM_CAPSET_ID;
	unsigned int *made = &host->seen[VIRTIO_GPU_CMD_CTX_CREATE];

	KUNIT_EXPECT_EQ(test, init(test, file, wish), wish->result);
	KUNIT_EXPECT_EQ(test, *made, !wish->result);
	if (wish->result)
		return;
	KUNIT_EXPECT_EQ(test, le32_to_cpu(host->req.ctx_create.context_init),
			has_kind ? CAPSET : 0);
	/* there is one for each file, and it is as it is */
	KUNIT_EXPECT_EQ(test, init(test, file, wish), -EEXIST);
	KUNIT_EXPECT_EQ(test, *made, 1);
	mock_host_settle(host);
}

static u32 number_of(struct drm_file *file)
{
	struct vgpu_file *vfile = file->driver_priv;

	return vfile->ctx_id;
}

/*
 * Succeeds if a context ends with its file, and its number is another's when the host has
 * said so, and not before; of a file without a context the host hears nothing.
 */
static void context_ends_with_its_file(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	unsigned int *ended = &host->seen[VIRTIO_GPU_CMD_CTX_DESTROY];
	u32 number = number_of(file);

	KUNIT_ASSERT_EQ(test, init(test, file, &wishes[0]), 0);
	mock_host_settle(host);
	host->auto_answer = NULL;
	mock_host_close(test, file);
	KUNIT_ASSERT_EQ(test, mock_host_waiting(host), 1);
	file = mock_host_open(test, host);
	KUNIT_EXPECT_NE(test, number_of(file), number);
	mock_host_close(test, file);

	mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(host->req.hdr.ctx_id), number);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *ended, 1);
	KUNIT_EXPECT_EQ(test, number_of(mock_host_open(test, host)), number);
}

/* Succeeds if a host without kinds of contexts is not asked for one. */
static void context_of_an_old_host(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);

	host->vgpu->has_context_init = false;
	KUNIT_EXPECT_EQ(test, init(test, file, &wishes[0]), -EINVAL);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE], 0);
}

/**
 * struct glance - a transfer of a buffer that is not there
 * @name: of the case
 * @ioctl: which way
 * @made: the host has a context after it
 */
struct glance {
	const char *name;
	unsigned int ioctl;
	bool made;
};

static const struct glance glances[] = {
	{ "from the host", DRM_VIRTGPU_TRANSFER_FROM_HOST, true },
	{ "to the host", DRM_VIRTGPU_TRANSFER_TO_HOST, false },
};

static void glance_desc(const struct glance *glance, char *desc)
{
	strscpy(desc, glance->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(glance, glances, glance_desc);

/*
 * Succeeds if a transfer that fails for want of a buffer makes a context where stock's
 * driver makes one, as a client finds who asks for a kind of context after it. Broken
 * by looking for the buffer first, or never.
 */
static void context_of_no_buffer(struct kunit *test)
{
	const struct glance *glance = test->param_value;
	struct drm_virtgpu_3d_transfer_from_host args = { .bo_handle = 77 };
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	const struct drm_ioctl_desc *transfer = &vgpu_ioctls[glance->ioctl];

	KUNIT_EXPECT_EQ(test, transfer->func(host->vgpu->drm, &args, file),
			-ENOENT);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, host->seen[VIRTIO_GPU_CMD_CTX_CREATE],
			glance->made);
	KUNIT_EXPECT_EQ(test, init(test, file, &wishes[0]),
			glance->made ? -EEXIST : 0);
	mock_host_settle(host);
}

static const struct wish two_rings = {
	"",
	{ NUM_RINGS(RINGS), POLL(BIT_ULL(1)) },
	2,
	0,
};

static int submit(struct kunit *test, struct drm_file *file, u32 ring)
{
	struct drm_virtgpu_execbuffer args = {
		.flags = VIRTGPU_EXECBUF_RING_IDX,
		.ring_idx = ring,
	};

	return mock_client_execbuffer(test, file, &args);
}

static unsigned int events(struct drm_file *file)
{
	struct drm_device *drm = file->minor->dev;
	unsigned int count;

	spin_lock_irq(&drm->event_lock);
	count = list_count_nodes(&file->event_list);
	spin_unlock_irq(&drm->event_lock);
	return count;
}

static const struct wish no_rings = { "", { NUM_RINGS(0) }, 1, 0 };

/* Succeeds if a context without rings has none. Broken by having the one it has room for. */
static void no_ring_is_there(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);

	KUNIT_ASSERT_EQ(test, init(test, file, &no_rings), 0);
	KUNIT_EXPECT_EQ(test, submit(test, file, 0), -EINVAL);
	mock_host_settle(host);
}

/*
 * Succeeds if the host hears which ring a command is for, and the client when it is
 * over, of the rings that it wants to be told of.
 */
static void rings_are_told(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	const struct virtio_gpu_ctrl_hdr *hdr = &host->req.hdr;
	unsigned int *submitted = &host->seen[VIRTIO_GPU_CMD_SUBMIT_3D];

	KUNIT_EXPECT_EQ(test, submit(test, file, 0), -EINVAL);
	KUNIT_ASSERT_EQ(test, init(test, file, &two_rings), 0);
	KUNIT_EXPECT_EQ(test, submit(test, file, RINGS), -EINVAL);
	KUNIT_EXPECT_EQ(test, *submitted, 0);

	KUNIT_EXPECT_EQ(test, submit(test, file, 0), 0);
	mock_host_settle(host);
	KUNIT_EXPECT_EQ(test, *submitted, 1);
	KUNIT_EXPECT_EQ(test, events(file), 0);

	host->auto_answer = NULL;
	KUNIT_EXPECT_EQ(test, submit(test, file, 1), 0);
	KUNIT_EXPECT_EQ(test, events(file), 0);
	mock_host_answer(host, MOCK_OK);
	mock_host_tell(host);
	KUNIT_EXPECT_TRUE(test, le32_to_cpu(hdr->flags) &
					VIRTIO_GPU_FLAG_INFO_RING_IDX);
	KUNIT_EXPECT_EQ(test, hdr->ring_idx, 1);
	KUNIT_EXPECT_EQ(test, events(file), 1);
	host->auto_answer = mock_host_obeys;
	mock_host_settle(host);
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE_PARAM(context_as_wished, wish_gen_params),
	KUNIT_CASE(context_ends_with_its_file),
	KUNIT_CASE(context_of_an_old_host),
	KUNIT_CASE_PARAM(context_of_no_buffer, glance_gen_params),
	KUNIT_CASE(no_ring_is_there),
	KUNIT_CASE(rings_are_told),
	{}
};

static struct kunit_suite context_suite = {
	.name = "virtio_gpu_context",
	.init = context_test_init,
	.exit = context_test_exit,
	.test_cases = context_cases,
};

kunit_test_suite(context_suite);
