// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: virtio-gpu debugfs
 *
 * Three files below the directory of the DRM device that scripts know from the
 * original driver, and one more:
 *
 * virtio-gpu-features
 *	what the host offers, a line each
 *
 * virtio-gpu-irq-fence
 *	``fence A E``: the last number that the host has answered, and the last
 *	that was given to a fence
 *
 * virtio-gpu-host-visible-mm
 *	which parts of the window to the host's memory are in use, by address
 *
 * virtio-gpu-queues
 *	how many commands the host has, how many wait for room, and how old the
 *	oldest is, in milliseconds. A host that has stopped shows here.
 *
 * Lifetime: the files go with the DRM device.
 *
 * Locking: what is printed of a queue, or of the window, is read under its lock.
 */

#include <linux/cleanup.h>
#include <linux/jiffies.h>
#include <linux/seq_file.h>
#include <linux/string_choices.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "virtgpu_debugfs.h"
#include "virtgpu_drv.h"
#include "virtgpu_vram.h"

static struct vgpu_device *shown_device(struct seq_file *m)
{
	struct drm_debugfs_entry *entry = m->private;

	return to_vgpu(entry->dev);
}

static void show_bool(struct seq_file *m, const char *name, bool value)
{
	seq_printf(m, "%-16s : %s\n", name, str_yes_no(value));
}

static int show_features(struct seq_file *m, void *data)
{
	const struct vgpu_device *vgpu = shown_device(m);

	show_bool(m, "virgl", vgpu->has_virgl);
	show_bool(m, "edid", vgpu->has_edid);
	show_bool(m, "indirect", vgpu->has_indirect);
	show_bool(m, "resource uuid", vgpu->has_uuid);
	show_bool(m, "blob resources", vgpu->has_blob);
	show_bool(m, "context init", vgpu->has_context_init);
	seq_printf(m, "%-16s : %u\n", "cap sets", vgpu->num_capsets);
	seq_printf(m, "%-16s : %u\n", "scanouts", vgpu->num_outputs);
	if (vgpu->has_window)
		seq_printf(m, "%-16s : 0x%llx +0x%llx\n", "host visible region",
			   vgpu->window.addr, vgpu->window.len);

	return 0;
}

static int show_fences(struct seq_file *m, void *data)
{
	struct vgpu_fences *fences = &shown_device(m)->fences;

	scoped_guard(spinlock_irqsave, &fences->lock)
		seq_printf(m, "fence %llu %llu\n", fences->answered,
			   fences->emitted);
	return 0;
}

static int show_window(struct seq_file *m, void *data)
{
	struct vgpu_device *vgpu = shown_device(m);
	struct drm_printer p = drm_seq_file_printer(m);

	if (!vgpu->has_window) {
		seq_puts(m, "Host allocations not visible to guest\n");
		return 0;
	}

	vgpu_vram_print_window(vgpu, &p);
	return 0;
}

static void show_queue(struct seq_file *m, const char *name,
		       struct vgpu_queue *q)
{
	struct vgpu_cmd *oldest;
	unsigned int age = 0;
	size_t pending;

	scoped_guard(spinlock, &q->lock) {
		oldest = list_first_entry_or_null(&q->pending, struct vgpu_cmd,
						  node);
		if (oldest)
			age = jiffies_to_msecs(jiffies - oldest->queued);
		pending = list_count_nodes(&q->pending);
		seq_printf(m, "%s: alive=%s sent=%u pending=%zu ", name,
			   str_yes_no(q->alive), q->seqno, pending);
		seq_printf(m, "backlog=%u oldest=%u\n", q->num_backlog, age);
	}
}

static int show_queues(struct seq_file *m, void *data)
{
	struct vgpu_device *vgpu = shown_device(m);

	show_queue(m, "control", &vgpu->ctrl);
	show_queue(m, "cursor", &vgpu->cursor);
	return 0;
}

static const struct drm_debugfs_info vgpu_debugfs_files[] = {
	{ "virtio-gpu-features", show_features },
	{ "virtio-gpu-irq-fence", show_fences },
	{ "virtio-gpu-host-visible-mm", show_window },
	{ "virtio-gpu-queues", show_queues },
};

/**
 * vgpu_debugfs_init - make the files
 * @vgpu: a device that is not yet registered
 */
void vgpu_debugfs_init(struct vgpu_device *vgpu)
{
	drm_debugfs_add_files(vgpu->drm, vgpu_debugfs_files,
			      ARRAY_SIZE(vgpu_debugfs_files));
}
