// SPDX-License-Identifier: GPL-2.0
/*
 * Storage that suits all devices: ask the exporter, and have it move.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/slab.h>

#include <trace/events/dma_buf.h>

#include "dma-buf-internal.h"
#include "dma-buf-undemanding.h"

/**
 * DOC: negotiation
 *
 * A compositor imports what a render GPU has drawn, and half an hour later a
 * display is plugged in that needs it in one piece. When the memory was
 * allocated nobody could know, so constraints that are looked at then and never
 * again do not help. What helps is that storage can move.
 *
 * Here the core knows what each attached device needs (see the DOC section of
 * dma-buf-need.c), and what suits all of them. An exporter that takes part has
 * &dma_buf_ops.constrain, and is asked whenever that changes:
 *
 * ===================  ========================================================
 * a device attaches    Attaching allocates nothing. If the device makes no
 *                      difference to the others' needs, nobody is asked; nor if
 *                      that is in kinds of memory that the exporter never has.
 * it is stricter       The exporter keeps the new need for its first
 *                      allocation, or says that its storage meets it.
 * and storage exists   The core tells dynamic importers to let go, waits for the
 *                      fences of all devices, and has the exporter move.
 * and it cannot move   The newcomer is refused with -EBUSY. A static importer has
 *                      it mapped, or somebody has pinned or vmapped it.
 * a device leaves      The exporter is told the looser need. It moves nothing
 *                      back, but need not be strict if it has not allocated.
 * ===================  ========================================================
 *
 * An attempt that fails, for whatever reason, changes nothing: the newcomer is
 * not attached, the storage is where it was, and importers that were told to let
 * go map again, as they would have after a move.
 *
 * A signal interrupts who waits for fences, and another newcomer, who waits for
 * the lock that the first holds meanwhile. It does not interrupt all who wait for
 * that lock: mapping, detaching and importing a fence go on when the fences have
 * signalled, and so does who reads the buffer's fdinfo, or bufinfo, unless that
 * process gets a signal. DRM's FD_TO_HANDLE, in addition, attaches with a lock of the
 * client held, and for a driver with an import of its own with one of the importing
 * device, as on mainline: other imports and exports of that device, and the end of its
 * handles (GEM_CLOSE), wait as long as the newcomer does. A fence
 * that never signals is the one thing that makes that long, and drivers must not
 * leave such fences in a buffer.
 *
 * An importer that finds out later what it needs, because the hardware or a
 * driver underneath refuses a table, says so with
 * dma_buf_attachment_constrain(), and the same happens.
 *
 * Pins
 * ~~~~
 *
 * With an exporter that takes part, the storage stays where it is while a static
 * importer has it mapped, not from attach to detach. Between attach and map it
 * can move, which is what lets devices that cannot follow a move attach first
 * and find a place for all of them at the first mapping. A mapping of a dynamic
 * importer never keeps it, however the kernel is configured.
 *
 * Exporters that do not take part are treated as ever, see the DOC section of
 * dma-buf-map.c.
 *
 * Locking
 * ~~~~~~~
 *
 * All of it goes on in one hold of the reservation lock, the wait for fences
 * included. So nobody can map, pin or attach between the question and the move;
 * two newcomers come one after the other.
 */

static const struct dma_buf_terms no_terms = {
	.constraints = DMA_BUF_CONSTRAINTS_ANY,
};

/**
 * dma_buf_negotiate_terms_locked - what was agreed
 * @obj: buffer
 * @terms: where to put it
 *
 * With the kinds of memory that an exporter was not asked about, for it never has them.
 */
void dma_buf_negotiate_terms_locked(const struct dma_buf_object *obj,
				    struct dma_buf_terms *terms)
{
	dma_resv_assert_held(obj->base.resv);

	*terms = *(obj->terms ?: &no_terms);
	terms->constraints.domains = dma_buf_common_domains_locked(obj);
}

static int make_terms_locked(struct dma_buf_object *obj)
{
	if (!obj->terms)
		obj->terms = kmemdup(&no_terms, sizeof(no_terms),
				     GFP_KERNEL_ACCOUNT);

	return obj->terms ? 0 : -ENOMEM;
}

/* Without terms @need is about memory of other devices, or nothing. */
static void agree_locked(struct dma_buf_object *obj,
			 const struct dma_buf_constraints *need)
{
	if (obj->terms)
		obj->terms->constraints = *need;
	obj->domains = need->domains;
}

/*
 * Somebody relies on the place where the storage is.  A table that an importer
 * took along when it detached counts, for nobody knows who uses it.
 */
static bool storage_is_held_locked(struct dma_buf_object *obj)
{
	struct dma_buf_attachment *attach;

	dma_resv_assert_held(obj->base.resv);

	if (obj->vmap_count || obj->lost_count)
		return true;

	/* The core pins for static importers, and for them alone. */
	list_for_each_entry(attach, &obj->base.attachments, node) {
		if (attach->pin_count || attach->core_pin_count)
			return true;
	}

	return false;
}

static int move_storage_locked(struct dma_buf_object *obj,
			       const struct dma_buf_constraints *need)
{
	struct dma_buf *dmabuf = &obj->base;
	long left;
	int ret;

	if (storage_is_held_locked(obj))
		return -EBUSY;

	dma_buf_invalidate_mappings(dmabuf);
	left = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP,
				     true, MAX_SCHEDULE_TIMEOUT);
	if (left < 0)
		return left;

	/* An importer that was told may have pinned: the lock was its, too. */
	if (storage_is_held_locked(obj))
		return -EBUSY;

	ret = dmabuf->ops->constrain(dmabuf, need, true);
	if (!ret)
		obj->terms->moves++;

	return ret;
}

/*
 * libdrm repeats an ioctl that fails with EAGAIN until it does not, and an
 * attachment is not an ERR_PTR() of a positive number.
 */
static int proper_errno(int ret)
{
	return WARN_ON_ONCE(ret > 0 || ret == -EAGAIN) ? -EINVAL : ret;
}

static int ask_exporter_locked(struct dma_buf_object *obj,
			       const struct dma_buf_constraints *need)
{
	struct dma_buf *dmabuf = &obj->base;
	int ret;

	/* before there is anything that would have to be taken back */
	ret = make_terms_locked(obj);
	if (ret)
		return ret;

	ret = dmabuf->ops->constrain(dmabuf, need, false);
	if (ret == -EAGAIN)
		ret = move_storage_locked(obj, need);

	return proper_errno(ret);
}

/* Nothing that the exporter would have to know. */
static bool same_need(const struct dma_buf_object *obj,
		      const struct dma_buf_constraints *need)
{
	struct dma_buf_constraints known;

	known = (obj->terms ?: &no_terms)->constraints;
	known.domains = need->domains;

	return dma_buf_same_domains(obj, need->domains) &&
	       dma_buf_constraints_equal(need, &known);
}

static bool is_possible(const struct dma_buf_constraints *c, size_t size)
{
	return dma_buf_need_nothing(c) ||
	       dma_buf_constraints_satisfiable(c, size);
}

/* What @attach would need, held against what the others do. */
static int negotiate_locked(struct dma_buf_attachment *attach,
			    const struct dma_buf_constraints *wanted,
			    struct dma_buf_constraints *of_storage)
{
	struct dma_buf_object *obj = to_dma_buf_object(attach->dmabuf);
	struct dma_buf_constraints need;
	struct dma_buf_terms terms;
	int ret;

	dma_buf_negotiate_terms_locked(obj, &terms);
	need = terms.constraints;
	dma_buf_constraints_of_storage(attach->dev, of_storage, wanted,
				       obj->base.size);
	dma_buf_need_of_storage(attach, of_storage, &need);
	/* behind an IOMMU one can be possible and the other not */
	if (!is_possible(wanted, obj->base.size) ||
	    !is_possible(&need, obj->base.size))
		ret = -EINVAL;
	else if (same_need(obj, &need))
		goto agreed;
	else
		ret = ask_exporter_locked(obj, &need);

	trace_dma_buf_constrain(attach->dmabuf, attach->dev, &need, ret);
	if (ret)
		return ret;
agreed:
	agree_locked(obj, &need);

	return 0;
}

/**
 * dma_buf_negotiate_join_locked - make the storage suit a newcomer as well
 * @attach: attachment that is on the list of its buffer, and not complete
 *
 * Return: 0 or a negative errno, see dma_buf_dynamic_attach().
 */
int dma_buf_negotiate_join_locked(struct dma_buf_attachment *attach)
{
	struct dma_buf_constraints of_storage;
	int ret;

	ret = negotiate_locked(attach, &attach->needs->constraints,
			       &of_storage);
	if (!ret)
		dma_buf_need_agree_locked(attach, &of_storage);

	return ret;
}

/**
 * dma_buf_negotiate_leave_locked - let the storage be what suits the others
 * @attach: attachment that is no longer on the list of its buffer
 */
void dma_buf_negotiate_leave_locked(const struct dma_buf_attachment *attach)
{
	struct dma_buf_object *obj = to_dma_buf_object(attach->dmabuf);
	struct dma_buf_constraints need = DMA_BUF_CONSTRAINTS_ANY;
	struct dma_buf *dmabuf = &obj->base;
	struct dma_buf_attachment *other;
	int ret;

	/* Their devices may be anywhere by now, without driver, even gone. */
	list_for_each_entry(other, &dmabuf->attachments, node)
		dma_buf_need_of_storage(other, &other->needs->of_storage,
					&need);
	if (same_need(obj, &need)) {
		agree_locked(obj, &need);
		return;
	}

	/* What met the stricter need meets this one: there is nothing to do. */
	ret = dmabuf->ops->constrain(dmabuf, &need, false);
	trace_dma_buf_constrain(dmabuf, attach->dev, &need, ret);
	if (!WARN_ON_ONCE(ret))
		agree_locked(obj, &need);
}

/* A table that the importer keeps from here on has to do, or nothing does. */
static int tighten_alone_locked(struct dma_buf_attachment *attach,
				const struct dma_buf_constraints *declared)
{
	if (!attach->sgt)
		return 0;

	return dma_buf_constraints_check_sgt(declared, attach->sgt,
					     attach->dmabuf->size, NULL);
}

static int attachment_tighten_locked(struct dma_buf_attachment *attach,
				     const struct dma_buf_constraints *c)
{
	struct dma_buf_needs *wanted;
	int ret;

	ret = dma_buf_revoke_check(attach->dmabuf);
	if (ret)
		return ret;

	wanted = kmemdup(attach->needs, sizeof(*wanted), GFP_KERNEL);
	if (!wanted)
		return -ENOMEM;

	dma_buf_constraints_intersect(&wanted->constraints,
				      &wanted->constraints, c);
	dma_buf_constraints_intersect(&wanted->declared, &wanted->declared, c);
	if (dma_buf_can_constrain(attach->dmabuf))
		ret = negotiate_locked(attach, &wanted->constraints,
				       &wanted->of_storage);
	else
		ret = tighten_alone_locked(attach, &wanted->declared);
	if (ret) {
		dma_buf_need_free(wanted);
		return ret;
	}

	dma_buf_need_free(attach->needs);
	attach->needs = wanted;
	attach->undemanding = dma_buf_need_is_undemanding(attach, wanted);

	return 0;
}

/**
 * dma_buf_attachment_constrain - need more than was said at attach
 * @attach: attachment of a device
 * @c: what it needs as well; what it needs already stays
 *
 * For an importer that learns what its device can use when it is too late, for
 * instance from the refusal of a table. It has given back its own mappings if it
 * is static, and any pins, for they keep the storage where it is. If it is
 * dynamic, it is called back here to let go, as all are.
 *
 * With an exporter that does not take part nothing can move. The tables that the
 * device is given from here on are checked for @c, a table that the core has kept
 * is checked at once.
 *
 * Context: Process context, may sleep. The caller must not hold the
 *	    reservation lock, which is taken here around
 *	    &dma_buf_ops.constrain and &dma_buf_attach_ops.move_notify.
 * Return: 0, or a negative errno, and then nothing has changed:
 *
 *	   * -EINVAL: @attach is NULL or has no device, @c is not valid, or no
 *	     storage, of this exporter or at all, suits all devices; or the
 *	     exporter does not take part, and a table that the core has kept
 *	     breaks @c
 *	   * -EREMOTEIO: such a table is another device's memory, which @c
 *	     excludes
 *	   * -ENODEV: the storage was revoked
 *	   * -EBUSY: the storage would have to move, and somebody relies on its
 *	     place
 *	   * -ENOMEM: there is no such memory now, or out of memory
 *	   * -ERESTARTSYS: a signal arrived
 *	   * the error of &dma_buf_ops.constrain
 */
int dma_buf_attachment_constrain(struct dma_buf_attachment *attach,
				 const struct dma_buf_constraints *c)
{
	int ret;

	might_sleep();

	if (WARN_ON_ONCE(!attach || !attach->dmabuf || !attach->dev || !c))
		return -EINVAL;

	ret = dma_buf_constraints_valid(c);
	if (ret)
		return ret;

	ret = dma_buf_negotiate_lock(attach->dmabuf);
	if (ret)
		return ret;

	ret = attachment_tighten_locked(attach, c);
	dma_resv_unlock(attach->dmabuf->resv);

	return ret;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_attachment_constrain, DMA_BUF);
