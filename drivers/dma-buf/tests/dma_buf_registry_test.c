// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of what an administrator sees
 *
 * fdinfo, bufinfo and the statistics in sysfs must show a buffer from its
 * export to its release, and not a moment longer. The last two are read through
 * their files; where those are not mounted, the case is skipped.
 */

#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-buf.h>

#include "dma_buf_mock.h"

#define BUFINFO	    "/sys/kernel/debug/dma_buf/bufinfo"
#define BUFINFO_ROW "\n%08zu\t%08x\t%08x\t%08ld\t%s\t%08lu\t%s\n"
#define BUFFERS	    "/sys/kernel/dmabuf/buffers"
#define TEXT_SIZE   SZ_64K
#define MANY_FENCES 128

static const char *registry_fdinfo(struct mock_buffer *buf)
{
	struct file *file = buf->dmabuf->file;
	struct seq_file seq = { .size = PAGE_SIZE };

	seq.buf = kunit_kzalloc(buf->test, seq.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(buf->test, seq.buf);

	/* procfs holds a reference meanwhile, which is not to be counted. */
	get_file(file);
	file->f_op->show_fdinfo(&seq, file);
	__fput_sync(file);
	return seq.buf;
}

/* Succeeds if fdinfo tells size, references, exporter and, once set, name. */
static void fdinfo_tells(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	void __user *page = mock_user_page(test);
	const char *text;

	text = registry_fdinfo(buf);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "size:\t16384\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "count:\t1\n"));
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(text, "exp_name:\t" KBUILD_MODNAME "\n"));
	KUNIT_EXPECT_NULL(test, strstr(text, "\nname:"));

	KUNIT_ASSERT_EQ(test, copy_to_user(page, "frame", 6), 0);
	KUNIT_ASSERT_EQ(test, mock_ioctl(buf, DMA_BUF_SET_NAME_B, page), 0);
	get_dma_buf(buf->dmabuf);
	text = registry_fdinfo(buf);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "count:\t2\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nname:\tframe\n"));
	dma_buf_put(buf->dmabuf);
}

static void registry_close(void *file)
{
	__fput_sync(file);
}

static struct file *registry_open_bufinfo(struct kunit *test)
{
	struct file *file = filp_open(BUFINFO, O_RDONLY, 0);

	if (IS_ERR(file))
		kunit_skip(test, "no " BUFINFO);
	mock_defer(test, registry_close, file);
	return file;
}

/* debugfs can only be read to user memory, so the text takes that way. */
const char *mock_bufinfo(struct kunit *test)
{
	void __user *page = mock_user_page(test);
	struct file *file = registry_open_bufinfo(test);
	size_t len = 0;
	char *text;
	loff_t pos = 0;
	ssize_t n;

	text = kunit_kzalloc(test, TEXT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);

	while (len + PAGE_SIZE < TEXT_SIZE) {
		n = file->f_op->read(file, page, PAGE_SIZE, &pos);
		KUNIT_ASSERT_GE(test, n, 0);
		if (!n)
			break;
		KUNIT_ASSERT_EQ(test, copy_from_user(text + len, page, n), 0);
		len += n;
	}
	kunit_release_action(test, registry_close, file);
	return text;
}

const char *mock_bufinfo_row(struct mock_buffer *buf, const char *text,
			     const char *name)
{
	struct file *file = buf->dmabuf->file;
	char row[128];

	snprintf(row, sizeof(row), BUFINFO_ROW, buf->dmabuf->size,
		 file->f_flags, file->f_mode, file_count(file), buf->exp_name,
		 file_inode(file)->i_ino, name);
	return strstr(text, row);
}

/* Succeeds if bufinfo shows a buffer's row from the export to the release. */
static void bufinfo_lists_the_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	const char *row;

	buf->exp_name = "bufinfo_lists_the_buffer";
	KUNIT_EXPECT_NULL(test, strstr(mock_bufinfo(test), buf->exp_name));
	mock_export(buf);
	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_EXPECT_NOT_NULL(test, row);
	mock_buffer_drop(buf);
	KUNIT_EXPECT_NULL(test, strstr(mock_bufinfo(test), buf->exp_name));
}

/* Succeeds if bufinfo shows buffers of any CPU, and not what another one has put. */
static void bufinfo_lists_those_of_all_cpus(struct kunit *test)
{
	struct mock_buffer *bufs[8] = {};
	int cpu, count = 0;
	const char *text;

	for_each_online_cpu(cpu) {
		if (count == ARRAY_SIZE(bufs))
			break;
		KUNIT_ASSERT_EQ(test, 0,
				set_cpus_allowed_ptr(current,
						     cpumask_of(cpu)));
		bufs[count] = mock_buffer_new(test, MOCK_STATIC);
		bufs[count]->exp_name = __func__;
		mock_export(bufs[count++]);
	}

	text = mock_bufinfo(test);
	while (count--) {
		KUNIT_EXPECT_NOT_NULL(test, mock_bufinfo_row(bufs[count], text,
							     "<none>"));
		mock_buffer_drop(bufs[count]);
	}
	KUNIT_EXPECT_NULL(test, strstr(mock_bufinfo(test), __func__));
}

/* Succeeds if bufinfo shows who is attached, and counts them. */
static void bufinfo_lists_the_devices(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "shown");
	struct dma_buf_attachment *attach;
	const char *row, *name, *total;
	char line[64];

	snprintf(line, sizeof(line), "\t%s\n", dev_name(dev));
	attach = mock_attach(buf, dev, NULL);
	mock_attach(buf, dev, &mock_importer);

	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	name = strstr(row, line);
	total = strstr(row, "Total 2 devices attached\n");
	KUNIT_ASSERT_NOT_NULL(test, name);
	KUNIT_ASSERT_NOT_NULL(test, total);
	KUNIT_EXPECT_TRUE(test, name < total);

	mock_detach(buf, attach);
	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, "Total 1 devices attached\n"));
}

/*
 * Succeeds if bufinfo tells how scattered a mapping is that the core keeps. Past
 * mainline, which names the device alone.
 */
static void bufinfo_counts_the_entries(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct device *dev = mock_device(test, "scattered");
	struct dma_buf_attachment *attach = mock_attach(buf, dev, NULL);
	struct sg_table *sgt;
	const char *row;
	char line[96];

	mock_past_mainline(test);
	snprintf(line, sizeof(line), "\t%s\n", dev_name(dev));
	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, line));

	sgt = mock_map(attach, DMA_BIDIRECTIONAL);
	snprintf(line, sizeof(line),
		 "\t%s\n\t\tmapped 1, pinned 0, sg entries %u\n", dev_name(dev),
		 sgt->nents);
	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, line));
	mock_unmap(attach, sgt, DMA_BIDIRECTIONAL);
}

static void expect_attached(struct mock_buffer *buf, struct device *dev,
			    const char *counts)
{
	struct kunit *test = buf->test;
	const char *row;
	char line[96];

	snprintf(line, sizeof(line), "\t%s\n\t\t%s\n", dev_name(dev), counts);
	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(row, line), "no '%s'", counts);
}

/*
 * Succeeds if bufinfo tells whose pins keep the storage where it is, those of the
 * core for a static importer included. Past mainline, as above.
 */
static void bufinfo_counts_the_pins(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *loose = mock_device(test, "loose");
	struct device *fixed = mock_device(test, "fixed");
	struct device *peer = mock_device(test, "peer");
	struct dma_buf_attachment *attach, *kept;
	char counts[64];

	mock_past_mainline(test);
	attach = mock_attach(buf, loose, &mock_importer);
	kept = mock_attach(buf, fixed, NULL);
	mock_attach(buf, peer, &mock_importer_p2p);
	KUNIT_ASSERT_NOT_NULL(test, kept->sgt);
	snprintf(counts, sizeof(counts), "mapped 0, pinned 1, sg entries %u",
		 kept->sgt->nents);

	KUNIT_EXPECT_EQ(test, mock_pin(attach), 0);
	KUNIT_EXPECT_EQ(test, mock_pin(attach), 0);
	expect_attached(buf, loose, "mapped 0, pinned 2, dynamic");
	expect_attached(buf, fixed, counts);
	expect_attached(buf, peer, "mapped 0, pinned 0, dynamic, peer-to-peer");

	mock_unpin(attach);
	mock_unpin(attach);
	expect_attached(buf, loose, "mapped 0, pinned 0, dynamic");
}

/* Succeeds if bufinfo is whole where it is longer than anyone could guess. */
static void bufinfo_outgrows_its_guess(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	unsigned int i, shown = 0;
	const char *row;

	/* A line each, and nothing in the count of buffers that tells. */
	for (i = 0; i < MANY_FENCES; i++)
		mock_new_fence(buf, DMA_RESV_USAGE_READ);

	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, "\nTotal "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, " objects, "));
	while ((row = strstr(row, "dma_buf_kunit test"))) {
		shown++;
		row++;
	}
	KUNIT_EXPECT_EQ(test, shown, MANY_FENCES);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

/* Succeeds if a signal ends a reader's wait for a lock, and nothing is left. */
static void bufinfo_is_interrupted(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct mock_keeper keeper;
	struct file *file = registry_open_bufinfo(test);
	void __user *page = mock_user_page(test);
	loff_t pos = 0;
	ssize_t n;

	mock_signal_raise(test);
	mock_keep_lock(&keeper, buf);
	n = file->f_op->read(file, page, PAGE_SIZE, &pos);
	mock_signal_clear();
	mock_leave_lock(&keeper);

	KUNIT_EXPECT_EQ(test, n, -EINTR);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
	KUNIT_EXPECT_GT(test, file->f_op->read(file, page, PAGE_SIZE, &pos), 0);
}

/* Opens one attribute of the buffer's directory, NULL if there is none. */
static struct file *registry_open_stat(struct kunit *test, unsigned long ino,
				       const char *attr)
{
	struct file *file;
	char path[64];

	snprintf(path, sizeof(path), BUFFERS "/%lu/%s", ino, attr);
	file = filp_open(path, O_RDONLY, 0);
	return IS_ERR(file) ? NULL : file;
}

static void registry_expect_stat(struct kunit *test, unsigned long ino,
				 const char *attr, const char *value)
{
	struct file *file = registry_open_stat(test, ino, attr);
	char text[64] = {};
	loff_t pos = 0;
	ssize_t n;

	KUNIT_EXPECT_NOT_NULL(test, file);
	if (!file)
		return;

	n = kernel_read(file, text, sizeof(text) - 1, &pos);
	__fput_sync(file);
	KUNIT_EXPECT_GT(test, n, 0);
	KUNIT_EXPECT_STREQ(test, text, value);
}

/* Succeeds if the statistics show a buffer from the export to the release. */
static void stats_show_the_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct file *dir;
	unsigned long ino;

	dir = filp_open(BUFFERS, O_RDONLY | O_DIRECTORY, 0);
	if (IS_ERR(dir))
		kunit_skip(test, "no " BUFFERS);
	__fput_sync(dir);

	mock_export(buf);
	ino = file_inode(buf->dmabuf->file)->i_ino;
	registry_expect_stat(test, ino, "size", "16384\n");
	registry_expect_stat(test, ino, "exporter_name", KBUILD_MODNAME "\n");

	mock_buffer_drop(buf);
	KUNIT_EXPECT_NULL(test, registry_open_stat(test, ino, "size"));
}

/*
 * Succeeds if an exporter without a name is -EINVAL where the statistics would
 * show it, whoever brings the reservation object, and is not called back.
 */
static void stats_need_a_name(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct dma_buf_export_info info = {
		.ops = &buf->ops,
		.size = MOCK_SIZE,
		.priv = buf,
		.owner = THIS_MODULE,
	};
	struct dma_resv resv;

	if (!IS_ENABLED(CONFIG_DMABUF_SYSFS_STATS))
		kunit_skip(test, "no statistics configured");

	KUNIT_EXPECT_PTR_EQ(test, dma_buf_export(&info), ERR_PTR(-EINVAL));
	dma_resv_init(&resv);
	info.resv = &resv;
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_export(&info), ERR_PTR(-EINVAL));
	flush_delayed_fput();
	dma_resv_fini(&resv);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

static struct kunit_case dma_buf_registry_cases[] = {
	KUNIT_CASE(fdinfo_tells),
	KUNIT_CASE(bufinfo_lists_the_buffer),
	KUNIT_CASE(bufinfo_lists_those_of_all_cpus),
	KUNIT_CASE(bufinfo_lists_the_devices),
	KUNIT_CASE(bufinfo_counts_the_entries),
	KUNIT_CASE(bufinfo_counts_the_pins),
	KUNIT_CASE(bufinfo_outgrows_its_guess),
	KUNIT_CASE(bufinfo_is_interrupted),
	KUNIT_CASE(stats_show_the_buffer),
	KUNIT_CASE(stats_need_a_name),
	{}
};

static struct kunit_suite dma_buf_registry_suite = {
	.name = "dma_buf_registry",
	.test_cases = dma_buf_registry_cases,
};

kunit_test_suite(dma_buf_registry_suite);
