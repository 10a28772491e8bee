/* SPDX-License-Identifier: MIT */
/* What the cases are made of: buffers of vgem, a renderer, and what it asks the kernel. */
#ifndef MESA_TEST_H
#define MESA_TEST_H

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include <gbm.h>
#include <linux/dma-buf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WIDTH  128
#define HEIGHT 96

/* Anything that is not as it should be ends the process. */
_Noreturn void die(const char *format, ...);

#define check(condition, ...)             \
	do {                              \
		if (!(condition))         \
			die(__VA_ARGS__); \
	} while (0)

/* A file for people: its name begins with $MESA_PICTURES, where there is that. */
void picture_write(const char *name, uint32_t width, uint32_t height,
		   const uint32_t *pixels);

/* --- buffers: buffer.c ------------------------------------------------------------- */

struct buffer {
	int card, dmabuf;
	uint32_t handle, width, height, stride;
	size_t size;
	uint8_t *map;
	ino_t inode;
};

/* Part of a buffer that is an image: pixels of four bytes. */
struct view {
	uint32_t offset, stride, width, height;
};

int node_open(const char *path, const char *driver);
int card_open(const char *driver, bool render);
void buffer_create(struct buffer *buffer, uint32_t width, uint32_t height,
		   bool read_only);
struct view view_of(const struct buffer *buffer);
uint32_t pixel_of(int seed, uint32_t x, uint32_t y);
void sync_cpu(int dmabuf, uint64_t flags);
void buffer_fill(struct buffer *buffer, const struct view *view, int seed);
void buffer_read(struct buffer *buffer, const struct view *view,
		 uint32_t *pixels);
int buffer_wrong(struct buffer *buffer, const struct view *view, int seed);
uint32_t buffer_fence(struct buffer *buffer, bool write);
void buffer_signal(struct buffer *buffer, uint32_t fence);
ino_t inode_of(int fd);

/* --- a camera: camera.c ------------------------------------------------------------ */

/* How many buffers it wants before it begins. */
#define QUEUED 2

/* What both a camera and a display have. */
#define DEVICE_WIDTH  640
#define DEVICE_HEIGHT 480

/* One picture, in the first of the buffers. */
void camera_fill(const struct buffer *buffers);

/* --- the renderer: render.c -------------------------------------------------------- */

struct renderer {
	int fd;
	struct gbm_device *gbm;
	EGLDisplay display;
	EGLContext context;
};

/* What is sampled or drawn to. */
struct target {
	uint32_t width, height;
	EGLImageKHR image;
	GLenum kind;
	GLuint texture, framebuffer;
	/* the one that eglSwapBuffers() shows, and no texture */
	bool window;
};

extern const char *renderer_driver;

void renderer_open(struct renderer *renderer);
/* Whether the kernel knows by itself when something is drawn, as of a GPU. */
bool renderer_has_fences(const struct renderer *renderer);
void *egl_function(const char *name);
EGLImageKHR image_import(const struct renderer *renderer, int dmabuf,
			 const struct view *view, uint32_t fourcc);
void target_import(const struct renderer *renderer, struct target *target,
		   int dmabuf, const struct view *view, uint32_t fourcc);
void target_image(struct target *target, GLenum kind, EGLImageKHR image,
		  uint32_t width, uint32_t height);
void target_plain(struct target *target, uint32_t width, uint32_t height);
/* Makes it what is drawn to, and gives what it is locked by. */
struct gbm_surface *target_window(const struct renderer *renderer,
				  struct target *target, uint32_t width,
				  uint32_t height);
void target_swap(const struct renderer *renderer);
void target_filled(struct target *target, uint32_t width, uint32_t height,
		   int seed);
void target_draw(struct target *target, const struct target *source);
void target_read(struct target *target, uint32_t *pixels);
int target_wrong(struct target *target, int seed);

/* --- another process: viewer.c ----------------------------------------------------- */

struct viewer {
	pid_t process;
	int socket;
};

/* WIDTH by HEIGHT of pixel_of(), the last row first if it is flipped. */
struct picture {
	uint32_t stride;
	int seed;
	bool flipped;
};

/* Before what it is to see is drawn, for to start a process takes time. */
void viewer_start(struct viewer *viewer);
/* Whether it sees the picture in the buffer as soon as poll() says that it may. */
void viewer_sees(const struct viewer *viewer, int dmabuf,
		 struct picture picture);

/* --- what it asks the kernel: kernel.c --------------------------------------------- */

/* Of one buffer, from now on. */
void kernel_watch(ino_t inode);
/* Interrupts each request this many times before the kernel sees it. */
void kernel_interrupt(int times);
/* How often the CPU's access was begun for all that flags say. */
int kernel_begun(uint64_t flags);
/* Whether what was begun has ended, each in the way it was begun. */
bool kernel_ended(void);
/* Whether the thread is in such a request now, and sleeps. */
bool kernel_waits(pid_t thread);

/* --- cases ------------------------------------------------------------------------- */

struct test {
	const char *name;
	void (*run)(const struct renderer *renderer);
};

/* cost.c: prints a line for each kind of frame. */
void cost(const struct renderer *renderer);
/* device.c: until it is killed. */
void show(const struct renderer *renderer);

extern const struct test import_tests[], access_tests[], fence_tests[],
	device_tests[];

#endif
