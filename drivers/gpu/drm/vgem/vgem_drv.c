// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: overview
 *
 * Sharing a buffer takes two devices, and what goes wrong between two devices
 * depends on what each can reach. A laptop or a CI machine has one GPU, or
 * none. vgem makes DRM devices of memory only: any number of them, each with
 * its own constraints, so that every path of buffer sharing can be walked
 * anywhere. Mesa and IGT find it by its driver name.
 *
 * Devices come from two places: the module parameter ``devices`` makes some
 * when the module loads, and configfs makes more at run time. Both use
 * vgem_device_create() and vgem_device_destroy(). A device is an entry on the
 * platform bus (the first is called ``vgem``, the others ``vgem-1``, ``vgem-2``
 * and so on) with a DRM device below it.
 *
 * Lifetime: vgem_device_destroy() unplugs the DRM device, after which every
 * ioctl through a file still open answers -ENODEV, and takes the entry off the
 * bus. The memory of both stays until the last open file, buffer, exported
 * dma-buf and CPU mapping is gone; each of these also holds a reference on the
 * module, so that no code goes away under them.
 */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_storage.h>
#include <drm/drm_ioctl.h>

#include "vgem_coherence.h"
#include "vgem_drv.h"

/* Which places among the devices are taken; the IDA has a lock of its own. */
static DEFINE_IDA(vgem_indices);

/* The devices made at load; written by module init and exit only. */
static LIST_HEAD(vgem_loaded);

static unsigned int vgem_devices = 1;
module_param_named(devices, vgem_devices, uint, 0444);
MODULE_PARM_DESC(devices, "Devices to make at load (default 1)");

static int vgem_file_open(struct drm_device *drm, struct drm_file *file)
{
	struct vgem_file *vfile;

	vfile = kzalloc(sizeof(*vfile), GFP_KERNEL);
	if (!vfile)
		return -ENOMEM;

	vgem_fence_table_init(&vfile->fences, VGEM_FENCE_TIMEOUT,
			      VGEM_FENCE_MAX_PENDING);
	file->driver_priv = vfile;
	return 0;
}

static void vgem_file_close(struct drm_device *drm, struct drm_file *file)
{
	struct vgem_file *vfile = file->driver_priv;

	vgem_fence_table_fini(&vfile->fences);
	kfree(vfile);
}

static const struct drm_ioctl_desc vgem_ioctl_table[] = {
	DRM_IOCTL_DEF_DRV(VGEM_FENCE_ATTACH, vgem_fence_attach_ioctl,
			  DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VGEM_FENCE_SIGNAL, vgem_fence_signal_ioctl,
			  DRM_RENDER_ALLOW),
};

DEFINE_DRM_GEM_FOPS(vgem_file_ops);

/* Name, date and version are what clients of the original driver look for. */
static const struct drm_driver vgem_drm_driver = {
	.gem_prime_import = vgem_prime_import,
	.gem_prime_import_sg_table = drm_gem_storage_prime_import_sg_table,
	.dumb_create = drm_gem_storage_dumb_create,
	.gem_create_object = vgem_gem_create_object,
	.driver_features = DRIVER_RENDER | DRIVER_GEM,
	.fops = &vgem_file_ops,
	.open = vgem_file_open,
	.postclose = vgem_file_close,
	.ioctls = vgem_ioctl_table,
	.num_ioctls = ARRAY_SIZE(vgem_ioctl_table),
	.name = "vgem",
	.desc = "Virtual GEM provider",
	.date = "20120112",
	.major = 1,
	.minor = 0,
};

/**
 * vgem_device_config_init - a device without constraints, and coherent
 * @config: filled in
 */
void vgem_device_config_init(struct vgem_device_config *config)
{
	*config = (struct vgem_device_config){
		.dma_mask = DMA_BIT_MASK(64),
		.needs = DMA_BUF_CONSTRAINTS_ANY,
	};
}

static struct platform_device *vgem_platform_add(unsigned int index)
{
	struct platform_device_info info = {
		.name = "vgem",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(64),
	};
	char name[16];

	/*
	 * Part of the name and not an id: libdrm tells platform devices apart
	 * by MODALIAS, which leaves the id out.
	 */
	if (index) {
		snprintf(name, sizeof(name), "vgem-%u", index);
		info.name = name;
	}

	return platform_device_register_full(&info);
}

/*
 * A platform need not serve a mask of less than 32 bits that does not reach all
 * memory, and a PC without ZONE_DMA does not. It has no say in how far the bus in
 * front of a device reaches, which comes to the same: a Raspberry Pi's display has
 * 32 bits, and sees 1 GiB.
 */
static int vgem_set_mask(struct device *dev, u64 mask)
{
	int ret;

	ret = dma_set_mask_and_coherent(dev, mask);
	if (!ret || mask < VGEM_SMALLEST_DMA_MASK)
		return ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (!ret)
		dev->bus_dma_limit = mask;

	return ret;
}

/*
 * No driver binds to the platform device, so nothing would end its devres while
 * the DRM device, itself under devres, holds a reference on it. The group is
 * what vgem_device_destroy() ends in place of a driver's removal.
 */
static struct vgem_device *vgem_drm_add(struct platform_device *platform,
					const struct vgem_device_config *config)
{
	const struct dma_buf_constraints none = DMA_BUF_CONSTRAINTS_ANY;
	struct device *dev = &platform->dev;
	struct vgem_device *vgem;
	int ret;

	if (!devres_open_group(dev, NULL, GFP_KERNEL))
		return ERR_PTR(-ENOMEM);

	vgem = devm_drm_dev_alloc(dev, &vgem_drm_driver, struct vgem_device,
				  drm);
	if (IS_ERR(vgem)) {
		ret = PTR_ERR(vgem);
		goto err_group;
	}

	vgem->platform = platform;
	vgem->config = *config;

	ret = vgem_set_mask(dev, config->dma_mask);
	if (ret)
		goto err_group;
	/* There is no engine that an entry could be too long for. */
	dma_set_max_seg_size(dev, UINT_MAX);
	if (!dma_buf_constraints_equal(&config->needs, &none)) {
		ret = devm_dma_buf_declare_constraints(dev, &config->needs);
		if (ret)
			goto err_group;
	}
	vgem_verify_init(vgem);

	return vgem;

err_group:
	devres_release_group(dev, NULL);
	return ERR_PTR(ret);
}

/**
 * vgem_device_create - make one more vgem device
 * @config: its constraints; copied
 *
 * User space can open the device when this returns, or even before.
 *
 * Context: Process context, may sleep.
 * Return: the device, for vgem_device_destroy() to end; -EIO when the platform
 * cannot serve the DMA mask, -EINVAL when the constraints are not valid, -ENOMEM,
 * or what registering with the platform bus or with DRM gave.
 */
struct vgem_device *vgem_device_create(const struct vgem_device_config *config)
{
	struct platform_device *platform;
	struct vgem_device *vgem;
	int index, ret;

	index = ida_alloc(&vgem_indices, GFP_KERNEL);
	if (index < 0)
		return ERR_PTR(index);

	platform = vgem_platform_add(index);
	if (IS_ERR(platform)) {
		ret = PTR_ERR(platform);
		goto err_index;
	}

	vgem = vgem_drm_add(platform, config);
	if (IS_ERR(vgem)) {
		ret = PTR_ERR(vgem);
		goto err_platform;
	}
	vgem->index = index;

	ret = drm_dev_register(&vgem->drm, 0);
	if (ret)
		goto err_drm;

	return vgem;

err_drm:
	devres_release_group(&platform->dev, NULL);
err_platform:
	platform_device_unregister(platform);
err_index:
	ida_free(&vgem_indices, index);
	return ERR_PTR(ret);
}

/**
 * vgem_device_destroy - take a device away, in use or not
 * @vgem: a device of vgem_device_create(); the caller's reference ends here
 *
 * Files, buffers, dma-bufs and fences of the device stay valid and hold what
 * memory they need. A fence that waits for its signal expires in its time,
 * since SIGNAL through the file answers -ENODEV from now on.
 *
 * Context: Process context, may sleep.
 */
void vgem_device_destroy(struct vgem_device *vgem)
{
	struct platform_device *platform = vgem->platform;
	unsigned int index = vgem->index;

	drm_dev_unplug(&vgem->drm);

	/* May free vgem. */
	devres_release_group(&platform->dev, NULL);
	platform_device_unregister(platform);

	/* Last, for the next owner of the index uses the name again. */
	ida_free(&vgem_indices, index);
}

static void vgem_unload_devices(void)
{
	struct vgem_device *vgem, *next;

	list_for_each_entry_safe(vgem, next, &vgem_loaded, loaded) {
		list_del(&vgem->loaded);
		vgem_device_destroy(vgem);
	}
}

/*
 * User space can open a device as soon as it is registered, and then keeps the
 * file operations of a module whose load fails all the same. So once there is
 * one device, what follows may be missing, but the load has succeeded.
 */
static int __init vgem_load_devices(void)
{
	struct vgem_device_config config;
	struct vgem_device *vgem;
	unsigned int i;

	vgem_device_config_init(&config);

	for (i = 0; i < vgem_devices; i++) {
		vgem = vgem_device_create(&config);
		if (IS_ERR(vgem)) {
			pr_warn("vgem: %u of %u devices made, then error %ld\n",
				i, vgem_devices, PTR_ERR(vgem));
			return i ? 0 : PTR_ERR(vgem);
		}
		list_add_tail(&vgem->loaded, &vgem_loaded);
	}

	return 0;
}

static int __init vgem_init(void)
{
	int ret;

	ret = vgem_load_devices();
	if (ret)
		return ret;

	ret = vgem_configfs_register();
	if (ret && !list_empty(&vgem_loaded)) {
		pr_warn("vgem: no configfs, error %d\n", ret);
		ret = 0;
	}

	return ret;
}

static void __exit vgem_exit(void)
{
	vgem_configfs_unregister();
	vgem_unload_devices();
	vgem_fence_module_exit();
}

module_init(vgem_init);
module_exit(vgem_exit);

MODULE_DESCRIPTION("Virtual GEM provider");
MODULE_LICENSE("GPL");
