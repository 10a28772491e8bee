/* SPDX-License-Identifier: MIT */
/*
 * An endpoint is whatever makes a dma-buf or takes one: a DRM device, a heap,
 * udmabuf. Tests are written against endpoints and run for all that are there.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_ENDPOINTS 16

enum endpoint_type {
	ENDPOINT_DRM,
	ENDPOINT_HEAP,
	ENDPOINT_UDMABUF,
};

struct endpoint {
	enum endpoint_type type;
	char driver[24]; /* "vgem", "system", "udmabuf" */
	char name[40]; /* driver and number: "vgem0" */
	int fd;
	bool exports; /* makes buffers that user space can map */
	bool imports; /* has FD_TO_HANDLE */
	bool resources; /* makes what its own ioctl makes, not dumb buffers */
};

struct endpoint_bo {
	const struct endpoint *ep;
	uint32_t handle; /* DRM only */
	int dmabuf; /* read-write, close-on-exec */
	int memfd; /* udmabuf only: the memory behind it, else -1 */
	uint64_t size; /* of the dma-buf, at least what was asked for */
	uint32_t pitch; /* DRM only */
};

/* All DRM devices first, then heaps and udmabuf. Returns how many. */
int endpoints_open(struct endpoint *eps, int max);
void endpoints_close(struct endpoint *eps, int num);

/* The DRM endpoints alone. */
int endpoints_open_drm(struct endpoint *eps, int max);

/*
 * The same device as an exporter of buffers that are not dumb ones: resources of
 * virtio-gpu. False if it has none.
 */
bool endpoint_of_resources(const struct endpoint *ep,
			   struct endpoint *resources);

/* A 32 bit per pixel buffer; fails the subtest. */
void endpoint_create(const struct endpoint *ep, uint32_t width, uint32_t height,
		     struct endpoint_bo *bo);
void endpoint_destroy(struct endpoint_bo *bo);

/* A mapping by the DRM device itself, not through the dma-buf. */
void *endpoint_map(const struct endpoint_bo *bo);

/*
 * Imports a foreign dma-buf. Skips where the driver says that it takes none
 * (virtio-gpu of 6.12), fails on any other error.
 */
uint32_t endpoint_import(const struct endpoint *ep, int dmabuf);
/* virtio-gpu of 6.12 says that it imports, and answers ENODEV. */
bool endpoint_takes(const struct endpoint *to, const struct endpoint *from);

/* A subtest that is run for each exporter; the last of a list has no name. */
struct exporter_test {
	const char *name, *describe;
	void (*run)(const struct endpoint *ep);
};

void exporter_subtests(const struct exporter_test *tests,
		       const struct endpoint *eps, int num);

int __prime_fd_to_handle(int fd, int dmabuf, uint32_t *handle);
int __prime_handle_to_fd(int fd, uint32_t handle, uint32_t flags, int *dmabuf);

/* A read-write mapping of a whole dma-buf; fails the subtest. */
void *dmabuf_mmap(int dmabuf, uint64_t size);

/* A pattern that differs in every word, and between seeds. */
void pattern_fill(void *map, uint64_t size, uint32_t seed);
void pattern_check(const void *map, uint64_t size, uint32_t seed);

/* The number a dma-buf has in fstat(), fdinfo, bufinfo and sysfs. */
ino_t dmabuf_inode(int dmabuf);

/* Whether a dma-buf still exists: 1, 0, or -1 where neither sysfs nor debugfs tells. */
int dmabuf_alive(ino_t inode);

/* Waits for its end, which a device may put off: virtio-gpu asks its host first. */
void dmabuf_expect_gone(ino_t inode);

int count_open_fds(void);

/* A descriptor over a UNIX socket. */
int __send_fd(int socket, int fd, int flags);
int __receive_fd(int socket, int *fd, int flags);
void send_fd(int socket, int fd);
int receive_fd(int socket);

#endif
