/* SPDX-License-Identifier: GPL-2.0 */
/* A DRM device with shmem objects that fails where a test wants it to. */

#ifndef DRM_PRIME_MOCK_H_
#define DRM_PRIME_MOCK_H_

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#define MOCK_SIZE SZ_64K

struct dma_buf;
struct dma_buf_attachment;

/**
 * struct prime_mock - a mock DRM device
 * @drm: the DRM device, never registered
 * @driver: its driver, a copy that a test may change before it opens files
 * @funcs: the functions of its objects, likewise
 * @fail_pin: error for &drm_gem_object_funcs.pin to return, 0 to do its work
 * @fail_sgt: likewise for &drm_gem_object_funcs.get_sg_table
 * @fail_import: likewise for &drm_driver.gem_prime_import_sg_table
 * @fail_open: likewise for &drm_gem_object_funcs.open
 * @in_open: called by &drm_gem_object_funcs.open, with the file
 * @in_open_data: for @in_open
 * @names_locked: whether &drm_device.object_name_lock was held when
 *                &drm_driver.gem_prime_import_sg_table was called last
 * @objects: number of objects alive
 * @pins: number of pins of all objects
 */
struct prime_mock {
	struct drm_device drm;
	struct drm_driver driver;
	struct drm_gem_object_funcs funcs;
	int fail_pin;
	int fail_sgt;
	int fail_import;
	int fail_open;
	void (*in_open)(struct drm_file *file, void *data);
	void *in_open_data;
	bool names_locked;
	atomic_t objects;
	atomic_t pins;
};

/**
 * struct prime_mock_duo - two devices with an open file each
 * @exporter: a device
 * @importer: another device
 * @efile: file of @exporter
 * @ifile: file of @importer
 */
struct prime_mock_duo {
	struct prime_mock *exporter;
	struct prime_mock *importer;
	struct drm_file *efile;
	struct drm_file *ifile;
};

#define to_prime_mock(dev) container_of(dev, struct prime_mock, drm)

extern bool prime_mock_provoke;

struct prime_mock *prime_mock_create_features(struct kunit *test,
					      const char *name, u32 features);
struct prime_mock *prime_mock_create(struct kunit *test, const char *name);
struct drm_file *prime_mock_open(struct kunit *test, struct prime_mock *mock);

int prime_mock_duo_init(struct kunit *test);
void prime_mock_duo_exit(struct kunit *test);

struct drm_gem_object *prime_mock_bo(struct kunit *test,
				     struct prime_mock *mock);
u32 prime_mock_handle(struct kunit *test, struct prime_mock *mock,
		      struct drm_file *file);

int prime_mock_ioctl(struct kunit *test, struct drm_file *file,
		     unsigned int cmd, struct drm_prime_handle *args);
int prime_mock_export(struct kunit *test, struct drm_file *file, u32 handle);
u32 prime_mock_import(struct kunit *test, struct drm_file *file, int fd);
struct dma_buf *prime_mock_dma_buf(struct kunit *test, int fd);
struct drm_gem_object *prime_mock_peek(struct kunit *test,
				       struct drm_file *file, u32 handle);
unsigned int prime_mock_attachments(struct dma_buf *dma_buf);
void prime_mock_close_fd(int fd);
void prime_mock_close(struct kunit *test, struct drm_file *file, u32 handle);

/* For a case that ends in a kernel warning: only if the operator asked. */
#define PRIME_MOCK_NEEDS_PROVOKE(test)                       \
	do {                                                 \
		if (!prime_mock_provoke)                     \
			kunit_skip(test, "needs provoke=1"); \
	} while (0)

/*
 * Files that a kernel thread closes are released by a worker, so what hangs
 * on them goes a little later.
 */
#define PRIME_MOCK_EXPECT_SOON(test, cond)                              \
	do {                                                            \
		unsigned long late = jiffies + 30 * HZ;                 \
		while (!(cond)) {                                       \
			if (time_after(jiffies, late)) {                \
				KUNIT_FAIL(test, "never: %s", #cond);   \
				break;                                  \
			}                                               \
			flush_delayed_fput();                           \
			usleep_range(1000, 5000);                       \
		}                                                       \
	} while (0)

#endif /* DRM_PRIME_MOCK_H_ */
