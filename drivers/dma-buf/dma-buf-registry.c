// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers that exist, and the list of them in debugfs.
 */

#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include <asm/div64.h>

#include "dma-buf-internal.h"

/**
 * DOC: registry of live buffers
 *
 * Someone who looks for leaked memory wants to see all buffers of the machine,
 * and may look often. There can be tens of thousands, each with fences and
 * devices that only its reservation lock makes safe to print. Whoever allocates
 * or frees a buffer at that time must not pay for it.
 *
 * So the list is walked under RCU, and its lock is for those who change it.
 * Nor do these have to wait for each other: there is a list for each CPU, of the
 * buffers that were exported there, and a walk takes one after the other. A
 * buffer stays on its list wherever its tasks go.
 *
 * A reader takes a reference to one buffer at a time, leaves the RCU section,
 * prints at leisure, sleeping if it must, and goes on from there. A buffer with
 * a reference is not removed from the list, which makes it its own bookmark:
 * each step of the walk starts at an entry known to be linked, passes over
 * entries that are dying, and the whole walk is linear. New buffers go in at
 * the front of a list, behind the reader's back, so a walk of that list ends
 * however fast others allocate.
 *
 * Lifetime
 * ~~~~~~~~
 *
 * What a reader finds may be in any stage of its end, see the DOC section of
 * dma-buf.c:
 *
 * * The memory of &struct dma_buf_object is freed a grace period after the
 *   final fput() has removed it from the list, so in an RCU section it can be
 *   looked at.
 * * &dma_buf.file cannot: file structures are reused at once, and a count read
 *   from one may be that of some other file. That is what
 *   &dma_buf_object.live_file is for. The final fput() clears it before it goes
 *   on. get_file_active() takes a reference if the count is not 0 already, and
 *   looks again: who still finds the pointer has a file that is this buffer's.
 * * All else, the exporter's data above all, waits until there is a reference.
 *
 * A reader may end up with the last reference. fput() then finishes when the
 * reading task returns to user space, where it holds nothing of ours.
 *
 * While a reader looks at a buffer, that buffer's file count is one higher.
 */

/* The buffers that were exported on one CPU. */
struct dma_buf_registry_part {
	/*
	 * Guards changes of the list, which come from any task that allocates
	 * here, or frees what was allocated here. Held for those few
	 * instructions, never by a reader. Nothing is taken inside.
	 */
	spinlock_t lock;
	struct list_head buffers;
	unsigned long count;
};

static DEFINE_PER_CPU_ALIGNED(struct dma_buf_registry_part, registry);

/**
 * dma_buf_registry_add - make a buffer known
 * @obj: complete buffer the caller holds a reference to
 */
void dma_buf_registry_add(struct dma_buf_object *obj)
{
	/* No harm is done if the task goes to another one meanwhile. */
	unsigned int cpu = raw_smp_processor_id();
	struct dma_buf_registry_part *part = per_cpu_ptr(&registry, cpu);

	obj->live_file = obj->base.file;
	obj->registry_cpu = cpu;

	spin_lock(&part->lock);
	list_add_rcu(&obj->registry_node, &part->buffers);
	WRITE_ONCE(part->count, part->count + 1);
	spin_unlock(&part->lock);
}

/**
 * dma_buf_registry_del - forget a buffer
 * @obj: buffer whose last reference is gone
 */
void dma_buf_registry_del(struct dma_buf_object *obj)
{
	struct dma_buf_registry_part *part =
		per_cpu_ptr(&registry, obj->registry_cpu);

	/* ordered before what the VFS does next: free the file, for others to use */
	smp_store_mb(obj->live_file, NULL);

	spin_lock(&part->lock);
	list_del_rcu(&obj->registry_node);
	WRITE_ONCE(part->count, part->count - 1);
	spin_unlock(&part->lock);
}

/* The first one after @pos that lives, with a reference, or NULL. */
static struct dma_buf_object *living_after(struct list_head *pos,
					   struct list_head *buffers)
{
	struct dma_buf_object *obj =
		list_entry(pos, struct dma_buf_object, registry_node);

	list_for_each_entry_continue_rcu(obj, buffers, registry_node) {
		if (get_file_active(&obj->live_file))
			return obj;
	}

	return NULL;
}

/**
 * dma_buf_registry_next - walk over all buffers
 * @prev: buffer from the last call, whose reference is dropped; NULL to start
 *
 * Those of one CPU come newest first. One that lives all through the walk is seen
 * once. A walk that ends early drops the reference with dma_buf_put().
 *
 * Context: Process context.
 * Return: A buffer with a reference, or NULL at the end.
 */
struct dma_buf_object *dma_buf_registry_next(struct dma_buf_object *prev)
{
	unsigned int cpu = prev ? prev->registry_cpu :
				  cpumask_first(cpu_possible_mask);
	struct list_head *buffers = &per_cpu(registry.buffers, cpu);
	struct dma_buf_object *obj;

	rcu_read_lock();
	obj = living_after(prev ? &prev->registry_node : buffers, buffers);
	while (!obj) {
		cpu = cpumask_next(cpu, cpu_possible_mask);
		if (cpu >= nr_cpu_ids)
			break;
		buffers = &per_cpu(registry.buffers, cpu);
		obj = living_after(buffers, buffers);
	}
	rcu_read_unlock();

	if (prev)
		dma_buf_put(&prev->base);

	return obj;
}

/* At least eight digits, which no helper of seq_file fills up with zeros. */
static void put_decimal(struct seq_file *seq, u64 value)
{
	char text[20];
	int at = sizeof(text);

	do {
		text[--at] = '0' + do_div(value, 10);
	} while (value || at > sizeof(text) - 8);

	seq_write(seq, text + at, sizeof(text) - at);
}

/*
 * Piece by piece: to take a format string apart for each buffer would be most of
 * what a list of many costs.
 */
static void show_buffer_line(struct seq_file *seq, struct dma_buf *dmabuf)
{
	spinlock_t *lock = dma_buf_name_lock(dmabuf);
	struct file *file = dmabuf->file;

	put_decimal(seq, dmabuf->size);
	seq_put_hex_ll(seq, "\t", READ_ONCE(file->f_flags), 8);
	seq_put_hex_ll(seq, "\t", (__force unsigned int)file->f_mode, 8);
	seq_putc(seq, '\t');
	/* One of the references is ours. */
	put_decimal(seq, file_count(file) - 1);
	seq_putc(seq, '\t');
	seq_puts(seq, dmabuf->exp_name ?: "(null)");
	seq_putc(seq, '\t');
	put_decimal(seq, file_inode(file)->i_ino);
	seq_putc(seq, '\t');
	spin_lock(lock);
	seq_puts(seq, dmabuf->name ?: "<none>");
	spin_unlock(lock);
	seq_putc(seq, '\n');
}

/*
 * The first line is the name alone, as it always was.  How scattered a buffer
 * is decides whether a device can use it at all, so of what is mapped that is
 * shown, too.
 */
static void show_attachment(struct seq_file *seq,
			    struct dma_buf_attachment *attach)
{
	seq_printf(seq, "\t%s\n", attach->dev ? dev_name(attach->dev) : "cpu");
	seq_printf(seq, "\t\tmapped %u, pinned %u", attach->map_count,
		   attach->pin_count + attach->core_pin_count);
	if (attach->sgt || attach->map_count)
		seq_printf(seq, ", sg entries %u",
			   attach->sgt ? attach->sgt->nents : attach->entries);
	if (dma_buf_attachment_is_dynamic(attach))
		seq_puts(seq, ", dynamic");
	if (attach->peer2peer)
		seq_puts(seq, ", peer-to-peer");
	seq_putc(seq, '\n');
	if (!dma_buf_need_nothing(&attach->needs->constraints)) {
		dma_buf_need_show(seq, "\t\tneeds ",
				  &attach->needs->constraints);
		seq_putc(seq, '\n');
	}
}

static unsigned int show_attachments(struct seq_file *seq,
				     struct list_head *attachments)
{
	struct dma_buf_attachment *attach;
	unsigned int count = 0;

	list_for_each_entry(attach, attachments, node) {
		show_attachment(seq, attach);
		count++;
	}

	return count;
}

static int show_buffer(struct seq_file *seq, struct dma_buf *dmabuf)
{
	struct dma_buf_object *obj = to_dma_buf_object(dmabuf);
	struct dma_buf_terms terms;
	unsigned int devices;
	int ret;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;

	show_buffer_line(seq, dmabuf);
	if (dma_buf_is_revoked(dmabuf))
		seq_puts(seq, "\tRevoked\n");
	if (dma_buf_can_constrain(dmabuf)) {
		dma_buf_negotiate_terms_locked(obj, &terms);
		dma_buf_need_show(seq, "\tNeeds ", &terms.constraints);
		seq_printf(seq, ", moved %u times\n", terms.moves);
	}
	dma_buf_need_show_kind(seq, "\tStorage ", dmabuf);
	dma_resv_describe(dmabuf->resv, seq);

	seq_puts(seq, "\tAttached Devices:\n");
	devices = show_attachments(seq, &dmabuf->attachments);
	devices += show_attachments(seq, &obj->cpu_attachments);
	dma_resv_unlock(dmabuf->resv);

	seq_put_decimal_ull(seq, "Total ", devices);
	seq_puts(seq, " devices attached\n\n");

	return 0;
}

static int bufinfo_show(struct seq_file *seq, void *unused)
{
	struct dma_buf_object *obj = NULL;
	unsigned int count = 0;
	size_t bytes = 0;
	int ret;

	seq_puts(seq, "\nDma-buf Objects:\n");
	seq_printf(seq, "%-8s\t%-8s\t%-8s\t%-8s\texp_name\t%-8s\tname\n",
		   "size", "flags", "mode", "count", "ino");

	while ((obj = dma_buf_registry_next(obj))) {
		ret = show_buffer(seq, &obj->base);

		/* If the text does not fit, all is done again with more room. */
		if (ret || seq_has_overflowed(seq)) {
			dma_buf_put(&obj->base);
			return ret;
		}

		bytes += obj->base.size;
		count++;
	}

	seq_printf(seq, "\nTotal %u objects, %zu bytes\n", count, bytes);

	return 0;
}

/* A guess at the room needed, so that one walk is enough as a rule. */
static int bufinfo_open(struct inode *inode, struct file *file)
{
	unsigned long room = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		room += READ_ONCE(per_cpu(registry.count, cpu)) * 192UL;

	return single_open_size(file, bufinfo_show, inode->i_private,
				SZ_4K + min(room, (unsigned long)SZ_16M));
}

static const struct file_operations bufinfo_fops = {
	.owner = THIS_MODULE,
	.open = bufinfo_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * dma_buf_registry_init - be ready for buffers, and offer their list in debugfs
 */
void __init dma_buf_registry_init(void)
{
	struct dentry *dir = debugfs_create_dir("dma_buf", NULL);
	struct dma_buf_registry_part *part;
	int cpu;

	for_each_possible_cpu(cpu) {
		part = per_cpu_ptr(&registry, cpu);
		spin_lock_init(&part->lock);
		INIT_LIST_HEAD(&part->buffers);
	}
	debugfs_create_file("bufinfo", 0444, dir, NULL, &bufinfo_fops);
	dma_buf_declare_debugfs(dir);
}
