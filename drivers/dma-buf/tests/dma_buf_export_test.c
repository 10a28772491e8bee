// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of the buffer object
 *
 * What an export creates, how long it lives, and what user space sees of it
 * through its file: descriptors, seeking, the name, the mode.
 */

#include <linux/anon_inodes.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf.h>
#include <uapi/linux/magic.h>

#include "dma_buf_mock.h"

/* Succeeds if the buffer carries what its exporter said, and nothing else. */
static void export_fills_the_object(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf *dmabuf = buf->dmabuf;

	KUNIT_EXPECT_EQ(test, dmabuf->size, MOCK_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, dmabuf->priv, buf);
	KUNIT_EXPECT_PTR_EQ(test, dmabuf->ops, &buf->ops);
	KUNIT_EXPECT_PTR_EQ(test, dmabuf->owner, THIS_MODULE);
	KUNIT_EXPECT_STREQ(test, dmabuf->exp_name, KBUILD_MODNAME);
	KUNIT_EXPECT_NULL(test, dmabuf->name);
	KUNIT_EXPECT_TRUE(test, list_empty(&dmabuf->attachments));
	KUNIT_ASSERT_NOT_NULL(test, dmabuf->file);
	KUNIT_EXPECT_EQ(test, file_count(dmabuf->file), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if a buffer without a reservation object gets a working own one. */
static void export_brings_its_own_resv(struct kunit *test)
{
	struct mock_buffer *one = mock_export_new(test, MOCK_STATIC);
	struct mock_buffer *two = mock_export_new(test, MOCK_STATIC);

	KUNIT_ASSERT_NOT_NULL(test, one->dmabuf->resv);
	KUNIT_ASSERT_NOT_NULL(test, two->dmabuf->resv);
	KUNIT_EXPECT_PTR_NE(test, one->dmabuf->resv, two->dmabuf->resv);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(one->dmabuf->resv));

	mock_new_fence(one, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(one->dmabuf->resv,
							DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(two->dmabuf->resv,
						       DMA_RESV_USAGE_WRITE));
}

/* Succeeds if an exporter's reservation object is used, and left to it. */
static void export_uses_the_exporters_resv(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct dma_fence *fence;
	struct dma_resv *resv;

	resv = kunit_kzalloc(test, sizeof(*resv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, resv);
	dma_resv_init(resv);

	buf->resv = resv;
	mock_export(buf);
	KUNIT_EXPECT_PTR_EQ(test, buf->dmabuf->resv, resv);
	fence = mock_new_fence(buf, DMA_RESV_USAGE_WRITE);

	mock_buffer_drop(buf);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "release");
	KUNIT_EXPECT_FALSE(test,
			   dma_resv_test_signaled(resv, DMA_RESV_USAGE_WRITE));
	dma_fence_signal(fence);
	dma_resv_fini(resv);
}

/* Succeeds if the inode tells size and kind, under a number of its own. */
static void export_fills_the_inode(struct kunit *test)
{
	struct mock_buffer *one = mock_export_new(test, MOCK_STATIC);
	struct mock_buffer *two = mock_export_new(test, MOCK_STATIC);
	struct inode *inode = file_inode(one->dmabuf->file);

	KUNIT_EXPECT_EQ(test, i_size_read(inode), MOCK_SIZE);
	KUNIT_EXPECT_EQ(test, inode_get_bytes(inode), MOCK_SIZE);
	KUNIT_EXPECT_EQ(test, inode->i_sb->s_magic, DMA_BUF_MAGIC);
	KUNIT_EXPECT_NE(test, inode->i_ino,
			file_inode(two->dmabuf->file)->i_ino);
}

struct export_mode {
	const char *name;
	int flags;
	unsigned int kept;
	bool read;
	bool write;
};

static const struct export_mode export_modes[] = {
	{ "read-only", O_RDONLY, O_RDONLY, true, false },
	{ "write-only", O_WRONLY, O_WRONLY, false, true },
	{ "read-write", O_RDWR, O_RDWR, true, true },
	{ "nonblock", O_RDWR | O_NONBLOCK, O_RDWR | O_NONBLOCK, true, true },
	{ "cloexec is the descriptor's", O_RDWR | O_CLOEXEC, O_RDWR, true,
	  true },
	{ "append means nothing", O_RDWR | O_APPEND, O_RDWR, true, true },
};

KUNIT_ARRAY_PARAM_DESC(export_mode, export_modes, name);

/* Succeeds if the file has the asked access mode and no flag beyond that. */
static void export_sets_the_mode(struct kunit *test)
{
	const unsigned int mask = O_ACCMODE | O_NONBLOCK | O_CLOEXEC | O_APPEND;
	const struct export_mode *p = test->param_value;
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct file *file;

	buf->flags = p->flags;
	mock_export(buf);
	file = buf->dmabuf->file;
	KUNIT_EXPECT_EQ(test, !!(file->f_mode & FMODE_READ), p->read);
	KUNIT_EXPECT_EQ(test, !!(file->f_mode & FMODE_WRITE), p->write);
	KUNIT_EXPECT_EQ(test, file->f_flags & mask, p->kept);
}

#ifdef CONFIG_MODULE_UNLOAD
/* Succeeds if a buffer keeps its exporter's module loaded until released. */
static void export_holds_the_module(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct module *self = THIS_MODULE;
	int before;

	if (!self)
		kunit_skip(test, "the tests are built in");

	before = module_refcount(self);
	mock_export(buf);
	KUNIT_EXPECT_EQ(test, module_refcount(self), before + 1);
	mock_buffer_drop(buf);
	KUNIT_EXPECT_EQ(test, module_refcount(self), before);
}

/* Succeeds if a module that is on its way out cannot export: -ENOENT. */
static void export_refuses_a_dying_module(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct dma_buf_export_info info = {
		.exp_name = "dying",
		.ops = &buf->ops,
		.size = MOCK_SIZE,
		.priv = buf,
	};
	struct module *mod;

	mod = kunit_kzalloc(test, sizeof(*mod), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mod);
	mod->state = MODULE_STATE_GOING;

	info.owner = mod;
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_export(&info), ERR_PTR(-ENOENT));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}
#endif

/* Succeeds if the release callback runs at the last put: once, unlocked. */
static void release_at_the_last_put(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf *dmabuf = buf->dmabuf;

	get_dma_buf(dmabuf);
	KUNIT_EXPECT_EQ(test, file_count(dmabuf->file), 2);
	dma_buf_put(dmabuf);
	KUNIT_EXPECT_EQ(test, file_count(dmabuf->file), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");

	buf->owned = false;
	dma_buf_put(dmabuf);
	KUNIT_ASSERT_TRUE(test, mock_wait_released(buf));
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "release");
}

/* Succeeds if a descriptor takes over the caller's reference. */
static void fd_takes_the_reference(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	int fd;

	fd = dma_buf_fd(buf->dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);

	buf->owned = false;
	mock_close(fd);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "release");
}

/* Succeeds if O_CLOEXEC reaches the descriptor, and only when asked for. */
static void fd_close_on_exec(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	bool plain_closes, cloexec_closes;
	int plain, cloexec;

	get_dma_buf(buf->dmabuf);
	plain = dma_buf_fd(buf->dmabuf, 0);
	KUNIT_ASSERT_GE(test, plain, 0);
	get_dma_buf(buf->dmabuf);
	cloexec = dma_buf_fd(buf->dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, cloexec, 0);

	rcu_read_lock();
	plain_closes = close_on_exec(plain, current->files);
	cloexec_closes = close_on_exec(cloexec, current->files);
	rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, plain_closes);
	KUNIT_EXPECT_TRUE(test, cloexec_closes);

	mock_close(plain);
	mock_close(cloexec);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

/* Succeeds if dma_buf_fd() without a buffer is -EINVAL. */
static void fd_without_a_buffer(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dma_buf_fd(NULL, O_CLOEXEC), -EINVAL);
}

/* Succeeds if a full table is -EMFILE and the caller keeps its reference. */
static void fd_table_is_full(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	unsigned long limit = mock_fd_limit(0);
	int fd = dma_buf_fd(buf->dmabuf, O_CLOEXEC);

	mock_fd_limit(limit);
	KUNIT_EXPECT_EQ(test, fd, -EMFILE);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

/* Succeeds if a descriptor leads back to its buffer, with a new reference. */
static void get_finds_the_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf *found;
	int fd;

	get_dma_buf(buf->dmabuf);
	fd = dma_buf_fd(buf->dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);

	found = dma_buf_get(fd);
	KUNIT_EXPECT_PTR_EQ(test, found, buf->dmabuf);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 3);
	if (!IS_ERR_OR_NULL(found))
		dma_buf_put(found);

	mock_close(fd);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_get(fd), ERR_PTR(-EBADF));
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

/* Succeeds if numbers that are no open descriptor are -EBADF. */
static void get_of_a_bad_fd(struct kunit *test)
{
	static const int bad[] = { -1, INT_MIN, INT_MAX, 1 << 20 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_PTR_EQ(test, dma_buf_get(bad[i]), ERR_PTR(-EBADF));
}

static const struct file_operations foreign_fops = {
	.owner = THIS_MODULE,
};

/* Succeeds if a file of another kind is -EINVAL and keeps its references. */
static void get_of_a_foreign_file(struct kunit *test)
{
	struct file *file;
	int fd;

	fd = anon_inode_getfd("foreign", &foreign_fops, NULL, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);

	file = fget(fd);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_get(fd), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, file_count(file), 2);
	fput(file);
	mock_close(fd);
}

struct export_seek {
	const char *name;
	int whence;
	loff_t offset;
	loff_t result;
};

static const struct export_seek export_seeks[] = {
	{ "the end is the size", SEEK_END, 0, MOCK_SIZE },
	{ "back to the start", SEEK_SET, 0, 0 },
	{ "beyond the end", SEEK_END, 1, -EINVAL },
	{ "before the end", SEEK_END, -1, -EINVAL },
	{ "into the middle", SEEK_SET, PAGE_SIZE, -EINVAL },
	{ "where we are", SEEK_CUR, 0, -EINVAL },
	{ "data", SEEK_DATA, 0, -EINVAL },
	{ "hole", SEEK_HOLE, 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(export_seek, export_seeks, name);

/* Succeeds if seeking tells the size and refuses everything else. */
static void llseek_tells_the_size(struct kunit *test)
{
	const struct export_seek *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct file *file = buf->dmabuf->file;

	KUNIT_EXPECT_EQ(test, vfs_llseek(file, p->offset, p->whence),
			p->result);
	KUNIT_EXPECT_EQ(test, file->f_pos, 0);
}

static long export_set_name(struct mock_buffer *buf, unsigned int cmd,
			    const char *name)
{
	void __user *page = mock_user_page(buf->test);

	if (copy_to_user(page, name, strlen(name) + 1))
		return -ENOTRECOVERABLE;
	return mock_ioctl(buf, cmd, page);
}

/* Succeeds if both forms of the ioctl set a name, and the path shows it. */
static void name_is_set(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct file *file = buf->dmabuf->file;
	char path[64];

	KUNIT_EXPECT_STREQ(test, d_path(&file->f_path, path, sizeof(path)),
			   "/dmabuf:");

	KUNIT_EXPECT_EQ(test, export_set_name(buf, DMA_BUF_SET_NAME_A, "one"),
			0);
	KUNIT_EXPECT_STREQ(test, buf->dmabuf->name, "one");
	KUNIT_EXPECT_EQ(test, export_set_name(buf, DMA_BUF_SET_NAME_B, "two"),
			0);
	KUNIT_EXPECT_STREQ(test, buf->dmabuf->name, "two");
	KUNIT_EXPECT_STREQ(test, d_path(&file->f_path, path, sizeof(path)),
			   "/dmabuf:two");
}

/* Succeeds if a name fills the limit, and one more leaves the old name. */
static void name_is_limited(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	char name[DMA_BUF_NAME_LEN + 1];

	memset(name, 'n', sizeof(name));
	name[DMA_BUF_NAME_LEN - 1] = '\0';
	KUNIT_EXPECT_EQ(test, export_set_name(buf, DMA_BUF_SET_NAME_B, name),
			0);
	KUNIT_EXPECT_STREQ(test, buf->dmabuf->name, name);

	name[DMA_BUF_NAME_LEN - 1] = 'n';
	name[DMA_BUF_NAME_LEN] = '\0';
	KUNIT_EXPECT_EQ(test, export_set_name(buf, DMA_BUF_SET_NAME_B, name),
			-EINVAL);
	KUNIT_ASSERT_NOT_NULL(test, buf->dmabuf->name);
	KUNIT_EXPECT_EQ(test, strlen(buf->dmabuf->name), DMA_BUF_NAME_LEN - 1);
}

/* Succeeds if bad memory is -EFAULT and an unknown ioctl -ENOTTY. */
static void ioctl_refuses(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	void __user *page = mock_user_page(test);

	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, DMA_BUF_SET_NAME_B, NULL),
			-EFAULT);
	KUNIT_EXPECT_NULL(test, buf->dmabuf->name);
	KUNIT_EXPECT_EQ(test, mock_ioctl(buf, _IO(DMA_BUF_BASE, 0xff), page),
			-ENOTTY);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

static struct kunit_case dma_buf_export_cases[] = {
	KUNIT_CASE(export_fills_the_object),
	KUNIT_CASE(export_brings_its_own_resv),
	KUNIT_CASE(export_uses_the_exporters_resv),
	KUNIT_CASE(export_fills_the_inode),
	KUNIT_CASE_PARAM(export_sets_the_mode, export_mode_gen_params),
#ifdef CONFIG_MODULE_UNLOAD
	KUNIT_CASE(export_holds_the_module),
	KUNIT_CASE(export_refuses_a_dying_module),
#endif
	KUNIT_CASE(release_at_the_last_put),
	KUNIT_CASE(fd_takes_the_reference),
	KUNIT_CASE(fd_close_on_exec),
	KUNIT_CASE(fd_without_a_buffer),
	KUNIT_CASE(fd_table_is_full),
	KUNIT_CASE(get_finds_the_buffer),
	KUNIT_CASE(get_of_a_bad_fd),
	KUNIT_CASE(get_of_a_foreign_file),
	KUNIT_CASE_PARAM(llseek_tells_the_size, export_seek_gen_params),
	KUNIT_CASE(name_is_set),
	KUNIT_CASE(name_is_limited),
	KUNIT_CASE(ioctl_refuses),
	{}
};

static struct kunit_suite dma_buf_export_suite = {
	.name = "dma_buf_export",
	.test_cases = dma_buf_export_cases,
};

kunit_test_suite(dma_buf_export_suite);

MODULE_DESCRIPTION("Unit tests of the dma-buf core");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
