// SPDX-License-Identifier: GPL-2.0
/*
 * The two ends of a dma-buf for measurements: an exporter that does no more than
 * it must, and an importer that attaches and maps like a driver.
 *
 * What it is written against, stock and ours have alike, so that one source tells
 * what either core costs. What of that is the kernel's in any case, nothing.c and
 * floor.c are there to tell.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bench.h"
#include "prime_bench_uapi.h"

#define MOST_PAGES  4096
#define MOST_ROUNDS 1000000

static struct platform_device *device;

void bare_free(struct bare *bare)
{
	unsigned int i;

	for (i = 0; i < bare->count; i++)
		if (bare->pages[i])
			__free_page(bare->pages[i]);
	kvfree(bare);
}

struct bare *bare_alloc(unsigned int count)
{
	struct bare *bare;
	unsigned int i;

	bare = kvzalloc(struct_size(bare, pages, count), GFP_KERNEL);
	if (!bare)
		return NULL;

	bare->count = count;
	for (i = 0; i < count; i++) {
		bare->pages[i] = alloc_page(GFP_KERNEL);
		if (!bare->pages[i]) {
			bare_free(bare);
			return NULL;
		}
	}

	return bare;
}

/* An entry for each page, whether they adjoin or not. */
static int bare_fill(struct bare *bare, struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(sgt, bare->count, GFP_KERNEL);
	if (ret)
		return ret;

	for_each_sgtable_sg(sgt, sg, i)
		sg_set_page(sg, bare->pages[i], PAGE_SIZE, 0);

	return 0;
}

static struct sg_table *bare_map(struct dma_buf_attachment *attach,
				 enum dma_data_direction dir)
{
	struct sg_table *sgt;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = bare_fill(attach->dmabuf->priv, sgt);
	if (ret)
		goto err_free;

	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret)
		goto err_table;

	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void bare_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void bare_release(struct dma_buf *dmabuf)
{
	bare_free(dmabuf->priv);
}

static const struct dma_buf_ops bare_ops = {
	.map_dma_buf = bare_map,
	.unmap_dma_buf = bare_unmap,
	.release = bare_release,
};

static long bench_export(struct prime_bench_export __user *argp)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct prime_bench_export arg;
	struct dma_buf *dmabuf;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (arg.pages > MOST_PAGES)
		return -EINVAL;

	info.priv = bare_alloc(arg.pages);
	if (!info.priv)
		return -ENOMEM;
	info.ops = &bare_ops;
	info.size = PAGE_SIZE * max(arg.pages, 1u);
	info.flags = O_RDWR;

	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		bare_free(info.priv);
		return PTR_ERR(dmabuf);
	}

	arg.fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (arg.fd < 0)
		dma_buf_put(dmabuf);
	else if (put_user(arg.fd, &argp->fd))
		return -EFAULT;

	return arg.fd < 0 ? arg.fd : 0;
}

static long bench_file(struct prime_bench_export __user *argp)
{
	struct prime_bench_export arg;
	struct file *file;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	file = nothing_file(arg.pages ? &device->dev.kobj : NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);

	arg.fd = get_unused_fd_flags(O_CLOEXEC);
	if (arg.fd < 0) {
		fput(file);
		return arg.fd;
	}
	fd_install(arg.fd, file);

	return put_user(arg.fd, &argp->fd);
}

static int map_once(struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);

	return 0;
}

static int attach_once(struct dma_buf *dmabuf, bool map)
{
	struct dma_buf_attachment *attach;
	int ret = 0;

	attach = dma_buf_attach(dmabuf, &device->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	if (map)
		ret = map_once(attach);
	dma_buf_detach(dmabuf, attach);

	return ret;
}

/* What an exporter that is asked each time has to do for that, and no core. */
static int time_by_hand(struct dma_buf *dmabuf, struct prime_bench_import *arg)
{
	struct dma_buf_attachment attach = { .dmabuf = dmabuf,
					     .dev = &device->dev };
	u64 begun = ktime_get_ns();
	struct sg_table *sgt;
	u32 i;

	if (dmabuf->ops != &bare_ops)
		return -EINVAL;

	for (i = 0; i < arg->rounds; i++) {
		sgt = bare_map(&attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt))
			return PTR_ERR(sgt);
		bare_unmap(&attach, sgt, DMA_BIDIRECTIONAL);
	}
	arg->ns = ktime_get_ns() - begun;

	return 0;
}

static int time_attach(struct dma_buf *dmabuf, struct prime_bench_import *arg)
{
	u64 begun = ktime_get_ns();
	int ret = 0;
	u32 i;

	for (i = 0; i < arg->rounds && !ret; i++)
		ret = attach_once(dmabuf, arg->job == PRIME_BENCH_MAP);
	arg->ns = ktime_get_ns() - begun;

	return ret;
}

static int time_remap(struct dma_buf *dmabuf, struct prime_bench_import *arg)
{
	struct dma_buf_attachment *attach;
	u64 begun;
	int ret;
	u32 i;

	attach = dma_buf_attach(dmabuf, &device->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	ret = map_once(attach);
	begun = ktime_get_ns();
	for (i = 0; i < arg->rounds && !ret; i++)
		ret = map_once(attach);
	arg->ns = ktime_get_ns() - begun;
	dma_buf_detach(dmabuf, attach);

	return ret;
}

static long bench_import(struct prime_bench_import __user *argp)
{
	struct prime_bench_import arg;
	struct dma_buf *dmabuf;
	int ret;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (!arg.rounds || arg.rounds > MOST_ROUNDS ||
	    arg.job > PRIME_BENCH_BY_HAND)
		return -EINVAL;

	dmabuf = dma_buf_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	if (arg.job == PRIME_BENCH_REMAP)
		ret = time_remap(dmabuf, &arg);
	else if (arg.job == PRIME_BENCH_BY_HAND)
		ret = time_by_hand(dmabuf, &arg);
	else
		ret = time_attach(dmabuf, &arg);
	dma_buf_put(dmabuf);
	if (!ret && copy_to_user(argp, &arg, sizeof(arg)))
		ret = -EFAULT;

	return ret;
}

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case PRIME_BENCH_EXPORT:
		return bench_export((void __user *)arg);
	case PRIME_BENCH_FILE:
		return bench_file((void __user *)arg);
	case PRIME_BENCH_IMPORT:
		return bench_import((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = PRIME_BENCH_DEVICE,
	.fops = &bench_fops,
};

static int __init bench_init(void)
{
	int ret;

	device = platform_device_register_simple("prime_bench", -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);

	ret = dma_coerce_mask_and_coherent(&device->dev, DMA_BIT_MASK(64));
	if (ret)
		goto err_device;

	ret = nothing_init();
	if (ret)
		goto err_device;

	ret = floor_init();
	if (ret)
		goto err_nothing;

	ret = misc_register(&bench_misc);
	if (ret)
		goto err_floor;

	return 0;

err_floor:
	floor_exit();
err_nothing:
	nothing_exit();
err_device:
	platform_device_unregister(device);
	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	misc_deregister(&bench_misc);
	floor_exit();
	nothing_exit();
	platform_device_unregister(device);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Both ends of a dma-buf, for measurements");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
