// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: racers at the object
 *
 * Buffers that are made and thrown away, found in the registry while they are,
 * named, and passed on as files.
 */

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/wait_bit.h>
#include <uapi/linux/dma-buf.h>

#include "dma_buf_race.h"

#define BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"

/* Throw-away buffers have no storage: the race is about the object. */
static struct sg_table *thrown_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	return ERR_PTR(-ENXIO);
}

static void thrown_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
}

static void thrown_release(struct dma_buf *dmabuf)
{
	struct race *race = dmabuf->priv;

	if (atomic_dec_and_test(&race->exported))
		wake_up_var(&race->exported);
}

static const struct dma_buf_ops thrown_ops = {
	.map_dma_buf = thrown_map,
	.unmap_dma_buf = thrown_unmap,
	.release = thrown_release,
};

static struct dma_buf *export_thrown(struct race *race)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &thrown_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = race;

	atomic_inc(&race->exported);
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		atomic_dec(&race->exported);

	return dmabuf;
}

/* Threads that walk the registry find it in any stage of its life. */
int race_export(struct racer *racer, unsigned int round)
{
	struct dma_buf *dmabuf = export_thrown(racer->race);

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	dma_buf_put(dmabuf);

	return 0;
}

/* The last reference is the poll callback's, or it is dropped next to it. */
int race_put_polled(struct racer *racer, unsigned int round)
{
	struct dma_buf *dmabuf = export_thrown(racer->race);
	struct race_fence *fence;
	poll_table pt;
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	fence = race_fence_new(racer);
	if (!fence) {
		dma_buf_put(dmabuf);
		return -ENOMEM;
	}

	ret = race_fence_add(dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	init_poll_funcptr(&pt, NULL);
	pt._key = EPOLLIN | EPOLLOUT;
	vfs_poll(dmabuf->file, &pt);

	race_fence_fire(fence);
	dma_buf_put(dmabuf);

	return ret;
}

/* Kernel threads share one table of files. */
int race_fd(struct racer *racer, unsigned int round)
{
	struct dma_buf *dmabuf = race_dma_buf(racer), *found;
	int fd;

	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return fd;
	}

	found = dma_buf_get(fd);
	mock_close(fd);
	if (IS_ERR(found))
		return PTR_ERR(found);

	dma_buf_put(found);

	return found == dmabuf ? 0 : -EIO;
}

int race_rename(struct racer *racer, unsigned int round)
{
	struct race *race = racer->race;
	char __user *name = race->names + racer->number * RACE_NAME_SIZE;
	long ret;

	kthread_use_mm(race->mm);
	ret = mock_ioctl(race->buf, DMA_BUF_SET_NAME_B, name);
	kthread_unuse_mm(race->mm);

	return ret;
}

/* A name is digits, as many as the last one tells. */
static int check_name(const char *name)
{
	size_t len = strspn(name, "0123456789");

	if (!len)
		return 0;

	return name[len - 1] - '0' == (len - 1) % 10 ? 0 : -EIO;
}

static int check_fdinfo(struct file *file, char *text)
{
	struct seq_file seq = { .buf = text, .size = PAGE_SIZE };
	const char *name;

	file->f_op->show_fdinfo(&seq, file);
	text[min(seq.count, seq.size - 1)] = '\0';
	name = strstr(text, "\nname:\t");

	return name ? check_name(name + strlen("\nname:\t")) : 0;
}

static int check_link(struct file *file, char *text)
{
	const char *path = d_path(&file->f_path, text, PAGE_SIZE), *name;

	if (IS_ERR(path))
		return PTR_ERR(path);

	name = strchr(path, ':');

	return name ? check_name(name + 1) : -EIO;
}

int race_read_names(struct racer *racer, unsigned int round)
{
	struct file *file = race_dma_buf(racer)->file;
	char *text;
	int ret;

	text = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!text)
		return -ENOMEM;

	ret = check_fdinfo(file, text) ?: check_link(file, text);
	kfree(text);

	return ret;
}

static ssize_t read_page(struct file *file, loff_t *pos, char *page)
{
	struct kvec vec = { .iov_base = page, .iov_len = PAGE_SIZE };
	struct iov_iter iter;
	struct kiocb kiocb;
	ssize_t n;

	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = *pos;
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, PAGE_SIZE);
	n = seq_read_iter(&kiocb, &iter);
	*pos = kiocb.ki_pos;

	return n;
}

/* Without debugfs there is no walk, and nobody to race with. */
int race_walk(struct racer *racer, unsigned int round)
{
	struct file *file = filp_open(BUFINFO, O_RDONLY, 0);
	loff_t pos = 0;
	char *page;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOENT ? 0 : PTR_ERR(file);

	page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	n = page ? 0 : -ENOMEM;
	while (page && (n = read_page(file, &pos, page)) > 0)
		;
	kfree(page);
	__fput_sync(file);

	return n;
}
