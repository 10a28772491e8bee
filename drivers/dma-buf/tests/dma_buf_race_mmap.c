// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: races of processes that map a buffer
 *
 * The exporter's part of a race that has mappings: entries of page tables are
 * filled in as they are asked for, by a fault handler that does what the text on
 * revocation wants of one. So there are moments for the end of the storage to
 * come in: before the area exists, before its fault, within it, after it.
 *
 * Whether one can still look at the storage is what the racers find out, by
 * looking.
 */

#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "dma_buf_race.h"

/* Nobody touches an entry but under the lock that the mark is set under. */
static vm_fault_t race_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mock_buffer *buf = vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (vmf->pgoff >= MOCK_PAGES)
		return VM_FAULT_SIGBUS;

	dma_resv_lock(buf->dmabuf->resv, NULL);
	if (!dma_buf_is_revoked(buf->dmabuf))
		ret = vmf_insert_pfn(vma, vmf->address,
				     page_to_pfn(buf->pages[vmf->pgoff]));
	dma_resv_unlock(buf->dmabuf->resv);

	return ret;
}

static const struct vm_operations_struct race_vm_ops = {
	.fault = race_fault,
};

static int race_op_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &race_vm_ops;
	vma->vm_private_data = dmabuf->priv;

	return 0;
}

/**
 * race_mmap_prepare - have a buffer's pages mapped as they are touched
 * @buf: buffer, not yet exported
 */
void race_mmap_prepare(struct mock_buffer *buf)
{
	buf->ops.mmap = race_op_mmap;
}

/* Once the mark is set and the lock was free, nobody has anything mapped. */
static bool revoked_and_zapped(struct dma_buf *dmabuf)
{
	bool revoked;

	dma_resv_lock(dmabuf->resv, NULL);
	revoked = dma_buf_is_revoked(dmabuf);
	dma_resv_unlock(dmabuf->resv);

	return revoked;
}

/* Look at a page twice: a fault, or an entry that is there; both or neither. */
static int race_look(struct dma_buf *dmabuf, unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		bool over = revoked_and_zapped(dmabuf);
		u8 value;
		int ret;

		ret = copy_from_user(&value, (u8 __user *)addr, 1) ? -EFAULT : 0;
		if (over && !ret)
			return -EKEYREVOKED;
		if (ret)
			return dma_buf_is_revoked(dmabuf) ? -ENODEV : ret;
	}

	return 0;
}

static int race_mmap_all(struct dma_buf *dmabuf)
{
	unsigned long addr, page;
	int ret = 0;

	addr = vm_mmap(dmabuf->file, 0, MOCK_SIZE, PROT_READ, MAP_SHARED, 0);
	if (IS_ERR_VALUE(addr))
		return (long)addr;

	for (page = 0; page < MOCK_PAGES && !ret; page++)
		ret = race_look(dmabuf, addr + page * PAGE_SIZE);

	return vm_munmap(addr, MOCK_SIZE) ?: ret;
}

/* Threads that borrow one process: areas come and go beside each other. */
int race_mmap(struct racer *racer, unsigned int round)
{
	int ret;

	kthread_use_mm(racer->race->mm);
	ret = race_mmap_all(race_dma_buf(racer));
	kthread_unuse_mm(racer->race->mm);

	return ret;
}
