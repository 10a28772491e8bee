// SPDX-License-Identifier: MIT
/*
 * The compositor: imports the client's buffer on a second vgem device, on vkms
 * and on virtio-gpu, shows it on both, captures what was shown, and reports.
 */
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer.h"
#include "device.h"
#include "display.h"
#include "journey.h"
#include "message.h"
#include "picture.h"
#include "screen.h"
#include "stamp.h"
#include "util.h"

#define FRAMES 2

/* Half a second of vkms' screen: under emulation one capture takes many. */
#define REFRESHES 30

/* One way in which this process reaches the client's buffer. */
struct view {
	const char *name;
	const char *does;
	/* as bufinfo names it; empty if it is nobody's import */
	char importer[64];
	__s64 handle;
	int fd;
	void *map;
};

/* A capture buffer for each frame: an old capture cannot pass for a new one. */
struct capture {
	struct dumb dumb;
	__u32 fb;
};

struct compositor {
	int sock;
	bool single;
	bool with_screen;
	const char *outdir;
	struct device vgem;
	struct device vkms;
	struct device gpu;
	struct display display;
	struct screen screen;
	struct capture captures[FRAMES];
	__u32 fb;
	__u32 pitch;

	struct view received;
	struct view on_vgem;
	struct view on_vkms;
	struct view on_gpu;
	__u32 importers;

	/* of the last stamps that the client was asked for */
	__u32 series;
	struct report report;
};

static void ask(struct compositor *comp, enum message_type request,
		enum message_type answer)
{
	struct message msg = { .type = request, .series = comp->series };

	message_send(comp->sock, &msg, -1);
	message_recv(comp->sock, answer, &msg, NULL);
}

/* Bytes in which @view is not the memory that the client writes to. */
static __u64 bytes_copied(struct compositor *comp, const struct view *view,
			  size_t size)
{
	__u64 bytes;

	comp->series++;
	ask(comp, MSG_STAMP, MSG_STAMPED);
	bytes = stamp_bytes_missing(view->map, size, comp->series);
	ask(comp, MSG_RESTORE, MSG_RESTORED);
	return bytes;
}

/* Adds a line to the report: the buffer as seen through @view, now. */
static void look(struct compositor *comp, const struct view *view, __u32 frame)
{
	const char *name = view->name;
	size_t size = buffer_size(name, view->fd);
	struct picture picture = {
		.pixels = view->map,
		.width = comp->display.mode.hdisplay,
		.height = comp->display.mode.vdisplay,
		.pitch = comp->pitch,
	};
	struct hop hop = {
		.frame = frame,
		.process = "compositor",
		.handle = view->handle,
		.fd = view->fd,
		.inode = buffer_inode(name, view->fd),
		.size = size,
		.importers = comp->importers,
	};

	snprintf(hop.does, sizeof(hop.does), "%s", view->does);
	snprintf(hop.device, sizeof(hop.device), "%s", name);

	buffer_sync(name, view->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	hop.hash = picture_hash(&picture);
	buffer_sync(name, view->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);

	hop.copied = bytes_copied(comp, view, size);
	hop.attached = buffer_attachments(name, hop.inode);
	hop.sg_entries = NONE;
	if (*view->importer)
		hop.sg_entries =
			buffer_sg_entries(name, hop.inode, view->importer);
	report_add(&comp->report, &hop);
}

/*
 * Imports the received buffer on @dev. An imported handle cannot be mapped
 * itself, MAP_DUMB refuses it: it is exported again and that dma-buf is mapped,
 * which also shows whose dma-buf the handle stands for.
 */
static void import(struct compositor *comp, const struct device *dev,
		   struct view *view)
{
	view->name = dev->name;
	view->does = "imports";
	view->handle = prime_import(dev, comp->received.fd);
	view->fd = prime_export(dev, view->handle);
	view->map = buffer_map(dev->name, view->fd,
			       buffer_size(dev->name, view->fd));
	device_bus_name(dev, view->importer, sizeof(view->importer));
	comp->importers++;
}

/* Takes the client's account of a frame. @fd: where its dma-buf goes, or NULL */
static void receive_frame(struct compositor *comp, __u32 frame, int *fd)
{
	struct message msg;

	message_recv(comp->sock, MSG_FRAME, &msg, fd);
	if (msg.frame != frame || msg.width != comp->display.mode.hdisplay ||
	    msg.height != comp->display.mode.vdisplay)
		die("socket: frame %u of %ux%u came where frame %u was due",
		    msg.frame, msg.width, msg.height, frame);
	comp->pitch = msg.pitch;
	comp->report.client_pid = msg.pid;
	comp->report.intended[frame - 1] = msg.intended;
	report_add(&comp->report, &msg.hop);
}

static void wait_for_capture(const struct compositor *comp, __u32 frame,
			     int fence)
{
	if (!fence_done(comp->vkms.name, fence, FENCE_WAIT_MS))
		die("%s: frame %u was not captured in %d s", comp->vkms.name,
		    frame, FENCE_WAIT_MS / 1000);
	close(fence);
}

/* Adds to the report what @device was seen to show. @handle: of the capture */
static void keep(struct compositor *comp, __u32 frame, const char *device,
		 __s64 handle, const struct picture *picture)
{
	struct hop hop = {
		.frame = frame,
		.process = "compositor",
		.does = "scans out",
		.handle = handle,
		.fd = NONE,
		.inode = NONE,
		.size = (__s64)picture->height * picture->pitch,
		.attached = NONE,
		.sg_entries = NONE,
		.copied = NONE,
	};

	snprintf(hop.device, sizeof(hop.device), "%s", device);
	hop.hash = picture_hash(picture);
	report_add(&comp->report, &hop);
}

/* The picture of the frame is the last that was seen of it. */
static void write_frame(const struct compositor *comp, __u32 frame,
			const struct picture *picture)
{
	char file[32];

	snprintf(file, sizeof(file), "frame-%u.png", frame);
	picture_write_png(picture, comp->outdir, file);
}

/* What vkms has written back. */
static void keep_capture(struct compositor *comp, __u32 frame)
{
	const struct capture *capture = &comp->captures[frame - 1];
	struct picture picture = {
		.pixels = capture->dumb.map,
		.width = comp->display.mode.hdisplay,
		.height = comp->display.mode.vdisplay,
		.pitch = capture->dumb.pitch,
	};

	keep(comp, frame, comp->vkms.name, capture->dumb.handle, &picture);
	if (!comp->with_screen)
		write_frame(comp, frame, &picture);
}

/* What the host sees on the screen, which shows the buffer. */
static void keep_screen(struct compositor *comp, __u32 frame)
{
	const struct picture drawn = {
		.pixels = comp->on_gpu.map,
		.width = comp->display.mode.hdisplay,
		.height = comp->display.mode.vdisplay,
		.pitch = comp->pitch,
	};
	struct picture seen;
	__u32 differ;

	screen_dump(&comp->screen, comp->outdir, &seen);
	differ = picture_compare(&drawn, &seen);
	if (differ)
		die("%s: frame %u: %u of %u pixels on the screen are not the buffer's",
		    comp->gpu.name, frame, differ, seen.width * seen.height);
	keep(comp, frame, comp->gpu.name, NONE, &seen);
	write_frame(comp, frame, &seen);
	free(seen.pixels);
}

static void send_shown(const struct compositor *comp, __u32 frame)
{
	struct message msg = {
		.type = MSG_SHOWN,
		.frame = frame,
		.hop = { .importers = comp->importers },
	};

	message_send(comp->sock, &msg, -1);
}

/* Imports the buffer wherever it goes, looking at it on the way. */
static void show_first(struct compositor *comp)
{
	struct view *received = &comp->received;
	int fence;

	receive_frame(comp, 1, &received->fd);
	received->name = "dma-buf";
	received->does = "receives";
	received->handle = NONE;
	received->map = buffer_map("dma-buf", received->fd,
				   buffer_size("dma-buf", received->fd));
	look(comp, received, 1);

	if (!comp->single) {
		import(comp, &comp->vgem, &comp->on_vgem);
		look(comp, &comp->on_vgem, 1);
	}
	import(comp, &comp->vkms, &comp->on_vkms);
	comp->fb = display_add_fb(&comp->display, comp->on_vkms.handle,
				  comp->pitch);
	look(comp, &comp->on_vkms, 1);

	fence = display_light(&comp->display, comp->fb, comp->captures[0].fb);
	wait_for_capture(comp, 1, fence);
	keep_capture(comp, 1);

	if (comp->with_screen) {
		import(comp, &comp->gpu, &comp->on_gpu);
		screen_light(&comp->screen, comp->on_gpu.handle, comp->pitch);
		look(comp, &comp->on_gpu, 1);
		keep_screen(comp, 1);
	}
	send_shown(comp, 1);
}

/*
 * Queues the frame that is still being drawn, and returns the fence of its
 * capture. The client goes on only after that, so neither what poll() says of
 * the buffer nor what it says of the capture is a matter of luck.
 */
static int queue_second(struct compositor *comp)
{
	const char *name = comp->received.name;
	struct message msg;
	int drawn, fence;

	message_recv(comp->sock, MSG_STARTED, &msg, NULL);
	if (buffer_ready(name, comp->received.fd, 0))
		die("%s: frame 2 is being drawn under a fence, but poll says the buffer is ready",
		    name);
	drawn = buffer_export_fence(name, comp->received.fd);
	fence = display_flip(&comp->display, comp->fb, comp->captures[1].fb,
			     drawn);
	close(drawn);

	/* A plane that does not wait for @drawn is scanned out by then. */
	display_wait_refreshes(&comp->display, REFRESHES);
	if (fence_done(comp->vkms.name, fence, 0))
		die("%s: frame 2 was scanned out before it was drawn",
		    comp->vkms.name);
	comp->report.held_back = REFRESHES;

	msg.type = MSG_QUEUED;
	message_send(comp->sock, &msg, -1);
	return fence;
}

static void show_second(struct compositor *comp)
{
	int fence = queue_second(comp);

	if (!buffer_ready(comp->received.name, comp->received.fd,
			  FENCE_WAIT_MS))
		die("%s: frame 2 was not drawn in %d s", comp->received.name,
		    FENCE_WAIT_MS / 1000);
	receive_frame(comp, 2, NULL);
	/* Before anybody stamps the buffer that is scanned out. */
	wait_for_capture(comp, 2, fence);
	look(comp, &comp->received, 2);
	if (!comp->single)
		look(comp, &comp->on_vgem, 2);
	look(comp, &comp->on_vkms, 2);
	keep_capture(comp, 2);

	if (comp->with_screen) {
		screen_update(&comp->screen);
		look(comp, &comp->on_gpu, 2);
		keep_screen(comp, 2);
	}
	send_shown(comp, 2);
}

static void open_screen(struct compositor *comp)
{
	const drmModeModeInfo *mode = &comp->display.mode;
	struct message msg = { .type = MSG_MODE };
	int i;

	if (!comp->single)
		device_open("vgem", 1, &comp->vgem);
	device_open("vkms", 0, &comp->vkms);
	display_open(&comp->display, &comp->vkms);
	for (i = 0; i < FRAMES; i++) {
		struct capture *capture = &comp->captures[i];

		dumb_create(&comp->vkms, mode->hdisplay, mode->vdisplay,
			    &capture->dumb);
		capture->fb =
			display_add_fb(&comp->display, capture->dumb.handle,
				       capture->dumb.pitch);
	}
	if (comp->with_screen) {
		device_open("virtio_gpu", 0, &comp->gpu);
		screen_open(&comp->screen, &comp->gpu, mode->hdisplay,
			    mode->vdisplay);
	}
	msg.width = mode->hdisplay;
	msg.height = mode->vdisplay;
	message_send(comp->sock, &msg, -1);
}

int compositor_main(int sock, const char *outdir, bool single,
		    bool with_screen)
{
	struct compositor comp = {
		.sock = sock,
		.single = single,
		.with_screen = with_screen,
		.outdir = outdir,
	};

	comp.report.compositor_pid = getpid();
	open_screen(&comp);
	show_first(&comp);
	show_second(&comp);

	report_write(&comp.report, outdir, "journey.txt");
	return report_check(&comp.report) ? 0 : 1;
}
