// SPDX-License-Identifier: GPL-2.0-only
/*
 * What virtio-gpu's own ioctls answer, above all to arguments that make no sense.
 * Nothing is asked that a host would complain about: what it answers, it answers
 * later, and to the log.
 */

#include <stdint.h>
#include <string.h>

#include "igt.h"
#include "parity.h"
#include "virtgpu_uapi.h"

#define BAD_HANDLE 0xdead
#define BAD_ADDRESS ((uintptr_t)1)

/* Of the renderer's formats and uses, as virgl has them. */
#define FORMAT_B8G8R8X8 2
#define BIND_RENDER_TARGET 2
#define TARGET_2D 2
#define VIRGL_NOP 0

static void say_params(int drm)
{
	struct drm_virtgpu_getparam arg;
	uint64_t value;
	struct list l = {};

	for (int param = 0; param < 12; param++) {
		value = 0xbad;
		arg = (struct drm_virtgpu_getparam){
			.param = param, .value = (uintptr_t)&value
		};
		list_add(&l, text("%d:", param),
			 answer(try_ioctl(drm, DRM_IOCTL_VIRTGPU_GETPARAM,
					  &arg)));
		/* 4 bytes of it are written */
		list_add(&l, "is", text("%d", (int)value));
	}
	say("params", "GETPARAM of 0 to 11", "%s", l.text);
	arg = (struct drm_virtgpu_getparam){ .param = 2, .value = BAD_ADDRESS };
	say_ret("param-address", "GETPARAM to an address that is not there",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg));
}

static void say_caps(int drm)
{
	char caps[4096];
	struct drm_virtgpu_get_caps arg;
	struct ranges r = {};
	long ret;

	for (int id = 0; id < 70; id++) {
		arg = (struct drm_virtgpu_get_caps){
			.cap_set_id = id, .addr = (uintptr_t)caps,
			.size = sizeof(caps)
		};
		ret = try_ioctl(drm, DRM_IOCTL_VIRTGPU_GET_CAPS, &arg);
		ranges_add(&r, id, answer(ret));
	}
	say("caps-id", "GET_CAPS of sets 0 to 69, version 0", "%s",
	    ranges_end(&r));
	for (int version = 0; version < 4; version++) {
		arg = (struct drm_virtgpu_get_caps){
			.cap_set_id = 1, .cap_set_ver = version,
			.addr = (uintptr_t)caps, .size = sizeof(caps)
		};
		ret = try_ioctl(drm, DRM_IOCTL_VIRTGPU_GET_CAPS, &arg);
		ranges_add(&r, version, answer(ret));
	}
	say("caps-version", "GET_CAPS of set 1, versions 0 to 3", "%s",
	    ranges_end(&r));
	arg = (struct drm_virtgpu_get_caps){ .cap_set_id = 1,
					     .addr = (uintptr_t)caps };
	say_ret("caps-nothing", "GET_CAPS of 0 bytes",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_GET_CAPS, &arg));
	arg.size = 4;
	say_ret("caps-little", "GET_CAPS of 4 bytes",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_GET_CAPS, &arg));
	arg.addr = BAD_ADDRESS;
	say_ret("caps-address", "GET_CAPS to an address that is not there",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_GET_CAPS, &arg));
}

static struct drm_virtgpu_resource_create texture(void)
{
	return (struct drm_virtgpu_resource_create){
		.target = TARGET_2D, .format = FORMAT_B8G8R8X8,
		.bind = BIND_RENDER_TARGET, .width = 64, .height = 64,
		.depth = 1, .array_size = 1, .size = 64 * 64 * 4
	};
}

static long create(int drm, struct drm_virtgpu_resource_create *arg)
{
	long ret = try_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, arg);

	if (!ret)
		gem_close(drm, arg->bo_handle);
	return ret;
}

static void say_create(int drm)
{
	struct drm_virtgpu_resource_create arg = texture();

	say_ret("create", "RESOURCE_CREATE, 2D", create(drm, &arg));
	arg = texture();
	arg.size = 0;
	say_ret("create-0", "RESOURCE_CREATE of 0 bytes", create(drm, &arg));
	arg = texture();
	arg.size = 1;
	say_ret("create-1", "RESOURCE_CREATE of 1 byte", create(drm, &arg));
}

/* Without a renderer there are things that are not asked of the host. */
static void say_create_flat(int drm)
{
	struct drm_virtgpu_resource_create arg = texture();

	arg.depth = 2;
	say_ret("create-depth", "RESOURCE_CREATE of depth 2",
		create(drm, &arg));
	arg = texture();
	arg.nr_samples = 2;
	say_ret("create-samples", "RESOURCE_CREATE of 2 samples",
		create(drm, &arg));
	arg = texture();
	arg.last_level = 2;
	say_ret("create-levels", "RESOURCE_CREATE of 2 levels",
		create(drm, &arg));
	arg = texture();
	arg.target = 3;
	say_ret("create-target", "RESOURCE_CREATE of target 3",
		create(drm, &arg));
}

static void say_object(int drm, uint32_t handle)
{
	struct drm_virtgpu_resource_info info = { .bo_handle = handle };
	struct drm_virtgpu_map map = { .handle = handle };
	struct drm_virtgpu_3d_wait wait = { .handle = handle };
	struct ranges r = {};
	long ret;

	ret = try_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info);
	say("info", "RESOURCE_INFO", "%s, %s, size %u, then %u", answer(ret),
	    info.res_handle ? "a resource" : "no resource", info.size,
	    info.stride);
	info.bo_handle = BAD_HANDLE;
	say_ret("info-handle", "RESOURCE_INFO of no handle",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info));

	ret = try_ioctl(drm, DRM_IOCTL_VIRTGPU_MAP, &map);
	say("map", "MAP", "%s, %s", answer(ret),
	    map.offset ? "an offset" : "0");
	map.handle = BAD_HANDLE;
	say_ret("map-handle", "MAP of no handle",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_MAP, &map));

	/* a host that renders is told of a new buffer, and may be at it */
	do_or_die(try_ioctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait));
	for (int bit = 0; bit < 32; bit++) {
		wait.flags = 1u << bit;
		ranges_add(&r, bit,
			   answer(try_ioctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait)));
	}
	say("wait-flags", "WAIT for an idle buffer, each flag", "%s",
	    ranges_end(&r));
	wait.flags = 0;
	say_ret("wait", "WAIT for an idle buffer",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait));
	wait.handle = BAD_HANDLE;
	say_ret("wait-handle", "WAIT for no handle",
		try_ioctl(drm, DRM_IOCTL_VIRTGPU_WAIT, &wait));
}

static void say_transfers(int drm, uint32_t handle)
{
	struct virtgpu_transfer to = {
		.bo_handle = handle, .box = { .w = 4, .h = 4, .d = 1 }
	};
	struct virtgpu_transfer from = {
		.bo_handle = handle, .box = { .w = 4, .h = 4, .d = 1 }
	};

	say_ret("to-host", "TRANSFER_TO_HOST",
		try_ioctl(drm, VIRTGPU_TRANSFER_TO_HOST, &to));
	to.stride = 256;
	say_ret("to-host-stride", "TRANSFER_TO_HOST with a stride",
		try_ioctl(drm, VIRTGPU_TRANSFER_TO_HOST, &to));
	to.stride = 0;
	to.bo_handle = BAD_HANDLE;
	say_ret("to-host-handle", "TRANSFER_TO_HOST of no handle",
		try_ioctl(drm, VIRTGPU_TRANSFER_TO_HOST, &to));
	say_ret("from-host", "TRANSFER_FROM_HOST",
		try_ioctl(drm, VIRTGPU_TRANSFER_FROM_HOST, &from));
	from.layer_stride = 256;
	say_ret("from-host-stride", "TRANSFER_FROM_HOST with a layer's stride",
		try_ioctl(drm, VIRTGPU_TRANSFER_FROM_HOST, &from));
	from.layer_stride = 0;
	from.bo_handle = BAD_HANDLE;
	say_ret("from-host-handle", "TRANSFER_FROM_HOST of no handle",
		try_ioctl(drm, VIRTGPU_TRANSFER_FROM_HOST, &from));
}

static long execute(int drm, struct drm_virtgpu_execbuffer arg)
{
	uint32_t nop = VIRGL_NOP;

	if (!arg.command)
		arg.command = (uintptr_t)&nop;
	return try_ioctl(drm, DRM_IOCTL_VIRTGPU_EXECBUFFER, &arg);
}

static void say_execute(int drm, uint32_t handle)
{
	uint32_t twice[] = { handle, handle }, none[] = { BAD_HANDLE };
	struct ranges r = {};

	say_ret("execute", "EXECBUFFER",
		execute(drm, (struct drm_virtgpu_execbuffer){
				     .size = 4, .bo_handles = (uintptr_t)twice,
				     .num_bo_handles = 1 }));
	for (int bit = 0; bit < 32; bit++) {
		/* one gives a file, and one takes it */
		if (bit < 2)
			continue;
		ranges_add(&r, bit, answer(execute(drm, (struct drm_virtgpu_execbuffer){
						 .size = 4, .flags = 1u << bit })));
	}
	say("execute-flags", "EXECBUFFER, flags 2 to 31", "%s", ranges_end(&r));
	say_ret("execute-fence", "EXECBUFFER after fd -1",
		execute(drm, (struct drm_virtgpu_execbuffer){
				     .size = 4, .fence_fd = -1,
				     .flags = VIRTGPU_EXECBUF_FENCE_FD_IN }));
	say_ret("execute-no-fence", "EXECBUFFER after a file that is no fence",
		execute(drm, (struct drm_virtgpu_execbuffer){
				     .size = 4, .fence_fd = drm,
				     .flags = VIRTGPU_EXECBUF_FENCE_FD_IN }));
	say_ret("execute-twice", "EXECBUFFER with a buffer twice",
		execute(drm, (struct drm_virtgpu_execbuffer){
				     .size = 4, .bo_handles = (uintptr_t)twice,
				     .num_bo_handles = 2 }));
	say_ret("execute-handle", "EXECBUFFER with no handle",
		execute(drm, (struct drm_virtgpu_execbuffer){
				     .size = 4, .bo_handles = (uintptr_t)none,
				     .num_bo_handles = 1 }));
	say_ret("execute-handles", "EXECBUFFER with handles that are not there",
		execute(drm, (struct drm_virtgpu_execbuffer){
				     .size = 4, .bo_handles = BAD_ADDRESS,
				     .num_bo_handles = 1 }));
	say_ret("execute-command", "EXECBUFFER with a command that is not there",
		execute(drm, (struct drm_virtgpu_execbuffer){
				     .size = 4, .command = BAD_ADDRESS }));
}

static long blob(int drm, struct virtgpu_create_blob arg)
{
	long ret = try_ioctl(drm, VIRTGPU_CREATE_BLOB, &arg);

	if (!ret)
		gem_close(drm, arg.bo_handle);
	return ret;
}

static void say_blobs(int drm)
{
	struct ranges r = {};

	for (int mem = 0; mem < 5; mem++)
		ranges_add(&r, mem, answer(blob(drm, (struct virtgpu_create_blob){
						 .blob_mem = mem, .size = PAGE,
						 .blob_flags = VIRTGPU_USE_MAPPABLE })));
	say("blob", "RESOURCE_CREATE_BLOB, memory 0 to 4", "%s",
	    ranges_end(&r));
	say_ret("blob-0", "RESOURCE_CREATE_BLOB of 0 bytes",
		blob(drm, (struct virtgpu_create_blob){
				  .blob_mem = VIRTGPU_MEM_GUEST,
				  .blob_flags = VIRTGPU_USE_MAPPABLE }));
}

static void say_contexts(int drm)
{
	struct virtgpu_context_param param = {};
	struct virtgpu_context_init arg = {
		.num_params = 1, .params = (uintptr_t)&param
	};
	struct ranges r = {};

	for (int kind = 0; kind < 8; kind++) {
		param = (struct virtgpu_context_param){
			.param = kind, .value = 1000
		};
		ranges_add(&r, kind,
			   answer(try_ioctl(drm, VIRTGPU_CONTEXT_INIT,
					    &arg)));
	}
	say("context", "CONTEXT_INIT, parameters 0 to 7 of 1000", "%s",
	    ranges_end(&r));
	arg.params = BAD_ADDRESS;
	say_ret("context-address", "CONTEXT_INIT of an address that is not there",
		try_ioctl(drm, VIRTGPU_CONTEXT_INIT, &arg));
	arg.num_params = 100;
	say_ret("context-many", "CONTEXT_INIT of 100 parameters",
		try_ioctl(drm, VIRTGPU_CONTEXT_INIT, &arg));
}

static bool renders(int drm)
{
	int value = 0;
	struct drm_virtgpu_getparam arg = {
		.param = VIRTGPU_PARAM_3D_FEATURES, .value = (uintptr_t)&value
	};

	do_or_die(try_ioctl(drm, DRM_IOCTL_VIRTGPU_GETPARAM, &arg));
	return value;
}

void run_virtgpu(struct buffer *b)
{
	int drm = b->by->ep.fd;
	struct drm_virtgpu_resource_create arg = texture();

	say_params(drm);
	say_caps(drm);
	/* before there is a context, which others may make */
	say_contexts(drm_again(b->by));
	say_create(drm);
	if (!renders(drm))
		say_create_flat(drm);
	do_or_die(try_ioctl(drm, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &arg));
	say_object(drm, arg.bo_handle);
	say_transfers(drm, arg.bo_handle);
	say_execute(drm, arg.bo_handle);
	say_blobs(drm);
	gem_close(drm, arg.bo_handle);
}
