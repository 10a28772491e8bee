// SPDX-License-Identifier: MIT
/*
 * A Wayland client that draws with the CPU in buffers of vgem: its compositor has to
 * import what another device has exported.
 *
 *	client		a window on $WAYLAND_DISPLAY
 *
 * Says "shown" when its last picture, of pixel_of(LAST), is on the screen, and stays.
 */
#include <drm_fourcc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wayland-client.h>

#include "linux-dmabuf-client.h"
#include "test.h"
#include "xdg-shell-client.h"

#define LAST 3
/*
 * Drawn twice more: a frame is over for a client when the compositor has drawn it,
 * and the one before it is on the screen by then.
 */
#define FRAMES (LAST + 3)

struct frame {
	struct buffer buffer;
	struct wl_buffer *shared;
	bool busy;
};

struct window {
	struct wl_display *display;
	struct wl_compositor *compositor;
	struct xdg_wm_base *shell;
	struct zwp_linux_dmabuf_v1 *dmabuf;
	struct wl_surface *surface;
	uint64_t modifier;
	bool configured, over;
	struct frame frames[2];
};

static void dispatch(struct window *window)
{
	check(wl_display_dispatch(window->display) >= 0,
	      "the compositor is gone");
}

/* --- what the compositor offers ---------------------------------------------------- */

static void ping(void *data, struct xdg_wm_base *shell, uint32_t serial)
{
	xdg_wm_base_pong(shell, serial);
}

static const struct xdg_wm_base_listener shell_listener = { .ping = ping };

static void format(void *data, struct zwp_linux_dmabuf_v1 *dmabuf, uint32_t f)
{
}

/* Rows, if the compositor says that it can have them, else what it takes for them. */
static void modifier(void *data, struct zwp_linux_dmabuf_v1 *dmabuf, uint32_t f,
		     uint32_t high, uint32_t low)
{
	struct window *window = data;

	if (f == DRM_FORMAT_XRGB8888 &&
	    ((uint64_t)high << 32 | low) == DRM_FORMAT_MOD_LINEAR)
		window->modifier = DRM_FORMAT_MOD_LINEAR;
}

static const struct zwp_linux_dmabuf_v1_listener dmabuf_listener = {
	.format = format,
	.modifier = modifier,
};

static void offer(void *data, struct wl_registry *registry, uint32_t name,
		  const char *interface, uint32_t version)
{
	struct window *window = data;

	if (!strcmp(interface, wl_compositor_interface.name)) {
		window->compositor = wl_registry_bind(registry, name,
						      &wl_compositor_interface,
						      4);
	} else if (!strcmp(interface, xdg_wm_base_interface.name)) {
		window->shell = wl_registry_bind(registry, name,
						 &xdg_wm_base_interface, 1);
		xdg_wm_base_add_listener(window->shell, &shell_listener,
					 window);
	} else if (!strcmp(interface, zwp_linux_dmabuf_v1_interface.name) &&
		   version >= 3) {
		window->dmabuf =
			wl_registry_bind(registry, name,
					 &zwp_linux_dmabuf_v1_interface, 3);
		zwp_linux_dmabuf_v1_add_listener(window->dmabuf,
						 &dmabuf_listener, window);
	}
}

static void withdraw(void *data, struct wl_registry *registry, uint32_t name)
{
}

static const struct wl_registry_listener registry_listener = {
	.global = offer,
	.global_remove = withdraw,
};

static void connect_to(struct window *window)
{
	struct wl_registry *registry;

	window->modifier = DRM_FORMAT_MOD_INVALID;
	window->display = wl_display_connect(NULL);
	check(window->display, "no compositor");
	registry = wl_display_get_registry(window->display);
	wl_registry_add_listener(registry, &registry_listener, window);
	/* once for what there is, once for what that says of itself */
	wl_display_roundtrip(window->display);
	wl_display_roundtrip(window->display);
	check(window->compositor && window->shell, "no windows");
	check(window->dmabuf, "no dma-bufs");
}

/* --- its buffers ------------------------------------------------------------------- */

static void release(void *data, struct wl_buffer *shared)
{
	struct frame *frame = data;

	frame->busy = false;
}

static const struct wl_buffer_listener buffer_listener = { .release = release };

static void created(void *data, struct zwp_linux_buffer_params_v1 *params,
		    struct wl_buffer *shared)
{
	struct frame *frame = data;

	frame->shared = shared;
	wl_buffer_add_listener(shared, &buffer_listener, frame);
}

static void refused(void *data, struct zwp_linux_buffer_params_v1 *params)
{
	die("the compositor does not import the buffer");
}

static const struct zwp_linux_buffer_params_v1_listener params_listener = {
	.created = created,
	.failed = refused,
};

static void share(struct window *window, struct frame *frame)
{
	struct zwp_linux_buffer_params_v1 *params;
	struct buffer *buffer = &frame->buffer;

	buffer_create(buffer, WIDTH, HEIGHT, false);
	params = zwp_linux_dmabuf_v1_create_params(window->dmabuf);
	zwp_linux_buffer_params_v1_add_listener(params, &params_listener,
						frame);
	zwp_linux_buffer_params_v1_add(params, buffer->dmabuf, 0, 0,
				       buffer->stride, window->modifier >> 32,
				       window->modifier & 0xffffffff);
	zwp_linux_buffer_params_v1_create(params, WIDTH, HEIGHT,
					  DRM_FORMAT_XRGB8888, 0);
	while (!frame->shared)
		dispatch(window);
	zwp_linux_buffer_params_v1_destroy(params);
}

/* --- its window -------------------------------------------------------------------- */

static void configure(void *data, struct xdg_surface *xdg, uint32_t serial)
{
	struct window *window = data;

	xdg_surface_ack_configure(xdg, serial);
	window->configured = true;
}

static const struct xdg_surface_listener surface_listener = {
	.configure = configure,
};

static void resize(void *data, struct xdg_toplevel *toplevel, int32_t width,
		   int32_t height, struct wl_array *states)
{
}

static void closed(void *data, struct xdg_toplevel *toplevel)
{
	die("the window was closed");
}

static const struct xdg_toplevel_listener toplevel_listener = {
	.configure = resize,
	.close = closed,
};

static void open_window(struct window *window)
{
	struct xdg_surface *xdg;
	struct xdg_toplevel *toplevel;

	window->surface = wl_compositor_create_surface(window->compositor);
	xdg = xdg_wm_base_get_xdg_surface(window->shell, window->surface);
	xdg_surface_add_listener(xdg, &surface_listener, window);
	toplevel = xdg_surface_get_toplevel(xdg);
	xdg_toplevel_add_listener(toplevel, &toplevel_listener, window);
	wl_surface_commit(window->surface);
	while (!window->configured)
		dispatch(window);
}

static void done(void *data, struct wl_callback *callback, uint32_t time)
{
	struct window *window = data;

	wl_callback_destroy(callback);
	window->over = true;
}

static const struct wl_callback_listener frame_listener = { .done = done };

static void present(struct window *window, struct frame *frame, int seed)
{
	struct view view = view_of(&frame->buffer);

	while (frame->busy)
		dispatch(window);
	buffer_fill(&frame->buffer, &view, seed);
	frame->busy = true;
	window->over = false;
	wl_callback_add_listener(wl_surface_frame(window->surface),
				 &frame_listener, window);
	wl_surface_attach(window->surface, frame->shared, 0, 0);
	wl_surface_damage_buffer(window->surface, 0, 0, WIDTH, HEIGHT);
	wl_surface_commit(window->surface);
	while (!window->over)
		dispatch(window);
}

int main(void)
{
	static struct window window;

	connect_to(&window);
	share(&window, &window.frames[0]);
	share(&window, &window.frames[1]);
	open_window(&window);
	for (int i = 0; i < FRAMES; i++)
		present(&window, &window.frames[i % 2], i < LAST ? i : LAST);
	puts("shown");
	fflush(stdout);
	for (;;)
		dispatch(&window);
}
