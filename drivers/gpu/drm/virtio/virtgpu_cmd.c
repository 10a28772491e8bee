// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu commands
 *
 * A command is made, written by a function of virtgpu_req.c, given what it needs
 * (data that follows, room for a long answer, a fence, objects that have to live
 * so long), and sent. All that takes memory happens before it is sent, so sending
 * cannot fail for want of it.
 *
 * Data that is not in one piece of memory becomes a list of pieces. Hosts have a
 * limit to those, and one that breaks it gets its device stopped, not an error;
 * so the limit is kept here.
 *
 * Lifetime: see virtgpu_vq.c. Locking: a command that was not sent is its maker's.
 */

#include <kunit/static_stub.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_gem.h>

#include "virtgpu_drv.h"

/* QEMU and others take no more pieces than this, in and out, of one command. */
#define MAX_SEGMENTS 1024

/**
 * vgpu_cmd_create - make a command, to be written and sent
 *
 * It has no data, and its response is the one without data.
 *
 * Context: Process context, may sleep.
 * Return: a command for vgpu_cmd_put(), or NULL without memory.
 */
struct vgpu_cmd *vgpu_cmd_create(void)
{
	struct vgpu_cmd *cmd;

	KUNIT_STATIC_STUB_REDIRECT(vgpu_cmd_create);
	cmd = kzalloc(sizeof(*cmd), GFP_KERNEL);
	if (!cmd)
		return NULL;

	kref_init(&cmd->refs);
	INIT_LIST_HEAD(&cmd->node);
	init_completion(&cmd->completion);
	cmd->expected = VIRTIO_GPU_RESP_OK_NODATA;
	cmd->resp = &cmd->small_resp;
	cmd->resp_size = sizeof(cmd->small_resp);
	cmd->objects = &cmd->one_object;

	return cmd;
}

/**
 * vgpu_cmd_drop_objects - give back the references on objects
 * @cmd: a command that is over, or was never sent
 *
 * Context: Process context. Takes the reservation locks of the objects.
 */
void vgpu_cmd_drop_objects(struct vgpu_cmd *cmd)
{
	while (cmd->num_objects)
		drm_gem_object_put(cmd->objects[--cmd->num_objects]);
}

static void cmd_free(struct kref *refs)
{
	struct vgpu_cmd *cmd = container_of(refs, struct vgpu_cmd, refs);

	vgpu_cmd_drop_objects(cmd);
	if (cmd->objects != &cmd->one_object)
		kvfree(cmd->objects);

	vgpu_fence_put(cmd->fence);
	if (cmd->resp != &cmd->small_resp)
		kvfree(cmd->resp);
	sg_free_table(&cmd->data_sgt);
	kvfree(cmd->data);
	kfree(cmd);
}

/**
 * vgpu_cmd_put - give a reference back
 * @cmd: a command, or NULL
 */
void vgpu_cmd_put(struct vgpu_cmd *cmd)
{
	if (cmd)
		kref_put(&cmd->refs, cmd_free);
}

static int map_vmalloc(struct vgpu_cmd *cmd)
{
	unsigned int i, count = DIV_ROUND_UP(cmd->data_size, PAGE_SIZE);
	struct page **pages;
	int ret;

	pages = kvmalloc_array(count, sizeof(*pages),
			       GFP_KERNEL | __GFP_NOWARN);
	if (!pages)
		return -ENOMEM;

	for (i = 0; i < count; i++)
		pages[i] = vmalloc_to_page(cmd->data + i * PAGE_SIZE);
	ret = sg_alloc_table_from_pages(&cmd->data_sgt, pages, count, 0,
					cmd->data_size, GFP_KERNEL);
	kvfree(pages);

	return ret;
}

/**
 * vgpu_cmd_set_data - have something follow a command
 * @cmd: the command
 * @data: from kvmalloc(), the command's from now on, errors included
 * @size: how much of it, in bytes; with 0 nothing follows
 *
 * Return: 0, or a negative errno:
 *
 *	* -ENOMEM: out of memory
 *	* -E2BIG: the host would not take that many pieces
 */
int vgpu_cmd_set_data(struct vgpu_cmd *cmd, void *data, size_t size)
{
	int ret;

	cmd->data = data;
	cmd->data_size = size;
	if (!size)
		return 0;

	if (is_vmalloc_addr(data)) {
		ret = map_vmalloc(cmd);
	} else {
		ret = sg_alloc_table(&cmd->data_sgt, 1, GFP_KERNEL);
		if (!ret)
			sg_set_buf(cmd->data_sgt.sgl, data, size);
	}
	if (ret)
		return ret;

	/* two more are for the command and the response */
	return cmd->data_sgt.nents > MAX_SEGMENTS - 2 ? -E2BIG : 0;
}

/**
 * vgpu_cmd_expect - make room for an answer with data
 * @cmd: the command
 * @expected: type of the answer
 * @size: of the answer, in bytes
 *
 * Return: 0, or -ENOMEM.
 */
int vgpu_cmd_expect(struct vgpu_cmd *cmd, u32 expected, size_t size)
{
	/* one piece, and zeros where the host does not write */
	void *resp = kzalloc(size, GFP_KERNEL | __GFP_NOWARN);

	if (!resp)
		return -ENOMEM;

	cmd->resp = resp;
	cmd->resp_size = size;
	cmd->expected = expected;

	return 0;
}

/**
 * vgpu_cmd_set_fence - have a fence signal with the answer
 * @cmd: the command
 * @fence: a fence, of which a reference is taken, or NULL
 */
void vgpu_cmd_set_fence(struct vgpu_cmd *cmd, struct vgpu_fence *fence)
{
	if (fence)
		dma_fence_get(&fence->base);
	cmd->fence = fence;
}

/**
 * vgpu_cmd_add_object - keep an object until the answer
 * @cmd: a command that has none
 * @obj: the object, of which a reference is taken
 */
void vgpu_cmd_add_object(struct vgpu_cmd *cmd, struct drm_gem_object *obj)
{
	if (WARN_ON_ONCE(cmd->num_objects))
		return;

	drm_gem_object_get(obj);
	cmd->one_object = obj;
	cmd->num_objects = 1;
}

/**
 * vgpu_cmd_set_objects - keep objects until the answer
 * @cmd: a command that has none
 * @objects: the objects, with a reference on each; the array, from kvmalloc(),
 *	     and the references are the command's from now on
 * @count: how many
 */
void vgpu_cmd_set_objects(struct vgpu_cmd *cmd, struct drm_gem_object **objects,
			  unsigned int count)
{
	cmd->objects = objects;
	cmd->num_objects = count;
}
