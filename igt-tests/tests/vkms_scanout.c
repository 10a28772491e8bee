// SPDX-License-Identifier: MIT
/*
 * An imported buffer on a display. vkms reads planes with the CPU and writes
 * what it composed to a writeback buffer, so the picture that left the display
 * can be compared with what the exporter drew, pixel by pixel.
 */

#include <drm_fourcc.h>
#include <fcntl.h>
#include <sched.h>
#include <xf86drmMode.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "igt_vgem.h"
#include "sw_sync.h"

#include "endpoint.h"

IGT_TEST_DESCRIPTION("Imported buffers scanned out and captured by vkms.");

#define WIDTH	160
#define HEIGHT	120
#define WAIT_MS 10000

enum {
	PLANE_FB,
	PLANE_CRTC,
	PLANE_SRC_W,
	PLANE_SRC_H,
	PLANE_CRTC_W,
	PLANE_CRTC_H,
	PLANE_IN_FENCE,
	CRTC_ACTIVE,
	CRTC_MODE,
	CONN_CRTC,
	WB_CRTC,
	WB_FB,
	WB_OUT_FENCE,
	NUM_PROPS,
};

static struct kms {
	int fd;
	uint32_t crtc, plane, connector, writeback, mode_blob;
	uint32_t prop[NUM_PROPS];
} kms = { .fd = -1 };

static uint32_t property(uint32_t object, uint32_t type, const char *name,
			 uint64_t *value)
{
	drmModeObjectPropertiesPtr all;
	uint32_t id = 0;

	all = drmModeObjectGetProperties(kms.fd, object, type);
	igt_assert(all);
	for (uint32_t i = 0; i < all->count_props && !id; i++) {
		drmModePropertyPtr p =
			drmModeGetProperty(kms.fd, all->props[i]);

		if (strcmp(p->name, name) == 0) {
			id = p->prop_id;
			if (value)
				*value = all->prop_values[i];
		}
		drmModeFreeProperty(p);
	}
	drmModeFreeObjectProperties(all);
	return id;
}

static void find_connectors(drmModeResPtr res)
{
	for (int i = 0; i < res->count_connectors; i++) {
		drmModeConnectorPtr c;

		c = drmModeGetConnector(kms.fd, res->connectors[i]);
		igt_assert(c);
		if (c->connector_type == DRM_MODE_CONNECTOR_WRITEBACK)
			kms.writeback = c->connector_id;
		else if (!kms.connector)
			kms.connector = c->connector_id;
		drmModeFreeConnector(c);
	}
}

static void find_primary_plane(void)
{
	drmModePlaneResPtr planes = drmModeGetPlaneResources(kms.fd);
	uint64_t type;

	igt_assert(planes);
	for (uint32_t i = 0; i < planes->count_planes && !kms.plane; i++)
		if (property(planes->planes[i], DRM_MODE_OBJECT_PLANE, "type",
			     &type) &&
		    type == DRM_PLANE_TYPE_PRIMARY)
			kms.plane = planes->planes[i];
	drmModeFreePlaneResources(planes);
}

static void find_properties(void)
{
	static const struct {
		uint32_t *object;
		uint32_t type;
		const char *name;
	} where[NUM_PROPS] = {
		[PLANE_FB] = { &kms.plane, DRM_MODE_OBJECT_PLANE, "FB_ID" },
		[PLANE_CRTC] = { &kms.plane, DRM_MODE_OBJECT_PLANE, "CRTC_ID" },
		[PLANE_SRC_W] = { &kms.plane, DRM_MODE_OBJECT_PLANE, "SRC_W" },
		[PLANE_SRC_H] = { &kms.plane, DRM_MODE_OBJECT_PLANE, "SRC_H" },
		[PLANE_CRTC_W] = { &kms.plane, DRM_MODE_OBJECT_PLANE,
				   "CRTC_W" },
		[PLANE_CRTC_H] = { &kms.plane, DRM_MODE_OBJECT_PLANE,
				   "CRTC_H" },
		[PLANE_IN_FENCE] = { &kms.plane, DRM_MODE_OBJECT_PLANE,
				     "IN_FENCE_FD" },
		[CRTC_ACTIVE] = { &kms.crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE" },
		[CRTC_MODE] = { &kms.crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID" },
		[CONN_CRTC] = { &kms.connector, DRM_MODE_OBJECT_CONNECTOR,
				"CRTC_ID" },
		[WB_CRTC] = { &kms.writeback, DRM_MODE_OBJECT_CONNECTOR,
			      "CRTC_ID" },
		[WB_FB] = { &kms.writeback, DRM_MODE_OBJECT_CONNECTOR,
			    "WRITEBACK_FB_ID" },
		[WB_OUT_FENCE] = { &kms.writeback, DRM_MODE_OBJECT_CONNECTOR,
				   "WRITEBACK_OUT_FENCE_PTR" },
	};

	for (int i = 0; i < NUM_PROPS; i++) {
		kms.prop[i] = property(*where[i].object, where[i].type,
				       where[i].name, NULL);
		igt_require_f(kms.prop[i], "no property %s\n", where[i].name);
	}
}

static void kms_open(void)
{
	/* Small, so that composing it takes no time: 60 Hz at 1.6 MHz. */
	struct drm_mode_modeinfo mode = {
		.clock = 1630,
		.hdisplay = WIDTH,
		.hsync_start = WIDTH + 8,
		.hsync_end = WIDTH + 16,
		.htotal = WIDTH + 34,
		.vdisplay = HEIGHT,
		.vsync_start = HEIGHT + 4,
		.vsync_end = HEIGHT + 8,
		.vtotal = HEIGHT + 20,
		.vrefresh = 60,
		.name = "igt",
	};
	drmModeResPtr res;

	kms.fd = drm_open_driver_master(DRIVER_VKMS);
	do_or_die(drmSetClientCap(kms.fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1));
	do_or_die(drmSetClientCap(kms.fd, DRM_CLIENT_CAP_ATOMIC, 1));
	igt_require(drmSetClientCap(kms.fd, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS,
				    1) == 0);
	res = drmModeGetResources(kms.fd);
	igt_require(res && res->count_crtcs);
	kms.crtc = res->crtcs[0];
	find_connectors(res);
	drmModeFreeResources(res);
	igt_require_f(kms.writeback, "vkms without a writeback connector\n");
	find_primary_plane();
	find_properties();
	do_or_die(drmModeCreatePropertyBlob(kms.fd, &mode, sizeof(mode),
					    &kms.mode_blob));
}

static void add(drmModeAtomicReqPtr req, uint32_t object, int prop,
		uint64_t value)
{
	igt_assert_lte(0, drmModeAtomicAddProperty(req, object, kms.prop[prop],
						   value));
}

struct frame {
	uint32_t fb; /* on the plane */
	uint32_t capture_fb; /* 0: none */
	int in_fence; /* -1: none */
	int *captured; /* sync_file that signals when the capture is complete */
};

static int __commit(const struct frame *frame, uint32_t flags)
{
	drmModeAtomicReqPtr req = drmModeAtomicAlloc();
	int err;

	add(req, kms.plane, PLANE_FB, frame->fb);
	add(req, kms.plane, PLANE_CRTC, kms.crtc);
	add(req, kms.plane, PLANE_SRC_W, (uint64_t)WIDTH << 16);
	add(req, kms.plane, PLANE_SRC_H, (uint64_t)HEIGHT << 16);
	add(req, kms.plane, PLANE_CRTC_W, WIDTH);
	add(req, kms.plane, PLANE_CRTC_H, HEIGHT);
	if (frame->in_fence >= 0)
		add(req, kms.plane, PLANE_IN_FENCE, frame->in_fence);
	add(req, kms.crtc, CRTC_ACTIVE, 1);
	add(req, kms.crtc, CRTC_MODE, kms.mode_blob);
	/* Alone: vkms does not clone the writeback connector to another. */
	add(req, kms.connector, CONN_CRTC, 0);
	add(req, kms.writeback, WB_CRTC, kms.crtc);
	if (frame->capture_fb) {
		add(req, kms.writeback, WB_FB, frame->capture_fb);
		add(req, kms.writeback, WB_OUT_FENCE,
		    to_user_pointer(frame->captured));
	}
	err = drmModeAtomicCommit(kms.fd, req,
				  flags | DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
	drmModeAtomicFree(req);
	return err;
}

static void turn_off(void)
{
	drmModeAtomicReqPtr req = drmModeAtomicAlloc();

	add(req, kms.plane, PLANE_FB, 0);
	add(req, kms.plane, PLANE_CRTC, 0);
	add(req, kms.crtc, CRTC_ACTIVE, 0);
	add(req, kms.crtc, CRTC_MODE, 0);
	add(req, kms.writeback, WB_CRTC, 0);
	do_or_die(drmModeAtomicCommit(kms.fd, req,
				      DRM_MODE_ATOMIC_ALLOW_MODESET, NULL));
	drmModeAtomicFree(req);
}

/* A buffer of an endpoint, as vkms has it. */
struct picture {
	struct endpoint_bo bo;
	uint32_t handle; /* on kms.fd */
	uint32_t fb;
	uint32_t *map;
};

static int __add_fb(uint32_t handle, uint32_t height, uint32_t pitch,
		    uint32_t *fb)
{
	uint32_t strides[4] = { pitch }, offsets[4] = {};

	return __kms_addfb(kms.fd, handle, WIDTH, height, DRM_FORMAT_XRGB8888,
			   0, strides, offsets, 1, 0, fb);
}

static void picture_create(const struct endpoint *ep, struct picture *p)
{
	endpoint_create(ep, WIDTH, HEIGHT, &p->bo);
	p->handle = prime_fd_to_handle(kms.fd, p->bo.dmabuf);
	do_or_die(__add_fb(p->handle, HEIGHT, p->bo.pitch, &p->fb));
	p->map = dmabuf_mmap(p->bo.dmabuf, p->bo.size);
}

static void picture_destroy(struct picture *p)
{
	munmap(p->map, p->bo.size);
	do_or_die(drmModeRmFB(kms.fd, p->fb));
	gem_close(kms.fd, p->handle);
	endpoint_destroy(&p->bo);
}

/* Every pixel its own colour, each colour channel moving by itself. */
static uint32_t pixel(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t r = (x * 3 + seed * 29) & 0xff;
	uint32_t g = (y * 5 + seed * 53) & 0xff;
	uint32_t b = (x * 7 + y * 11 + seed * 97) & 0xff;

	return r << 16 | g << 8 | b;
}

static void draw_unsynced(struct picture *p, uint32_t seed)
{
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			p->map[y * p->bo.pitch / 4 + x] = pixel(x, y, seed);
}

static void draw(struct picture *p, uint32_t seed)
{
	prime_sync_start(p->bo.dmabuf, true);
	draw_unsynced(p, seed);
	prime_sync_end(p->bo.dmabuf, true);
}

static void compare(struct picture *p, uint32_t seed)
{
	prime_sync_start(p->bo.dmabuf, false);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			uint32_t got =
				p->map[y * p->bo.pitch / 4 + x] & 0xffffff;

			igt_assert_f(got == pixel(x, y, seed),
				     "pixel %u,%u is %06x, not %06x\n", x, y,
				     got, pixel(x, y, seed));
		}
	prime_sync_end(p->bo.dmabuf, false);
}

/* References to a framebuffer, from debugfs. */
static int fb_references(uint32_t fb)
{
	int dir = igt_debugfs_dir(kms.fd), fd, found = 0, count = -1;
	char line[256], mark[32];
	FILE *f;

	igt_require_f(dir >= 0, "no debugfs\n");
	fd = openat(dir, "framebuffer", O_RDONLY | O_CLOEXEC);
	close(dir);
	igt_assert_fd(fd);
	f = fdopen(fd, "r");
	snprintf(mark, sizeof(mark), "framebuffer[%u]:", fb);
	while (count < 0 && fgets(line, sizeof(line), f)) {
		if (strncmp(line, mark, strlen(mark)) == 0)
			found = 1;
		else if (found && strstr(line, "refcount="))
			count = atoi(strchr(line, '=') + 1);
	}
	fclose(f);
	igt_assert_lte(1, count);
	return count;
}

/*
 * vkms signals the capture's fence first and ends the job afterwards, and by
 * ending it turns off whatever capture has been committed in between. So the
 * next may only be committed when the job has let go of its framebuffer.
 */
static void wait_captured(int captured, uint32_t capture_fb, int references)
{
	igt_assert_fd(captured);
	igt_assert_eq(sync_fence_wait(captured, WAIT_MS), 0);
	close(captured);
	igt_set_timeout(10, "end of the writeback job");
	while (fb_references(capture_fb) > references)
		sched_yield();
	igt_reset_timeout();
}

/* Shows one picture and waits until the other holds what was shown. */
static void show(uint32_t fb, const struct picture *capture)
{
	int references = fb_references(capture->fb), captured = -1;
	struct frame frame = { fb, capture->fb, -1, &captured };

	do_or_die(__commit(&frame, 0));
	wait_captured(captured, capture->fb, references);
}

static void scanout(const struct endpoint *ep, const struct endpoint *native)
{
	struct picture shown, capture;

	picture_create(ep, &shown);
	picture_create(native, &capture);
	for (uint32_t seed = 1; seed < 4; seed++) {
		/* The same buffer again, drawn under SYNC. */
		draw(&shown, seed);
		show(shown.fb, &capture);
		compare(&capture, seed);
	}
	turn_off();
	picture_destroy(&capture);
	picture_destroy(&shown);
}

static void capture_into(const struct endpoint *ep,
			 const struct endpoint *native)
{
	struct picture shown, capture;

	picture_create(native, &shown);
	picture_create(ep, &capture);
	draw(&shown, 11);
	memset(capture.map, 0x5a, capture.bo.size);
	show(shown.fb, &capture);
	compare(&capture, 11);
	turn_off();
	picture_destroy(&capture);
	picture_destroy(&shown);
}

static void two_buffers(const struct endpoint *ep,
			const struct endpoint *native)
{
	struct picture shown[2], capture;

	picture_create(native, &capture);
	for (int i = 0; i < 2; i++) {
		picture_create(ep, &shown[i]);
		draw(&shown[i], 20 + i);
	}
	for (int i = 0; i < 4; i++) {
		show(shown[i % 2].fb, &capture);
		compare(&capture, 20 + i % 2);
	}
	turn_off();
	for (int i = 0; i < 2; i++)
		picture_destroy(&shown[i]);
	picture_destroy(&capture);
}

/* The framebuffer is all that is left when the plane is set up. */
static void fb_keeps_buffer(const struct endpoint *ep,
			    const struct endpoint *native)
{
	struct picture shown, capture;
	ino_t inode;

	picture_create(native, &capture);
	picture_create(ep, &shown);
	draw(&shown, 31);
	inode = dmabuf_inode(shown.bo.dmabuf);
	munmap(shown.map, shown.bo.size);
	gem_close(kms.fd, shown.handle);
	endpoint_destroy(&shown.bo);
	show(shown.fb, &capture);
	compare(&capture, 31);
	turn_off();
	do_or_die(drmModeRmFB(kms.fd, shown.fb));
	igt_assert_neq(dmabuf_alive(inode), 1);
	picture_destroy(&capture);
}

static void addfb_too_small(const struct endpoint *ep,
			    const struct endpoint *native)
{
	struct picture p;
	uint32_t fb, rows;

	(void)native;
	picture_create(ep, &p);
	rows = p.bo.size / p.bo.pitch;
	do_or_die(__add_fb(p.handle, rows, p.bo.pitch, &fb));
	do_or_die(drmModeRmFB(kms.fd, fb));
	igt_assert_eq(__add_fb(p.handle, rows + 1, p.bo.pitch, &fb), -EINVAL);
	igt_assert_eq(__add_fb(p.handle, HEIGHT, p.bo.size, &fb), -EINVAL);
	picture_destroy(&p);
}

/* The CRC vkms computes over the next whole frame. */
static uint32_t read_crc(void)
{
	int dir = igt_debugfs_dir(kms.fd), control, data;
	char line[64] = {};
	uint32_t crc;

	igt_require_f(dir >= 0, "no debugfs\n");
	control = openat(dir, "crtc-0/crc/control", O_WRONLY | O_CLOEXEC);
	igt_require_fd(control);
	igt_assert_eq(write(control, "auto", 4), 4);
	close(control);
	data = openat(dir, "crtc-0/crc/data", O_RDONLY | O_CLOEXEC);
	igt_assert_fd(data);
	/* The first may be of a frame that was under way. */
	for (int i = 0; i < 2; i++)
		igt_assert_lt(0, read(data, line, sizeof(line) - 1));
	/* "frame crc" */
	igt_assert(strchr(line, ' '));
	crc = strtoul(strchr(line, ' '), NULL, 16);
	close(data);
	close(dir);
	return crc;
}

static uint32_t crc_of(struct picture *p, uint32_t seed)
{
	struct frame frame = { p->fb, 0, -1, NULL };

	draw(p, seed);
	do_or_die(__commit(&frame, 0));
	return read_crc();
}

static void crc(const struct endpoint *ep, const struct endpoint *native)
{
	struct picture p, reference;
	uint32_t expected;

	picture_create(native, &reference);
	picture_create(ep, &p);
	igt_set_timeout(20, "CRC of a frame");
	expected = crc_of(&reference, 41);
	igt_assert_eq_u32(crc_of(&p, 41), expected);
	igt_assert_neq_u32(crc_of(&p, 42), expected);
	igt_assert_eq_u32(crc_of(&reference, 41), expected);
	igt_reset_timeout();
	turn_off();
	picture_destroy(&p);
	picture_destroy(&reference);
}

/*
 * Commits without waiting, finds the display waiting for the fence, draws late,
 * signals, and expects the late picture.
 */
static void expect_waits(struct picture *shown, struct picture *capture,
			 int in_fence, int vgem, uint32_t fence, uint32_t seed)
{
	int references = fb_references(capture->fb), captured = -1;
	struct frame frame = { shown->fb, capture->fb, in_fence, &captured };

	/* SYNC would wait for the fence as well; we are who will signal it. */
	draw_unsynced(shown, seed);
	do_or_die(__commit(&frame, DRM_MODE_ATOMIC_NONBLOCK));
	/* Six frames are time enough to get it wrong. */
	igt_assert_eq(sync_fence_wait(captured, 100), -ETIME);
	draw_unsynced(shown, seed + 1);
	vgem_fence_signal(vgem, fence);
	wait_captured(captured, capture->fb, references);
	compare(capture, seed + 1);
}

static void fences(const struct endpoint *native, const struct endpoint *vgem,
		   bool explicit)
{
	struct picture shown, capture;
	struct vgem_bo bo = {};
	uint32_t fence;
	int sync = -1;

	picture_create(native, &capture);
	picture_create(vgem, &shown);
	draw(&shown, 50);
	show(shown.fb, &capture);
	compare(&capture, 50);

	if (explicit) {
		/* A fence of a buffer that vkms knows nothing of. */
		struct endpoint_bo other;

		endpoint_create(vgem, 16, 16, &other);
		bo.handle = other.handle;
		fence = vgem_fence_attach(vgem->fd, &bo, VGEM_FENCE_WRITE);
		sync = dmabuf_export_sync_file(other.dmabuf, DMA_BUF_SYNC_RW);
		endpoint_destroy(&other);
	} else {
		bo.handle = shown.bo.handle;
		fence = vgem_fence_attach(vgem->fd, &bo, VGEM_FENCE_WRITE);
	}
	expect_waits(&shown, &capture, sync, vgem->fd, fence, 51);
	if (sync >= 0)
		close(sync);
	turn_off();
	picture_destroy(&shown);
	picture_destroy(&capture);
}

static const struct {
	const char *name, *describe;
	void (*run)(const struct endpoint *ep, const struct endpoint *native);
} tests[] = {
	{ "scanout", "what was drawn is what the display shows, frame by frame",
	  scanout },
	{ "capture-into", "the display writes into an imported buffer",
	  capture_into },
	{ "two-buffers", "two imported buffers shown in turn", two_buffers },
	{ "fb-keeps-buffer", "a framebuffer alone keeps an imported buffer",
	  fb_keeps_buffer },
	{ "addfb-too-small", "a framebuffer must fit the imported buffer",
	  addfb_too_small },
	{ "crc", "an imported buffer has the checksum of a native one", crc },
};

static const struct endpoint *find(const struct endpoint *eps, int num,
				   const char *driver)
{
	for (int i = 0; i < num; i++)
		if (strcmp(eps[i].driver, driver) == 0)
			return &eps[i];
	return NULL;
}

igt_main
{
	const struct endpoint *native = NULL, *vgem = NULL;
	struct endpoint eps[MAX_ENDPOINTS];
	int num = 0;

	igt_fixture {
		drm_load_module(DRIVER_VGEM | DRIVER_VKMS);
		num = endpoints_open(eps, MAX_ENDPOINTS);
		native = find(eps, num, "vkms");
		vgem = find(eps, num, "vgem");
		igt_require_f(native, "no vkms device\n");
		kms_open();
	}

	for (unsigned int t = 0; t < ARRAY_SIZE(tests); t++) {
		igt_describe(tests[t].describe);
		igt_subtest_with_dynamic(tests[t].name) {
			for (int i = 0; i < num; i++) {
				if (!eps[i].exports)
					continue;
				igt_dynamic(eps[i].name)
					tests[t].run(&eps[i], native);
			}
		}
	}

	igt_describe("the display waits for the fence the exporter attached");
	igt_subtest("implicit-fence") {
		igt_require_f(vgem, "no vgem device\n");
		fences(native, vgem, false);
	}

	igt_describe("the display waits for a vgem fence given as IN_FENCE_FD");
	igt_subtest("in-fence") {
		igt_require_f(vgem, "no vgem device\n");
		fences(native, vgem, true);
	}

	igt_fixture {
		close(kms.fd);
		endpoints_close(eps, num);
	}
}
