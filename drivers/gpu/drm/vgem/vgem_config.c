// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: vgem in configfs
 *
 * What goes wrong between two devices depends on what each can reach, and a
 * test wants to say so, device by device, without loading the module again.
 *
 * A directory below /sys/kernel/config/vgem describes one device: mkdir starts
 * the description, its attributes state the constraints and whether the device is
 * coherent, writing 1 to ``enable`` makes the device and 0 takes it away again.
 * Attributes are read-only while the device exists (-EBUSY), so that a device never
 * changes under a client. ``card`` and ``render`` tell which nodes below /dev/dri it
 * got; they answer -ENODEV while there is no device.
 *
 * Lifetime: a directory holds a reference on the module. rmdir takes the device
 * away at once, whatever is open; see vgem_device_destroy() for what stays.
 *
 * Locking: see struct vgem_description.
 */

#include <linux/cleanup.h>
#include <linux/configfs.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <drm/drm_file.h>

#include "vgem_drv.h"

/**
 * struct vgem_description - one directory
 */
struct vgem_description {
	/** @item: the directory */
	struct config_item item;

	/**
	 * @lock: guards @config and @vgem. Each attribute is a file of its own
	 * and can be written while another is; this makes the test for an
	 * enabled device and the change that depends on it one step. Held
	 * while the device is made and taken away.
	 */
	struct mutex lock;

	/** @config: what the device is, or will be, made with */
	struct vgem_device_config config;

	/** @vgem: the device while it is enabled, or NULL */
	struct vgem_device *vgem;
};

static struct vgem_description *to_description(struct config_item *item)
{
	return container_of(item, struct vgem_description, item);
}

static int vgem_description_enable(struct vgem_description *desc)
{
	struct vgem_device *vgem;

	guard(mutex)(&desc->lock);
	if (desc->vgem)
		return 0;

	vgem = vgem_device_create(&desc->config);
	if (IS_ERR(vgem))
		return PTR_ERR(vgem);

	desc->vgem = vgem;
	return 0;
}

static void vgem_description_disable(struct vgem_description *desc)
{
	guard(mutex)(&desc->lock);
	if (desc->vgem)
		vgem_device_destroy(desc->vgem);
	desc->vgem = NULL;
}

static ssize_t vgem_config_enable_show(struct config_item *item, char *page)
{
	struct vgem_description *desc = to_description(item);

	guard(mutex)(&desc->lock);
	return sysfs_emit(page, "%d\n", !!desc->vgem);
}

static ssize_t vgem_config_enable_store(struct config_item *item,
					const char *page, size_t count)
{
	struct vgem_description *desc = to_description(item);
	bool enable;
	int ret;

	ret = kstrtobool(page, &enable);
	if (ret)
		return ret;

	if (enable)
		ret = vgem_description_enable(desc);
	else
		vgem_description_disable(desc);

	return ret ? ret : count;
}

static ssize_t vgem_config_dma_mask_show(struct config_item *item, char *page)
{
	struct vgem_description *desc = to_description(item);

	guard(mutex)(&desc->lock);
	return sysfs_emit(page, "0x%llx\n", desc->config.dma_mask);
}

static ssize_t vgem_config_dma_mask_store(struct config_item *item,
					  const char *page, size_t count)
{
	struct vgem_description *desc = to_description(item);
	u64 mask;
	int ret;

	ret = kstrtou64(page, 0, &mask);
	if (ret)
		return ret;

	/* Ones without a gap, from the lowest bit up. */
	if (mask < VGEM_SMALLEST_DMA_MASK || (mask & (mask + 1)))
		return -EINVAL;

	guard(mutex)(&desc->lock);
	if (desc->vgem)
		return -EBUSY;

	desc->config.dma_mask = mask;
	return count;
}

static ssize_t vgem_config_constraints_show(struct config_item *item,
					    char *page)
{
	struct vgem_description *desc = to_description(item);
	char text[DMA_BUF_CONSTRAINTS_TEXT_SIZE];

	guard(mutex)(&desc->lock);
	dma_buf_constraints_print(text, sizeof(text), &desc->config.needs);

	return sysfs_emit(page, "%s\n", text);
}

static ssize_t vgem_config_constraints_store(struct config_item *item,
					     const char *page, size_t count)
{
	struct vgem_description *desc = to_description(item);
	char text[DMA_BUF_CONSTRAINTS_TEXT_SIZE];
	struct dma_buf_constraints needs;
	int ret;

	if (strscpy(text, page) < 0)
		return -EINVAL;

	ret = dma_buf_constraints_parse(strim(text), &needs);
	if (ret)
		return ret;

	guard(mutex)(&desc->lock);
	if (desc->vgem)
		return -EBUSY;

	desc->config.needs = needs;
	return count;
}

static ssize_t vgem_config_noncoherent_show(struct config_item *item,
					    char *page)
{
	struct vgem_description *desc = to_description(item);

	guard(mutex)(&desc->lock);
	return sysfs_emit(page, "%d\n", desc->config.noncoherent);
}

static ssize_t vgem_config_noncoherent_store(struct config_item *item,
					     const char *page, size_t count)
{
	struct vgem_description *desc = to_description(item);
	bool noncoherent;
	int ret;

	ret = kstrtobool(page, &noncoherent);
	if (ret)
		return ret;

	guard(mutex)(&desc->lock);
	if (desc->vgem)
		return -EBUSY;

	desc->config.noncoherent = noncoherent;
	return count;
}

static ssize_t vgem_config_card_show(struct config_item *item, char *page)
{
	struct vgem_description *desc = to_description(item);

	guard(mutex)(&desc->lock);
	if (!desc->vgem)
		return -ENODEV;

	return sysfs_emit(page, "%s\n",
			  dev_name(desc->vgem->drm.primary->kdev));
}

static ssize_t vgem_config_render_show(struct config_item *item, char *page)
{
	struct vgem_description *desc = to_description(item);

	guard(mutex)(&desc->lock);
	if (!desc->vgem)
		return -ENODEV;

	return sysfs_emit(page, "%s\n", dev_name(desc->vgem->drm.render->kdev));
}

CONFIGFS_ATTR(vgem_config_, enable);
CONFIGFS_ATTR(vgem_config_, dma_mask);
CONFIGFS_ATTR(vgem_config_, constraints);
CONFIGFS_ATTR(vgem_config_, noncoherent);
CONFIGFS_ATTR_RO(vgem_config_, card);
CONFIGFS_ATTR_RO(vgem_config_, render);

static struct configfs_attribute *vgem_config_attrs[] = {
	&vgem_config_attr_enable,
	&vgem_config_attr_dma_mask,
	&vgem_config_attr_constraints,
	&vgem_config_attr_noncoherent,
	&vgem_config_attr_card,
	&vgem_config_attr_render,
	NULL,
};

static void vgem_description_release(struct config_item *item)
{
	struct vgem_description *desc = to_description(item);

	mutex_destroy(&desc->lock);
	kfree(desc);
}

static struct configfs_item_operations vgem_description_ops = {
	.release = vgem_description_release,
};

static const struct config_item_type vgem_description_type = {
	.ct_item_ops = &vgem_description_ops,
	.ct_attrs = vgem_config_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_item *vgem_description_make(struct config_group *group,
						 const char *name)
{
	struct vgem_description *desc;

	desc = kzalloc(sizeof(*desc), GFP_KERNEL);
	if (!desc)
		return ERR_PTR(-ENOMEM);

	mutex_init(&desc->lock);
	vgem_device_config_init(&desc->config);
	config_item_init_type_name(&desc->item, name, &vgem_description_type);
	return &desc->item;
}

static void vgem_description_drop(struct config_group *group,
				  struct config_item *item)
{
	/* Not in release, which a reader of an attribute can put off. */
	vgem_description_disable(to_description(item));
	config_item_put(item);
}

static struct configfs_group_operations vgem_root_ops = {
	.make_item = vgem_description_make,
	.drop_item = vgem_description_drop,
};

static const struct config_item_type vgem_root_type = {
	.ct_group_ops = &vgem_root_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem vgem_configfs = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "vgem",
			.ci_type = &vgem_root_type,
		},
	},
	.su_mutex = __MUTEX_INITIALIZER(vgem_configfs.su_mutex),
};

/* Written by module init, read by module exit. */
static bool vgem_configfs_registered;

/**
 * vgem_configfs_register - make /sys/kernel/config/vgem
 *
 * Context: Process context, module init.
 * Return: 0, or what configfs gave.
 */
int vgem_configfs_register(void)
{
	int ret;

	config_group_init(&vgem_configfs.su_group);
	ret = configfs_register_subsystem(&vgem_configfs);
	vgem_configfs_registered = !ret;

	return ret;
}

/**
 * vgem_configfs_unregister - remove /sys/kernel/config/vgem
 *
 * No directory is left below it: each holds the module. Does nothing where
 * vgem_configfs_register() failed, which does not end the module's load.
 *
 * Context: Process context, module exit.
 */
void vgem_configfs_unregister(void)
{
	if (vgem_configfs_registered)
		configfs_unregister_subsystem(&vgem_configfs);
}
