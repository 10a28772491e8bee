// SPDX-License-Identifier: MIT
/*
 * An imported buffer on a display. vkms reads planes with the CPU and writes
 * what it composed to a writeback buffer, so the picture that left the display
 * can be compared with what the exporter drew, pixel by pixel.
 */

#include <xf86drmMode.h>

#include "dmabuf_sync_file.h"
#include "igt.h"
#include "igt_vgem.h"
#include "sw_sync.h"

#include "cards.h"
#include "endpoint.h"
#include "kms.h"
#include "writeback.h"

/**
 * TEST: Imported buffers on a display
 * Description: Buffers of every exporter on a plane of vkms, compared pixel by
 *	pixel by its writeback connector and by CRC.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: prime
 *
 * SUBTEST: scanout
 * Description: What was drawn is what the display shows, frame by frame.
 *
 * SUBTEST: capture-into
 * Description: The display writes into an imported buffer.
 *
 * SUBTEST: two-buffers
 * Description: Two imported buffers shown in turn.
 *
 * SUBTEST: fb-keeps-buffer
 * Description: A framebuffer alone keeps an imported buffer.
 *
 * SUBTEST: addfb-too-small
 * Description: A framebuffer must fit the imported buffer.
 *
 * SUBTEST: crc
 * Description: An imported buffer has the checksum of a native one.
 *
 * SUBTEST: implicit-fence
 * Description: The display waits for the fence the exporter attached.
 *
 * SUBTEST: in-fence
 * Description: The display waits for a vgem fence given as IN_FENCE_FD.
 */

IGT_TEST_DESCRIPTION("Imported buffers scanned out and captured by vkms.");

#define WIDTH  160
#define HEIGHT 120

static struct writeback kms;

/* A buffer of an endpoint, as vkms has it. */
struct picture {
	struct endpoint_bo bo;
	uint32_t handle; /* on kms.fd */
	uint32_t fb;
	uint32_t *map;
};

static void picture_create(const struct endpoint *ep, struct picture *p)
{
	endpoint_create(ep, WIDTH, HEIGHT, &p->bo);
	p->handle = prime_fd_to_handle(kms.fd, p->bo.dmabuf);
	do_or_die(__writeback_add_fb(&kms, p->handle, HEIGHT, p->bo.pitch,
				     &p->fb));
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

static void scanout(const struct endpoint *ep, const struct endpoint *native)
{
	struct picture shown, capture;

	picture_create(ep, &shown);
	picture_create(native, &capture);
	for (uint32_t seed = 1; seed < 4; seed++) {
		/* The same buffer again, drawn under SYNC. */
		draw(&shown, seed);
		writeback_show(&kms, shown.fb, capture.fb);
		compare(&capture, seed);
	}
	writeback_off(&kms);
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
	writeback_show(&kms, shown.fb, capture.fb);
	compare(&capture, 11);
	writeback_off(&kms);
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
		writeback_show(&kms, shown[i % 2].fb, capture.fb);
		compare(&capture, 20 + i % 2);
	}
	writeback_off(&kms);
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
	writeback_show(&kms, shown.fb, capture.fb);
	compare(&capture, 31);
	writeback_off(&kms);
	do_or_die(drmModeRmFB(kms.fd, shown.fb));
	igt_assert_neq(dmabuf_alive(inode), 1);
	picture_destroy(&capture);
}

static void addfb_too_small(const struct endpoint *ep,
			    const struct endpoint *native)
{
	struct picture p;
	uint32_t fb, rows;
	int err;

	(void)native;
	picture_create(ep, &p);
	rows = p.bo.size / p.bo.pitch;
	do_or_die(__writeback_add_fb(&kms, p.handle, rows, p.bo.pitch, &fb));
	do_or_die(drmModeRmFB(kms.fd, fb));
	err = __writeback_add_fb(&kms, p.handle, rows + 1, p.bo.pitch, &fb);
	igt_assert_eq(err, -EINVAL);
	err = __writeback_add_fb(&kms, p.handle, HEIGHT, p.bo.size, &fb);
	igt_assert_eq(err, -EINVAL);
	picture_destroy(&p);
}

static uint32_t crc_of(struct picture *p, uint32_t seed)
{
	struct writeback_frame frame = { p->fb, 0, -1, NULL };
	uint32_t crc;

	draw(p, seed);
	do_or_die(__writeback_commit(&kms, &frame, 0));
	igt_assert(kms_crc(kms.fd, &crc));
	return crc;
}

static void crc(const struct endpoint *ep, const struct endpoint *native)
{
	struct picture p, reference;
	uint32_t expected;

	picture_create(native, &reference);
	picture_create(ep, &p);
	expected = crc_of(&reference, 41);
	igt_assert_eq_u32(crc_of(&p, 41), expected);
	igt_assert_neq_u32(crc_of(&p, 42), expected);
	igt_assert_eq_u32(crc_of(&reference, 41), expected);
	writeback_off(&kms);
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
	int references = writeback_references(&kms, capture->fb), captured = -1;
	struct writeback_frame frame = { shown->fb, capture->fb, in_fence,
					 &captured };

	/* SYNC would wait for the fence as well; we are who will signal it. */
	draw_unsynced(shown, seed);
	do_or_die(__writeback_commit(&kms, &frame, DRM_MODE_ATOMIC_NONBLOCK));
	/* Six frames are time enough to get it wrong. */
	igt_assert_eq(sync_fence_wait(captured, 100), -ETIME);
	draw_unsynced(shown, seed + 1);
	vgem_fence_signal(vgem, fence);
	writeback_wait(&kms, captured, capture->fb, references);
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
	writeback_show(&kms, shown.fb, capture.fb);
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
	writeback_off(&kms);
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
		cards_load();
		num = endpoints_open(eps, MAX_ENDPOINTS);
		native = find(eps, num, "vkms");
		vgem = find(eps, num, "vgem");
		igt_require_f(native, "no vkms device\n");
		/* Small, so that composing it takes no time. */
		writeback_open(&kms, WIDTH, HEIGHT, 60);
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
		writeback_close(&kms);
		endpoints_close(eps, num);
	}
}
