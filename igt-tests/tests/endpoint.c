// SPDX-License-Identifier: MIT
/* See endpoint.h. */

#include <dirent.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <virtgpu_drm.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "endpoint.h"

/* The only target without 3D, XRGB8888, and what hosts with 3D ask for. */
#define VIRTGPU_TEXTURE_2D    2
#define VIRTGPU_B8G8R8X8      2
#define VIRTGPU_RENDER_TARGET 2

static int driver_number(const struct endpoint *eps, int num,
			 const char *driver)
{
	int n = 0;

	for (int i = 0; i < num; i++)
		if (strcmp(eps[i].driver, driver) == 0)
			n++;
	return n;
}

static void name_endpoint(struct endpoint *eps, int num, const char *driver)
{
	struct endpoint *ep = &eps[num];

	snprintf(ep->driver, sizeof(ep->driver), "%s", driver);
	for (char *c = ep->driver; *c; c++)
		if (*c == '_')
			*c = '-';
	snprintf(ep->name, sizeof(ep->name), "%s%d", ep->driver,
		 driver_number(eps, num, ep->driver));
}

/*
 * A driver without dumb buffers says so in a way of its own, for vgem cannot be asked for
 * the capability.  One that has them and fails is for the tests to stumble upon.
 */
static bool has_dumb(int fd)
{
	struct vgem_bo bo = { .width = 1, .height = 1, .bpp = 32 };
	int err = __vgem_create(fd, &bo);

	if (err)
		return err != -ENOSYS && err != -EOPNOTSUPP;
	gem_close(fd, bo.handle);
	return true;
}

static void probe_drm(struct endpoint *eps, int num, int fd)
{
	struct endpoint *ep = &eps[num];
	uint64_t prime = 0;
	char driver[24] = "";

	memset(ep, 0, sizeof(*ep));
	igt_assert_eq(__get_drm_device_name(fd, driver, sizeof(driver) - 1), 0);
	name_endpoint(eps, num, driver);
	ep->type = ENDPOINT_DRM;
	ep->fd = fd;
	drmGetCap(fd, DRM_CAP_PRIME, &prime);
	ep->exports = prime & DRM_PRIME_CAP_EXPORT && has_dumb(fd);
	ep->imports = prime & DRM_PRIME_CAP_IMPORT;
}

int endpoints_open_drm(struct endpoint *eps, int max)
{
	int num = 0;

	for (int i = 0; i < 64 && num < max; i++) {
		int fd = __card_open(i);

		if (fd < 0)
			continue;
		/* A test of buffers must not keep a compositor out. */
		drmDropMaster(fd);
		probe_drm(eps, num++, fd);
	}
	errno = 0;
	return num;
}

static int open_heaps(struct endpoint *eps, int num, int max)
{
	DIR *dir = opendir("/dev/dma_heap");
	struct dirent *entry;

	if (!dir)
		return num;
	while (num < max && (entry = readdir(dir))) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		eps[num] = (struct endpoint){
			.type = ENDPOINT_HEAP,
			.fd = fd,
			.exports = true,
		};
		name_endpoint(eps, num, entry->d_name);
		snprintf(eps[num].name, sizeof(eps[num].name), "%s-heap",
			 eps[num].driver);
		num++;
	}
	closedir(dir);
	return num;
}

int endpoints_open(struct endpoint *eps, int max)
{
	int num = endpoints_open_drm(eps, max);
	int fd;

	num = open_heaps(eps, num, max);
	fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && num < max) {
		eps[num] = (struct endpoint){
			.type = ENDPOINT_UDMABUF,
			.driver = "udmabuf",
			.name = "udmabuf",
			.fd = fd,
			.exports = true,
		};
		num++;
	}
	errno = 0;
	return num;
}

void endpoints_close(struct endpoint *eps, int num)
{
	for (int i = 0; i < num; i++)
		close(eps[i].fd);
}

bool endpoint_of_resources(const struct endpoint *ep,
			   struct endpoint *resources)
{
	if (ep->type != ENDPOINT_DRM || strcmp(ep->driver, "virtio-gpu"))
		return false;
	*resources = *ep;
	resources->resources = true;
	resources->imports = false;
	snprintf(resources->name, sizeof(resources->name), "%.24s-resource",
		 ep->name);
	return true;
}

/* A texture that the host does not see before it is told to. */
static void create_resource(struct endpoint_bo *bo, uint32_t width,
			    uint32_t height)
{
	struct drm_virtgpu_resource_create arg = {
		.target = VIRTGPU_TEXTURE_2D,
		.format = VIRTGPU_B8G8R8X8,
		.bind = VIRTGPU_RENDER_TARGET,
		.width = width,
		.height = height,
		.array_size = 1,
		.depth = 1,
		.size = bo->pitch * height,
	};

	do_ioctl(bo->ep->fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &arg);
	bo->handle = arg.bo_handle;
}

static void create_drm(struct endpoint_bo *bo, uint32_t width, uint32_t height)
{
	struct vgem_bo dumb = { .width = width, .height = height, .bpp = 32 };

	if (bo->ep->resources) {
		create_resource(bo, width, height);
	} else {
		vgem_create(bo->ep->fd, &dumb);
		bo->handle = dumb.handle;
		bo->pitch = dumb.pitch;
	}
	bo->dmabuf = prime_handle_to_fd_for_mmap(bo->ep->fd, bo->handle);
}

static uint64_t resource_offset(const struct endpoint_bo *bo)
{
	struct drm_virtgpu_map arg = { .handle = bo->handle };

	do_ioctl(bo->ep->fd, DRM_IOCTL_VIRTGPU_MAP, &arg);
	return arg.offset;
}

void *endpoint_map(const struct endpoint_bo *bo)
{
	struct vgem_bo dumb = { .handle = bo->handle, .size = bo->size };
	void *map;

	if (!bo->ep->resources)
		return vgem_mmap(bo->ep->fd, &dumb, PROT_READ | PROT_WRITE);
	map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   bo->ep->fd, resource_offset(bo));
	igt_assert_f(map != MAP_FAILED, "a resource cannot be mapped\n");
	return map;
}

static void create_heap(struct endpoint_bo *bo, uint64_t size)
{
	struct dma_heap_allocation_data arg = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	do_ioctl(bo->ep->fd, DMA_HEAP_IOCTL_ALLOC, &arg);
	bo->dmabuf = arg.fd;
}

static void create_udmabuf(struct endpoint_bo *bo, uint64_t size)
{
	struct udmabuf_create arg = {
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = size,
	};

	bo->memfd = memfd_create("igt", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	igt_assert_fd(bo->memfd);
	do_or_die(ftruncate(bo->memfd, size));
	do_or_die(fcntl(bo->memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	arg.memfd = bo->memfd;
	bo->dmabuf = ioctl(bo->ep->fd, UDMABUF_CREATE, &arg);
	igt_assert_fd(bo->dmabuf);
}

void endpoint_create(const struct endpoint *ep, uint32_t width, uint32_t height,
		     struct endpoint_bo *bo)
{
	uint64_t size = ALIGN((uint64_t)width * height * 4, 4096);

	*bo = (struct endpoint_bo){
		.ep = ep,
		.memfd = -1,
		.pitch = width * 4,
	};
	if (ep->type == ENDPOINT_DRM)
		create_drm(bo, width, height);
	else if (ep->type == ENDPOINT_HEAP)
		create_heap(bo, size);
	else
		create_udmabuf(bo, size);
	bo->size = prime_get_size(bo->dmabuf);
	igt_assert_lte_u64((uint64_t)bo->pitch * height, bo->size);
}

void endpoint_destroy(struct endpoint_bo *bo)
{
	if (bo->handle)
		gem_close(bo->ep->fd, bo->handle);
	if (bo->memfd >= 0)
		close(bo->memfd);
	do_or_die(close(bo->dmabuf));
}

void exporter_subtests(const struct exporter_test *tests,
		       const struct endpoint *eps, int num)
{
	for (const struct exporter_test *t = tests; t->name; t++) {
		igt_describe(t->describe);
		igt_subtest_with_dynamic(t->name) {
			for (int i = 0; i < num; i++) {
				if (!eps[i].exports)
					continue;
				igt_dynamic(eps[i].name)
					t->run(&eps[i]);
			}
		}
	}
}

int __prime_fd_to_handle(int fd, int dmabuf, uint32_t *handle)
{
	struct drm_prime_handle arg = { .fd = dmabuf };
	int err = 0;

	if (igt_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg))
		err = -errno;
	errno = 0;
	*handle = arg.handle;
	return err;
}

int __prime_handle_to_fd(int fd, uint32_t handle, uint32_t flags, int *dmabuf)
{
	struct drm_prime_handle arg = {
		.handle = handle,
		.flags = flags,
		.fd = -1,
	};
	int err = 0;

	if (igt_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg))
		err = -errno;
	errno = 0;
	*dmabuf = arg.fd;
	return err;
}

/* vgem and vkms exist to take any buffer: they have no way out. */
static bool may_refuse(const struct endpoint *ep)
{
	return strcmp(ep->driver, "vgem") && strcmp(ep->driver, "vkms");
}

uint32_t endpoint_import(const struct endpoint *ep, int dmabuf)
{
	uint32_t handle;
	int err = __prime_fd_to_handle(ep->fd, dmabuf, &handle);

	igt_skip_on_f(err == -ENODEV && may_refuse(ep),
		      "%s takes no foreign dma-buf\n", ep->name);
	igt_assert_f(err == 0, "%s refuses the dma-buf: %s\n", ep->name,
		     strerror(-err));
	igt_assert_neq_u32(handle, 0);
	return handle;
}

bool endpoint_takes(const struct endpoint *to, const struct endpoint *from)
{
	struct endpoint_bo bo;
	uint32_t handle;
	int err;

	endpoint_create(from, 1, 1, &bo);
	err = __prime_fd_to_handle(to->fd, bo.dmabuf, &handle);
	igt_assert_f(!err || err == -ENODEV, "%s refuses a buffer: %s\n",
		     to->name, strerrorname_np(-err));
	if (!err)
		gem_close(to->fd, handle);
	endpoint_destroy(&bo);
	return !err;
}

void *dmabuf_mmap(int dmabuf, uint64_t size)
{
	void *map =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);

	igt_assert_f(map != MAP_FAILED, "a dma-buf cannot be mapped\n");
	return map;
}

static uint32_t pattern_word(uint64_t i, uint32_t seed)
{
	return ((uint32_t)i * 2654435761u) ^ (seed * 0x9e3779b9u);
}

void pattern_fill(void *map, uint64_t size, uint32_t seed)
{
	uint32_t *word = map;

	for (uint64_t i = 0; i < size / 4; i++)
		word[i] = pattern_word(i, seed);
}

void pattern_check(const void *map, uint64_t size, uint32_t seed)
{
	const uint32_t *word = map;

	for (uint64_t i = 0; i < size / 4; i++)
		igt_assert_f(word[i] == pattern_word(i, seed),
			     "at byte %llu: %08x, expected %08x\n",
			     (unsigned long long)i * 4, word[i],
			     pattern_word(i, seed));
}

ino_t dmabuf_inode(int dmabuf)
{
	struct stat st;

	do_or_die(fstat(dmabuf, &st));
	return st.st_ino;
}

/* As most distributions' kernels tell, which have no statistics in sysfs. */
static int listed_in_bufinfo(ino_t inode)
{
	unsigned long number;
	bool found = false;
	char line[512];
	FILE *f;

	igt_debugfs_mount();
	f = fopen("/sys/kernel/debug/dma_buf/bufinfo", "re");
	if (!f) {
		igt_info("no statistics, no bufinfo: no look for what is left\n");
		errno = 0;
		return -1;
	}
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %*x %*x %*u %*s %lu", &number) == 1)
			found |= number == inode;
	fclose(f);
	return found;
}

int dmabuf_alive(ino_t inode)
{
	static const char root[] = "/sys/kernel/dmabuf/buffers";
	char path[96];

	if (access(root, F_OK))
		return listed_in_bufinfo(inode);
	snprintf(path, sizeof(path), "%s/%lu", root, (unsigned long)inode);
	return access(path, F_OK) == 0;
}

void dmabuf_expect_gone(ino_t inode)
{
	igt_set_timeout(60, "end of a dma-buf after its last user's");
	while (dmabuf_alive(inode) == 1)
		sched_yield();
	igt_reset_timeout();
}

int count_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	igt_assert(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

int __send_fd(int socket, int fd, int flags)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket, &msg, MSG_NOSIGNAL | flags) < 0 ? -errno : 0;
}

int __receive_fd(int socket, int *fd, int flags)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	*fd = -1;
	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC | flags) < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return 0;
}

void send_fd(int socket, int fd)
{
	igt_assert_eq(__send_fd(socket, fd, 0), 0);
}

int receive_fd(int socket)
{
	int fd;

	igt_assert_eq(__receive_fd(socket, &fd, 0), 0);
	return fd;
}
