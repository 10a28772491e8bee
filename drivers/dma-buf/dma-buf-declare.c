// SPDX-License-Identifier: GPL-2.0
/*
 * What drivers and administrators know of a device's needs.
 */

#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/glob.h>
#include <linux/init.h>
#include <linux/iommu-dma.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "dma-buf-internal.h"

/**
 * DOC: declared constraints
 *
 * The DMA API does not know that a display needs its picture in one piece: its
 * driver finds out from the table, and refuses. Where the code that imports is
 * not the driver's own, as in a subsystem's helpers, and where the driver is
 * older than all this, somebody else has to say so.
 *
 * A driver that knows its device calls devm_dma_buf_declare_constraints() when it
 * probes. It counts for all who attach the device, until the driver is unbound.
 *
 * An administrator who knows it writes a line into dma_buf/constraints in
 * debugfs, first which devices, as a pattern of their names, then what they need,
 * in the form that the DOC section of dma-buf-constraints.c describes::
 *
 *	vivid.* segments=1
 *	0000:01:00.0 mask=0xffffffff,align=65536
 *	vivid.* -
 *
 * The last line takes the first one back. A second line for the same pattern
 * takes the place of the first. What all matching lines say counts together.
 * A write is done as a whole or, if there is a mistake in any line of it, not at
 * all. Reading lists what counts, declarations of drivers behind a ``#``, and can
 * be written back.
 *
 * From the start of the machine on, the same comes from the kernel's command
 * line, with semicolons for ends of lines::
 *
 *	dma_buf.constraints="vivid.* segments=1; 0000:01:00.0 mask=0xffffffff"
 *
 * A device that is attached already is not asked again.
 *
 * Locking
 * ~~~~~~~
 *
 * Attaching reads the list under RCU, and finds it empty as a rule. A mutex is
 * for those who change or show it. Nothing else is taken inside it but memory.
 */

/**
 * struct declaration - a line of the administrator, or of a driver
 * @node: in the list of @declared
 * @rcu: delays the end until no attach looks at it
 * @dev: the driver's device; NULL for a line of the administrator
 * @c: what is needed
 * @remove: the line takes back an earlier one; never in the list of @declared
 * @glob: pattern of names, if @dev is NULL
 */
struct declaration {
	struct list_head node;
	struct rcu_head rcu;
	struct device *dev;
	struct dma_buf_constraints c;
	bool remove;
	char glob[];
};

static struct {
	/* Guards changes of the list, by drivers that probe and by writers. */
	struct mutex lock;
	struct list_head list;
} declared = {
	.lock = __MUTEX_INITIALIZER(declared.lock),
	.list = LIST_HEAD_INIT(declared.list),
};

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "dma_buf."

static char *boot_constraints;
module_param_named(constraints, boot_constraints, charp, 0444);
MODULE_PARM_DESC(constraints,
		 "What devices need of buffers: PATTERN CONSTRAINTS[; ...]");

static bool nothing_is_declared(void)
{
	return list_empty(&declared.list);
}

static bool is_about(const struct declaration *entry, struct device *dev)
{
	return entry->dev ? entry->dev == dev :
			    glob_match(entry->glob, dev_name(dev));
}

/* Not a part of who asks first whether there is anything, which is seldom. */
static noinline bool is_declared_for(struct device *dev)
{
	struct declaration *entry;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(entry, &declared.list, node) {
		if (is_about(entry, dev))
			found = true;
	}
	rcu_read_unlock();

	return found;
}

/**
 * dma_buf_device_is_undemanding - may a device be given any table, of any memory?
 * @dev: device
 *
 * As most may. It is cheaper to ask than to put together that nothing is needed, with
 * dma_buf_constraints_of_device(), dma_buf_declared_for() and
 * dma_buf_constraints_of_storage().
 *
 * Context: Any, but not while the driver of @dev changes its mask.
 * Return: true if each of these would answer %DMA_BUF_CONSTRAINTS_ANY.
 */
bool dma_buf_device_is_undemanding(struct device *dev)
{
	const struct device_dma_parameters *parms = dev->dma_parms;

	if (dev->dma_mask &&
	    (dma_get_mask(dev) != U64_MAX || dev->bus_dma_limit))
		return false;
	if (dev->dma_range_map || use_dma_iommu(dev))
		return false;

	if (parms && parms->max_segment_size &&
	    parms->max_segment_size != UINT_MAX)
		return false;

	if (dma_get_seg_boundary(dev) != ULONG_MAX)
		return false;

	return nothing_is_declared() || !is_declared_for(dev);
}
EXPORT_SYMBOL_NS_GPL(dma_buf_device_is_undemanding, DMA_BUF);

/**
 * dma_buf_declared_for - what was declared for a device
 * @dev: device
 * @c: constraints to tighten by it
 *
 * By its driver and by the administrator, up to now.
 *
 * Context: Any.
 */
void dma_buf_declared_for(struct device *dev, struct dma_buf_constraints *c)
{
	struct declaration *entry;

	if (nothing_is_declared())
		return;

	rcu_read_lock();
	list_for_each_entry_rcu(entry, &declared.list, node) {
		if (is_about(entry, dev))
			dma_buf_constraints_intersect(c, c, &entry->c);
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_NS_GPL(dma_buf_declared_for, DMA_BUF);

static void forget_driver(struct device *dev, void *res)
{
	struct declaration *entry = *(struct declaration **)res;

	mutex_lock(&declared.lock);
	list_del_rcu(&entry->node);
	mutex_unlock(&declared.lock);
	kfree_rcu(entry, rcu);
}

/**
 * devm_dma_buf_declare_constraints - say what a device needs, once for all
 * @dev: device, as it is attached to buffers
 * @c: what tables for it have to be like
 *
 * Counts for every attachment of @dev that is made from now on, by whichever
 * driver, until the driver of @dev is unbound. Declared twice, both count.
 *
 * Context: Process context, may sleep.
 * Return: 0, or a negative errno:
 *
 *	   * -EINVAL: an argument is NULL, or @c is not valid, see
 *	     dma_buf_constraints_valid()
 *	   * -ENOMEM: out of memory
 */
int devm_dma_buf_declare_constraints(struct device *dev,
				     const struct dma_buf_constraints *c)
{
	struct declaration *entry, **res;

	if (WARN_ON_ONCE(!dev || !c))
		return -EINVAL;

	if (dma_buf_constraints_valid(c))
		return -EINVAL;

	/* all that can fail comes before anybody sees it */
	res = devres_alloc(forget_driver, sizeof(*res), GFP_KERNEL);
	if (!res)
		return -ENOMEM;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry) {
		devres_free(res);
		return -ENOMEM;
	}

	*res = entry;
	entry->dev = dev;
	entry->c = *c;
	mutex_lock(&declared.lock);
	list_add_tail_rcu(&entry->node, &declared.list);
	mutex_unlock(&declared.lock);
	devres_add(dev, res);

	return 0;
}
EXPORT_SYMBOL_NS_GPL(devm_dma_buf_declare_constraints, DMA_BUF);

static struct declaration *rule_parse(const char *line)
{
	size_t length = strcspn(line, " \t");
	const char *text = skip_spaces(line + length);
	struct declaration *rule;

	rule = kzalloc(struct_size(rule, glob, length + 1), GFP_KERNEL);
	if (!rule)
		return ERR_PTR(-ENOMEM);

	memcpy(rule->glob, line, length);
	rule->remove = !strcmp(text, "-");
	if (!rule->remove && dma_buf_constraints_parse(text, &rule->c)) {
		kfree(rule);
		return ERR_PTR(-EINVAL);
	}

	return rule;
}

static void rules_free(struct list_head *rules)
{
	struct declaration *rule, *next;

	list_for_each_entry_safe(rule, next, rules, node)
		kfree(rule);
}

/* Cuts @text up. On an error @bad is the line that is wrong. */
static int rules_parse(char *text, struct list_head *rules, const char **bad)
{
	struct declaration *rule;
	char *line;

	while ((line = strsep(&text, "\n;"))) {
		line = strim(line);
		*bad = line;
		if (!*line || *line == '#')
			continue;

		rule = rule_parse(line);
		if (IS_ERR(rule)) {
			rules_free(rules);
			return PTR_ERR(rule);
		}
		list_add_tail(&rule->node, rules);
	}

	return 0;
}

static struct declaration *rule_find_locked(const char *glob)
{
	struct declaration *rule;

	lockdep_assert_held(&declared.lock);

	list_for_each_entry(rule, &declared.list, node) {
		if (!rule->dev && !strcmp(rule->glob, glob))
			return rule;
	}

	return NULL;
}

static bool removals_known_locked(struct list_head *rules)
{
	struct declaration *rule;

	list_for_each_entry(rule, rules, node) {
		if (rule->remove && !rule_find_locked(rule->glob))
			return false;
	}

	return true;
}

static void rule_apply_locked(struct declaration *rule)
{
	struct declaration *old = rule_find_locked(rule->glob);

	list_del(&rule->node);
	if (old && rule->remove)
		list_del_rcu(&old->node);
	else if (old)
		list_replace_rcu(&old->node, &rule->node);
	else if (!rule->remove)
		list_add_tail_rcu(&rule->node, &declared.list);

	if (rule->remove)
		kfree(rule);
	if (old)
		kfree_rcu(old, rcu);
}

/* Takes all of @rules, or none. */
static int rules_apply(struct list_head *rules)
{
	struct declaration *rule, *next;
	int ret = 0;

	mutex_lock(&declared.lock);
	if (!removals_known_locked(rules)) {
		rules_free(rules);
		ret = -ENOENT;
	} else {
		list_for_each_entry_safe(rule, next, rules, node)
			rule_apply_locked(rule);
	}
	mutex_unlock(&declared.lock);

	return ret;
}

static int rules_declare(char *text, const char **bad)
{
	LIST_HEAD(rules);
	int ret;

	ret = rules_parse(text, &rules, bad);

	return ret ? ret : rules_apply(&rules);
}

/**
 * dma_buf_declare_init - take over what the kernel's command line says
 */
void __init dma_buf_declare_init(void)
{
	const char *bad = "";
	char *text;
	int ret;

	if (!boot_constraints)
		return;

	/* The parameter stays as it was given, for sysfs to show. */
	text = kstrdup(boot_constraints, GFP_KERNEL);
	if (!text)
		return;

	ret = rules_declare(text, &bad);
	if (ret)
		pr_err("dma_buf.constraints is left out, error %d at: %s\n",
		       ret, bad);
	kfree(text);
}

static void declaration_show(struct seq_file *seq, const char *before,
			     const char *name, struct declaration *entry)
{
	seq_printf(seq, "%s%s", before, name);
	dma_buf_need_show(seq, " ", &entry->c);
	seq_putc(seq, '\n');
}

static int constraints_show(struct seq_file *seq, void *unused)
{
	struct declaration *entry;

	mutex_lock(&declared.lock);
	list_for_each_entry(entry, &declared.list, node) {
		if (entry->dev)
			declaration_show(seq, "# ", dev_name(entry->dev),
					 entry);
	}
	list_for_each_entry(entry, &declared.list, node) {
		if (!entry->dev)
			declaration_show(seq, "", entry->glob, entry);
	}
	mutex_unlock(&declared.lock);

	return 0;
}

static int constraints_open(struct inode *inode, struct file *file)
{
	return single_open(file, constraints_show, inode->i_private);
}

/**
 * constraints_write - write() of dma_buf/constraints in debugfs
 * @file: the file
 * @from: lines of user space
 * @count: bytes of them
 * @pos: not used, each write stands for itself
 *
 * Return: @count, or a negative errno, and then nothing has changed:
 *
 *	   * -EINVAL: a line has no constraints, or not in their form, or they
 *	     cannot be meant
 *	   * -ENOENT: a line takes back what was not there before
 *	   * -E2BIG: more than 4096 bytes
 *	   * -EFAULT: the lines are not accessible
 *	   * -ENOMEM: out of memory
 */
static ssize_t constraints_write(struct file *file, const char __user *from,
				 size_t count, loff_t *pos)
{
	const char *bad;
	char *text;
	int ret;

	if (count > SZ_4K)
		return -E2BIG;

	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);

	ret = rules_declare(text, &bad);
	kfree(text);

	return ret ? ret : count;
}

static const struct file_operations constraints_fops = {
	.owner = THIS_MODULE,
	.open = constraints_open,
	.read = seq_read,
	.write = constraints_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * dma_buf_declare_debugfs - offer the administrator's lines in debugfs
 * @dir: directory of the core
 */
void __init dma_buf_declare_debugfs(struct dentry *dir)
{
	debugfs_create_file("constraints", 0600, dir, NULL, &constraints_fops);
}
