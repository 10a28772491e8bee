// SPDX-License-Identifier: MIT
/*
 * Drivers that go, or would, while a buffer of theirs lives: by unloading their
 * module, and by unbinding their device. What happens is said by errnos, and the
 * kernel's log stays clean.
 *
 * Only drivers without hardware, and virtio-gpu, are treated so. They come back as
 * they were.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "igt.h"
#include "igt_kmod.h"

#include "cards.h"
#include "endpoint.h"
#include "text_file.h"

/**
 * TEST: Drivers that go while buffers are shared
 * Description: Modules that are unloaded and devices that are unbound under a buffer
 *	that is exported, imported and mapped.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: module-unload
 * Description: A module stays while a buffer lives, and then can go.
 *
 * SUBTEST: exporter-unbound
 * Description: An exporter's device is unbound under a buffer in use.
 *
 * SUBTEST: importer-unbound
 * Description: An importer's device is unbound with what it holds.
 */

IGT_TEST_DESCRIPTION("Drivers that go while buffers of theirs are shared.");

#define WIDTH  64
#define HEIGHT 48

static const struct {
	const char *driver, *module;
} drivers[] = {
	{ "vgem", "vgem" },
	{ "vkms", "vkms" },
	{ "virtio-gpu", "virtio_gpu" },
};

/* Only the one, on a file of its own; nothing else is open then. */
static void open_driver(const char *driver, bool imports, struct endpoint *ep)
{
	struct endpoint eps[MAX_ENDPOINTS];
	int num = endpoints_open_drm(eps, MAX_ENDPOINTS), found = -1;

	for (int i = 0; i < num; i++) {
		bool is = strcmp(eps[i].driver, driver) == 0 &&
			  (imports ? eps[i].imports : eps[i].exports);

		if (is && found < 0)
			found = i;
		else
			close(eps[i].fd);
	}
	igt_require_f(found >= 0, "no %s device\n", driver);
	*ep = eps[found];
}

/* Somebody else, who imports whatever there is. */
static const char *other_than(const char *driver)
{
	return strcmp(driver, "vkms") ? "vkms" : "vgem";
}

static void read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");

	igt_require_f(file, "%s: %m\n", path);
	if (!fgets(line, size, file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static int users_of(const char *module)
{
	char path[80], line[32];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	read_line(path, line, sizeof(line));
	return atoi(line);
}

/* "devices=2 ...", as it was loaded. */
static void read_options(const char *module, char *opts, size_t size)
{
	struct dirent *entry;
	char path[PATH_MAX], value[128];
	DIR *dir;

	opts[0] = '\0';
	snprintf(path, sizeof(path), "/sys/module/%s/parameters", module);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		size_t length = strlen(opts);

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s",
			 module, entry->d_name);
		read_line(path, value, sizeof(value));
		if (value[0] && value[0] != '(')
			snprintf(opts + length, size - length, "%s=%s ",
				 entry->d_name, value);
	}
	if (dir)
		closedir(dir);
	errno = 0;
}

/* IGT's igt_kmod_unload() would try for ten seconds. */
static void expect_refused(const char *module, const char *why)
{
	int err = syscall(SYS_delete_module, module, O_NONBLOCK) ? errno : 0;

	igt_assert_f(err == EWOULDBLOCK, "%s in spite of %s: %s\n", module, why,
		     strerror(err));
	igt_assert(igt_kmod_is_loaded(module));
	errno = 0;
}

/* One after the other is all that is left of the buffer. */
static void outlive(const char *module, struct endpoint *ep,
		    struct endpoint *other)
{
	struct endpoint_bo bo;
	uint32_t handle;
	void *map;

	endpoint_create(ep, WIDTH, HEIGHT, &bo);
	gem_close(ep->fd, bo.handle);
	expect_refused(module, "an open file");
	close(ep->fd);
	expect_refused(module, "a dma-buf");
	map = dmabuf_mmap(bo.dmabuf, bo.size);
	pattern_fill(map, bo.size, 1);
	handle = endpoint_import(other, bo.dmabuf);
	close(bo.dmabuf);
	expect_refused(module, "an import and a mapping");
	gem_close(other->fd, handle);
	expect_refused(module, "a mapping");
	pattern_check(map, bo.size, 1);
	munmap(map, bo.size);
}

static void expect_unused(const char *module)
{
	igt_set_timeout(60, "the last user of a module");
	while (users_of(module))
		sched_yield();
	igt_reset_timeout();
}

/* A module, a device, that a subtest has taken away, and not yet brought back. */
static struct {
	const char *module;
	char options[512], bind[PATH_MAX + 16], device[256];
} away;

/* Also when a subtest has failed: it may have been the display of who runs it. */
static void bring_back(int sig)
{
	(void)sig;
	if (away.module)
		igt_kmod_load(away.module, away.options);
	away.module = NULL;
	if (*away.bind)
		text_file_write(away.bind, away.device);
	*away.bind = '\0';
}

static void module_unload(const char *driver, const char *module)
{
	struct endpoint ep, other;

	bring_back(0);
	igt_require_f(igt_kmod_is_loaded(module), "%s is no module\n", module);
	igt_require_f(users_of(module) == 0, "%s is in use\n", module);
	read_options(module, away.options, sizeof(away.options));
	open_driver(other_than(driver), true, &other);
	open_driver(driver, false, &ep);
	outlive(module, &ep, &other);
	close(other.fd);
	expect_unused(module);
	do_or_die(igt_kmod_unload(module));
	away.module = module;
	igt_assert(!igt_kmod_is_loaded(module));
	do_or_die(igt_kmod_load(module, away.options));
	away.module = NULL;
	open_driver(driver, false, &ep);
	close(ep.fd);
}

/* A device and its driver in sysfs. */
struct bound {
	char device[PATH_MAX], driver[PATH_MAX];
	const char *name;
};

static void find_bound(const struct endpoint *ep, struct bound *bound)
{
	char link[PATH_MAX + 16];
	struct stat st;

	do_or_die(fstat(ep->fd, &st));
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device",
		 major(st.st_rdev), minor(st.st_rdev));
	igt_require_f(realpath(link, bound->device), "%s is on no device\n",
		      ep->name);
	bound->name = strrchr(bound->device, '/') + 1;
	snprintf(link, sizeof(link), "%s/driver", bound->device);
	igt_require_f(realpath(link, bound->driver),
		      "the device of %s has no driver to be unbound from\n",
		      ep->name);
	/* It would be the end of whoever shows something there. */
	igt_require_f(drmSetMaster(ep->fd) == 0,
		      "somebody else is master of %s\n", ep->name);
	errno = 0;
}

static void unbind(const struct bound *bound)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/unbind", bound->driver);
	igt_assert_eq(text_file_write(path, bound->name), 0);
	snprintf(away.device, sizeof(away.device), "%s", bound->name);
	snprintf(away.bind, sizeof(away.bind), "%s/bind", bound->driver);
}

static void bind_again(void)
{
	igt_assert_eq(text_file_write(away.bind, away.device), 0);
	*away.bind = '\0';
}

static sigjmp_buf bus_error;

static void on_bus_error(int sig)
{
	siglongjmp(bus_error, sig);
}

/* A mapping has its content, or gives SIGBUS; which one the driver may choose. */
static void look_at(const void *map, uint64_t size)
{
	struct sigaction old, action = { .sa_handler = on_bus_error };

	sigaction(SIGBUS, &action, &old);
	if (sigsetjmp(bus_error, 1) == 0)
		pattern_check(map, size, 1);
	else
		igt_debug("SIGBUS\n");
	sigaction(SIGBUS, &old, NULL);
}

static void expect_dead(const struct endpoint *ep, uint32_t handle, int dmabuf)
{
	struct drm_gem_close close_arg = { .handle = handle };
	int fd;

	igt_assert_eq(__prime_handle_to_fd(ep->fd, handle, 0, &fd), -ENODEV);
	igt_assert_eq(__prime_fd_to_handle(ep->fd, dmabuf, &handle), -ENODEV);
	do_ioctl_err(ep->fd, DRM_IOCTL_GEM_CLOSE, &close_arg, ENODEV);
}

static void exporter_unbound(const char *driver)
{
	struct endpoint ep, other;
	struct endpoint_bo bo;
	struct bound bound;
	uint32_t handle;
	ino_t inode;
	void *map;

	bring_back(0);
	open_driver(driver, false, &ep);
	find_bound(&ep, &bound);
	open_driver(other_than(driver), true, &other);
	endpoint_create(&ep, WIDTH, HEIGHT, &bo);
	inode = dmabuf_inode(bo.dmabuf);
	map = dmabuf_mmap(bo.dmabuf, bo.size);
	pattern_fill(map, bo.size, 1);
	handle = endpoint_import(&other, bo.dmabuf);

	unbind(&bound);
	expect_dead(&ep, bo.handle, bo.dmabuf);
	look_at(map, bo.size);
	/* the dma-buf is no file of the device, and can still be handed on */
	close(prime_handle_to_fd(other.fd, handle));
	close(ep.fd);
	look_at(map, bo.size);
	munmap(map, bo.size);
	close(bo.dmabuf);
	igt_assert_neq(dmabuf_alive(inode), 0);
	gem_close(other.fd, handle);
	close(other.fd);
	dmabuf_expect_gone(inode);

	bind_again();
	open_driver(driver, false, &ep);
	close(ep.fd);
}

static void importer_unbound(const char *driver)
{
	struct endpoint ep, other;
	struct endpoint_bo bo;
	struct bound bound;
	uint32_t handle;
	ino_t inode;
	void *map;

	bring_back(0);
	open_driver(driver, true, &ep);
	find_bound(&ep, &bound);
	open_driver(other_than(driver), false, &other);
	endpoint_create(&other, WIDTH, HEIGHT, &bo);
	inode = dmabuf_inode(bo.dmabuf);
	map = dmabuf_mmap(bo.dmabuf, bo.size);
	pattern_fill(map, bo.size, 1);
	handle = endpoint_import(&ep, bo.dmabuf);

	unbind(&bound);
	expect_dead(&ep, handle, bo.dmabuf);
	/* Whose it is has not gone. */
	pattern_check(map, bo.size, 1);
	igt_assert_eq_u32(prime_fd_to_handle(other.fd, bo.dmabuf), bo.handle);
	munmap(map, bo.size);
	endpoint_destroy(&bo);
	igt_assert_neq(dmabuf_alive(inode), 0);
	close(ep.fd);
	dmabuf_expect_gone(inode);
	close(other.fd);

	bind_again();
	open_driver(driver, true, &ep);
	close(ep.fd);
}

igt_main
{
	igt_fixture {
		cards_load();
		igt_install_exit_handler(bring_back);
	}

	igt_describe("a module stays while a buffer lives, and then can go");
	igt_subtest_with_dynamic("module-unload") {
		for (unsigned int i = 0; i < ARRAY_SIZE(drivers); i++)
			igt_dynamic(drivers[i].driver)
				module_unload(drivers[i].driver,
					      drivers[i].module);
	}

	/* vgem's and vkms's devices have no driver to be unbound from */
	igt_describe("an exporter's device is unbound under a buffer in use");
	igt_subtest("exporter-unbound")
		exporter_unbound("virtio-gpu");

	igt_describe("an importer's device is unbound with what it holds");
	igt_subtest("importer-unbound")
		importer_unbound("virtio-gpu");
}
