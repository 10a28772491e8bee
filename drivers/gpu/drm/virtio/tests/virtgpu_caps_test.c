// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: tests of virtio-gpu capability sets
 *
 * What the host says that it can is asked once, checked, and given to any client,
 * none of which can hold up another.
 */

#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/virtgpu_drm.h>

#include "../virtgpu_caps.h"
#include "../virtgpu_resp.h"
#include "virtgpu_mock_client.h"
#include "virtgpu_mock_host.h"

#define CAPSET 2

static int caps_test_init(struct kunit *test)
{
	struct mock_host *host = mock_host_create(test);

	host->auto_answer = mock_host_obeys;
	host->vgpu->has_virgl = true;
	test->priv = host;
	return 0;
}

static void caps_test_exit(struct kunit *test)
{
	mock_host_end(test->priv);
}

/**
 * struct watched_page - one of a process, that tells who holds what
 */
struct watched_page {
	/** @page: the page */
	struct page *page;

	/** @lock: somebody's, who should not hold it when the page is touched */
	struct mutex *lock;

	/** @touched: how often the page was */
	int touched;

	/** @locked: how often the lock was held then */
	int locked;
};

static vm_fault_t watched_fault(struct vm_fault *vmf)
{
	struct watched_page *watched = vmf->vma->vm_private_data;

	watched->touched++;
	watched->locked += mutex_is_locked(watched->lock);
	get_page(watched->page);
	vmf->page = watched->page;
	return 0;
}

static const struct vm_operations_struct watched_vm_ops = {
	.fault = watched_fault,
};

static int watched_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &watched_vm_ops;
	return 0;
}

static const struct file_operations watched_fops = {
	.owner = THIS_MODULE,
	.mmap = watched_mmap,
};

static struct mock_answer tells_capset(struct mock_host *host,
				       const struct vgpu_req *req)
{
	static const struct {
		struct virtio_gpu_ctrl_hdr hdr;
		u8 data[16];
	} capset = { .data = "all that it can" };

	return mock_host_says(req, VIRTIO_GPU_CMD_GET_CAPSET,
			      VIRTIO_GPU_RESP_OK_CAPSET, &capset,
			      sizeof(capset));
}

static void have_capset(struct mock_host *host)
{
	static struct vgpu_capset capset = {
		.id = CAPSET,
		.max_version = 1,
		.max_size = 16,
	};

	host->vgpu->capsets = &capset;
	host->vgpu->num_capsets = 1;
	host->auto_answer = tells_capset;
}

static void put_watched(void *page)
{
	put_page(page);
}

/* Succeeds if a client that takes its time with its memory holds up no other. */
static void caps_are_written_unlocked(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_virtgpu_get_caps args = {
		.cap_set_id = CAPSET,
		.cap_set_ver = 1,
		.size = 16,
	};
	struct watched_page watched = { .lock = &host->vgpu->caps_lock };
	unsigned long left;
	struct file *filp;
	char data[16] = "";
	int ret;

	watched.page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, watched.page);
	ret = kunit_add_action_or_reset(test, put_watched, watched.page);
	KUNIT_ASSERT_EQ(test, ret, 0);
	filp = anon_inode_getfile("watched", &watched_fops, &watched, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, filp);
	args.addr = kunit_vm_mmap(test, filp, 0, PAGE_SIZE,
				  PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(filp);
	KUNIT_ASSERT_NE(test, args.addr, 0);
	have_capset(host);

	KUNIT_EXPECT_EQ(test, vgpu_get_caps_ioctl(host->vgpu->drm, &args, file),
			0);
	KUNIT_EXPECT_EQ(test, watched.touched, 1);
	KUNIT_EXPECT_EQ(test, watched.locked, 0);
	left = copy_from_user(data, u64_to_user_ptr(args.addr), sizeof(data));
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_STREQ(test, data, "all that it can");

	KUNIT_EXPECT_EQ(test, vm_munmap(args.addr, PAGE_SIZE), 0);
	vgpu_caps_forget(host->vgpu);
}

/* Succeeds if the host is asked once, and for nothing that it does not have. */
static void caps_are_asked_once(struct kunit *test)
{
	struct mock_host *host = test->priv;
	struct drm_device *drm = host->vgpu->drm;
	struct drm_file *file = mock_host_open(test, host);
	struct drm_virtgpu_get_caps args = {
		.cap_set_id = CAPSET,
		.cap_set_ver = 1,
		.size = 8,
	};
	unsigned int *asked = &host->seen[VIRTIO_GPU_CMD_GET_CAPSET];
	char data[16] = "........ here";
	unsigned long left;

	args.addr = mock_client_copy(test, data, sizeof(data));
	KUNIT_EXPECT_LT(test, vgpu_get_caps_ioctl(drm, &args, file), 0);
	KUNIT_EXPECT_EQ(test, *asked, 0);
	have_capset(host);
	KUNIT_EXPECT_EQ(test, vgpu_get_caps_ioctl(drm, &args, file), 0);
	KUNIT_EXPECT_EQ(test, vgpu_get_caps_ioctl(drm, &args, file), 0);
	KUNIT_EXPECT_EQ(test, *asked, 1);
	/* as much as there is room for */
	left = copy_from_user(data, u64_to_user_ptr(args.addr), sizeof(data));
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_STREQ(test, data, "all that here");

	args.cap_set_ver = 2;
	KUNIT_EXPECT_EQ(test, vgpu_get_caps_ioctl(drm, &args, file), -EINVAL);
	args.cap_set_ver = 1;
	args.cap_set_id = CAPSET + 1;
	KUNIT_EXPECT_EQ(test, vgpu_get_caps_ioctl(drm, &args, file), -EINVAL);
	args.cap_set_id = CAPSET;
	args.size = 0;
	KUNIT_EXPECT_EQ(test, vgpu_get_caps_ioctl(drm, &args, file), -EINVAL);
	KUNIT_EXPECT_EQ(test, *asked, 1);
	vgpu_caps_forget(host->vgpu);
}

static struct kunit_case caps_cases[] = { KUNIT_CASE(caps_are_asked_once),
					  KUNIT_CASE(caps_are_written_unlocked),
					  {} };

static struct kunit_suite caps_suite = {
	.name = "virtio_gpu_caps",
	.init = caps_test_init,
	.exit = caps_test_exit,
	.test_cases = caps_cases,
};

kunit_test_suite(caps_suite);
