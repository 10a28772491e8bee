// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: log of the mock exporter and importer
 *
 * Each callback enters here: it is noted, fails if it is told to, and is counted
 * against what undoes it. The test reads that when the core has returned.
 *
 * It runs inside the core, often under a lock, so it must not use a KUNIT_ASSERT,
 * which ends the thread. It notes, and the test judges.
 */

#include <linux/kernel.h>

#include "dma_buf_mock_internal.h"

static const char *const mock_op_names[MOCK_OPS] = {
	[MOCK_ATTACH] = "attach",     [MOCK_DETACH] = "detach",
	[MOCK_PIN] = "pin",	      [MOCK_UNPIN] = "unpin",
	[MOCK_MAP] = "map",	      [MOCK_UNMAP] = "unmap",
	[MOCK_BEGIN] = "begin",	      [MOCK_END] = "end",
	[MOCK_MMAP] = "mmap",	      [MOCK_VMAP] = "vmap",
	[MOCK_VUNMAP] = "vunmap",     [MOCK_RELEASE] = "release",
	[MOCK_MOVE] = "move",	      [MOCK_CONSTRAIN] = "constrain",
	[MOCK_RELOCATE] = "relocate",
};

static const char *mock_dir_name(enum dma_data_direction dir)
{
	switch (dir) {
	case DMA_TO_DEVICE:
		return ":to";
	case DMA_FROM_DEVICE:
		return ":from";
	case DMA_BIDIRECTIONAL:
		return ":both";
	default:
		return "";
	}
}

/* Which counter an op moves, and which way: unmap takes back what map added. */
static void mock_account(struct mock_buffer *buf, enum mock_op op)
{
	lockdep_assert_held(&buf->lock);

	switch (op) {
	case MOCK_DETACH:
		buf->live[MOCK_ATTACH]--;
		break;
	case MOCK_UNPIN:
		buf->live[MOCK_PIN]--;
		break;
	case MOCK_UNMAP:
		buf->live[MOCK_MAP]--;
		break;
	case MOCK_VUNMAP:
		buf->live[MOCK_VMAP]--;
		break;
	default:
		buf->live[op]++;
		break;
	}
}

/* What takes something back has no way to refuse. */
static bool mock_can_fail(enum mock_op op)
{
	switch (op) {
	case MOCK_DETACH:
	case MOCK_UNPIN:
	case MOCK_UNMAP:
	case MOCK_VUNMAP:
	case MOCK_RELEASE:
	case MOCK_MOVE:
		return false;
	default:
		return true;
	}
}

/**
 * mock_log_enter - a callback has come
 * @dmabuf: to whose exporter or importer
 * @op: which one
 * @attach: the attachment it is for, NULL for the whole buffer
 * @sgt: the table that it hands out or back
 * @dir: its direction, DMA_NONE if it has none
 *
 * Return: what it is to answer.
 */
int mock_log_enter(struct dma_buf *dmabuf, enum mock_op op,
		   struct dma_buf_attachment *attach, struct sg_table *sgt,
		   enum dma_data_direction dir)
{
	struct mock_buffer *buf = dmabuf->priv;
	struct mock_call call = {
		.op = op,
		.attach = attach,
		.sgt = sgt,
		.dir = dir,
		.err = buf->fail[op],
		.locked = dma_resv_is_locked(dmabuf->resv),
	};

	spin_lock(&buf->lock);
	if (buf->fail_at == buf->calls + 1 && mock_can_fail(op))
		call.err = buf->fail_with;
	if (buf->calls < MOCK_LOG)
		buf->log[buf->calls] = call;
	buf->calls++;
	if (!call.err)
		mock_account(buf, call.op);
	spin_unlock(&buf->lock);

	if (buf->hook)
		buf->hook(buf, &call);
	return call.err;
}

/**
 * mock_log_attach - mock_log_enter() for an attachment, without a table
 * @attach: the attachment
 * @op: which callback
 *
 * Return: what it is to answer.
 */
int mock_log_attach(struct dma_buf_attachment *attach, enum mock_op op)
{
	return mock_log_enter(attach->dmabuf, op, attach, NULL, DMA_NONE);
}

/**
 * mock_log_buffer - mock_log_enter() for a whole buffer, without a direction
 * @dmabuf: the buffer
 * @op: which callback
 *
 * Return: what it is to answer.
 */
int mock_log_buffer(struct dma_buf *dmabuf, enum mock_op op)
{
	return mock_log_enter(dmabuf, op, NULL, NULL, DMA_NONE);
}

/**
 * mock_fail_at - let one callback fail, whichever it is
 * @buf: the buffer
 * @position: its place among the callbacks since the last mock_calls(), the
 *	      first is 1; 0 for none. A callback without a return value goes on
 * @err: errno for it
 */
void mock_fail_at(struct mock_buffer *buf, unsigned int position, int err)
{
	spin_lock(&buf->lock);
	buf->fail_at = position;
	buf->fail_with = err;
	spin_unlock(&buf->lock);
}

/**
 * mock_log_move - note that an importer was told about a move
 * @attach: the importer's attachment
 */
void mock_log_move(struct dma_buf_attachment *attach)
{
	mock_log_attach(attach, MOCK_MOVE);
}

/**
 * mock_log_constrain - note what an exporter that takes part is asked
 * @dmabuf: its buffer
 * @move: whether the storage is to move
 *
 * Return: what the exporter is to answer.
 */
int mock_log_constrain(struct dma_buf *dmabuf, bool move)
{
	return mock_log_buffer(dmabuf, move ? MOCK_RELOCATE : MOCK_CONSTRAIN);
}

/**
 * mock_calls - the callbacks since the last time, as text
 * @buf: the buffer
 *
 * Oldest first: a callback's name, ":to", ":from" or ":both" where it has a
 * direction, "!" if it was told to fail, "*" if the reservation lock was held.
 *
 * Return: the text, valid until the next call.
 */
const char *mock_calls(struct mock_buffer *buf)
{
	unsigned int i, n;
	size_t len = 0;

	spin_lock(&buf->lock);
	buf->text[0] = '\0';
	n = min(buf->calls, MOCK_LOG);
	for (i = 0; i < n; i++) {
		const struct mock_call *call = &buf->log[i];

		len += scnprintf(buf->text + len, MOCK_TEXT - len, "%s%s%s%s%s",
				 i ? " " : "", mock_op_names[call->op],
				 mock_dir_name(call->dir), call->err ? "!" : "",
				 call->locked ? "*" : "");
	}
	buf->calls = 0;
	spin_unlock(&buf->lock);
	return buf->text;
}

/**
 * mock_count - how often a callback ran since the last mock_calls()
 * @buf: the buffer
 * @op: the callback
 * @attach: count those for this attachment, NULL for any
 *
 * Return: the number of calls.
 */
unsigned int mock_count(struct mock_buffer *buf, enum mock_op op,
			struct dma_buf_attachment *attach)
{
	unsigned int i, found = 0;

	spin_lock(&buf->lock);
	for (i = 0; i < min(buf->calls, MOCK_LOG); i++)
		if (buf->log[i].op == op &&
		    (!attach || buf->log[i].attach == attach))
			found++;
	spin_unlock(&buf->lock);
	return found;
}

/**
 * mock_live - what is still to be undone
 * @buf: the buffer
 * @op: MOCK_ATTACH, MOCK_PIN, MOCK_MAP or MOCK_VMAP
 *
 * Return: calls of @op that succeeded less calls that undo it.
 */
int mock_live(struct mock_buffer *buf, enum mock_op op)
{
	int live;

	spin_lock(&buf->lock);
	live = buf->live[op];
	spin_unlock(&buf->lock);
	return live;
}
