// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of the tracepoints
 *
 * Each step of a buffer's life fires its event, once, with the buffer it happened
 * to, when it cannot fail any more; mmap and CPU access do when they are asked for.
 * The probes write down what they see of the one buffer the case is about; the rest
 * of the machine goes on meanwhile. What the events print is read from tracefs by
 * whoever runs these tests.
 */

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/tracepoint.h>

#include "dma_buf_party.h"

#define TRACE_TEXT 256

/**
 * struct trace_log - the events of one buffer
 * @priv: the exporter's pointer, by which the buffer is known even in its export
 * @text: names of events, with a number where they have one
 * @len: characters in @text
 */
struct trace_log {
	void *priv;
	/** @lock: guards @text and @len; events come from any task */
	spinlock_t lock;
	char text[TRACE_TEXT];
	size_t len;
};

static __printf(3, 4) void trace_note(struct trace_log *log,
				      struct dma_buf *dmabuf,
				      const char *format, ...)
{
	va_list args;

	if (dmabuf->priv != log->priv)
		return;

	spin_lock(&log->lock);
	if (log->len)
		log->len += scnprintf(log->text + log->len,
				      TRACE_TEXT - log->len, " ");
	va_start(args, format);
	log->len += vscnprintf(log->text + log->len, TRACE_TEXT - log->len,
			       format, args);
	va_end(args);
	spin_unlock(&log->lock);
}

static void trace_expect(struct kunit *test, struct trace_log *log,
			 const char *text)
{
	char seen[TRACE_TEXT];

	/* KUnit may allocate. */
	spin_lock(&log->lock);
	strscpy(seen, log->text);
	log->text[0] = '\0';
	log->len = 0;
	spin_unlock(&log->lock);
	KUNIT_EXPECT_STREQ(test, seen, text);
}

static void probe_export(void *log, struct dma_buf *dmabuf)
{
	trace_note(log, dmabuf, "export");
}

static void probe_put(void *log, struct dma_buf *dmabuf)
{
	trace_note(log, dmabuf, "put");
}

static void probe_fd(void *log, struct dma_buf *dmabuf, int fd)
{
	trace_note(log, dmabuf, "fd");
}

static void probe_get(void *log, struct dma_buf *dmabuf, int fd)
{
	trace_note(log, dmabuf, "get");
}

static void probe_attach(void *log, struct dma_buf_attachment *attach)
{
	trace_note(log, attach->dmabuf, "attach");
}

static void probe_detach(void *log, struct dma_buf_attachment *attach)
{
	trace_note(log, attach->dmabuf, "detach");
}

static void probe_map(void *log, struct dma_buf_attachment *attach,
		      struct sg_table *sgt, enum dma_data_direction dir)
{
	trace_note(log, attach->dmabuf, "map:%u", attach->map_count);
}

static void probe_unmap(void *log, struct dma_buf_attachment *attach,
			struct sg_table *sgt, enum dma_data_direction dir)
{
	/* One of them is about to go. */
	trace_note(log, attach->dmabuf, "unmap:%u", attach->map_count - 1);
}

static void probe_pin(void *log, struct dma_buf_attachment *attach,
		      unsigned int pins)
{
	trace_note(log, attach->dmabuf, "pin:%u", pins);
}

static void probe_mmap(void *log, struct dma_buf *dmabuf, unsigned long pgoff,
		       unsigned long pages)
{
	trace_note(log, dmabuf, "mmap:%lu+%lu", pgoff, pages);
}

static void probe_cpu_access(void *log, struct dma_buf *dmabuf,
			     enum dma_data_direction dir, bool begin)
{
	trace_note(log, dmabuf, begin ? "begin:%d" : "end:%d", dir);
}

static void probe_move(void *log, struct dma_buf *dmabuf, unsigned int count)
{
	trace_note(log, dmabuf, "move:%u", count);
}

static void probe_revoke(void *log, struct dma_buf *dmabuf, unsigned int count)
{
	trace_note(log, dmabuf, "revoke:%u", count);
}

static void probe_constrain(void *log, struct dma_buf *dmabuf,
			    struct device *dev,
			    const struct dma_buf_constraints *need, int ret)
{
	trace_note(log, dmabuf, "constrain:%u:%d", need->max_segments, ret);
}

static void probe_refuse(void *log, struct dma_buf_attachment *attach,
			 const struct dma_buf_violation *violation)
{
	trace_note(log, attach->dmabuf, "refuse:%s",
		   dma_buf_demand_name(violation->demand));
}

static const struct {
	const char *name;
	void *probe;
} trace_probes[] = {
	{ "dma_buf_export", probe_export },
	{ "dma_buf_fd", probe_fd },
	{ "dma_buf_get", probe_get },
	{ "dma_buf_put", probe_put },
	{ "dma_buf_attach", probe_attach },
	{ "dma_buf_detach", probe_detach },
	{ "dma_buf_map", probe_map },
	{ "dma_buf_unmap", probe_unmap },
	{ "dma_buf_pin", probe_pin },
	{ "dma_buf_mmap", probe_mmap },
	{ "dma_buf_cpu_access", probe_cpu_access },
	{ "dma_buf_move", probe_move },
	{ "dma_buf_revoke", probe_revoke },
	{ "dma_buf_constrain", probe_constrain },
	{ "dma_buf_refuse", probe_refuse },
};

static struct tracepoint *trace_points[ARRAY_SIZE(trace_probes)];

static void trace_find(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(trace_probes); i++)
		if (!strcmp(tp->name, trace_probes[i].name))
			trace_points[i] = tp;
}

static void trace_forget(void *data)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(trace_probes); i++) {
		void *probe = trace_probes[i].probe;

		if (trace_points[i])
			tracepoint_probe_unregister(trace_points[i], probe,
						    data);
	}
	tracepoint_synchronize_unregister();
}

static struct trace_log *trace_begin(struct kunit *test, void *priv)
{
	struct trace_log *log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, log);
	log->priv = priv;
	spin_lock_init(&log->lock);

	for_each_kernel_tracepoint(trace_find, NULL);
	mock_defer(test, trace_forget, log);
	for (i = 0; i < ARRAY_SIZE(trace_probes); i++) {
		KUNIT_ASSERT_NOT_NULL_MSG(test, trace_points[i], "no event %s",
					  trace_probes[i].name);
		KUNIT_ASSERT_EQ(test, 0,
				tracepoint_probe_register(trace_points[i],
							  trace_probes[i].probe,
							  log));
	}

	return log;
}

/* Succeeds if the file's life is seen: made, given out, taken, given back. */
static void trace_of_the_object(struct kunit *test)
{
	struct mock_buffer *buf = mock_buffer_new(test, MOCK_STATIC);
	struct trace_log *log = trace_begin(test, buf);
	struct dma_buf *found;
	int fd;

	mock_export(buf);
	trace_expect(test, log, "export");

	get_dma_buf(buf->dmabuf);
	fd = dma_buf_fd(buf->dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	trace_expect(test, log, "fd");

	found = dma_buf_get(fd);
	KUNIT_EXPECT_PTR_EQ(test, found, buf->dmabuf);
	if (!IS_ERR(found))
		dma_buf_put(found);
	mock_close(fd);
	trace_expect(test, log, "get put");
}

/* Succeeds if a device is followed from attach to detach, with its counts. */
static void trace_of_a_device(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct trace_log *log = trace_begin(test, buf);
	struct dma_buf_attachment *attach;
	struct sg_table *sgt, *more;

	attach = mock_attach(buf, mock_device(test, "importer"), NULL);
	sgt = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	more = mock_map(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, more);
	mock_unmap(attach, more, DMA_TO_DEVICE);
	mock_unmap(attach, sgt, DMA_TO_DEVICE);
	mock_detach(buf, attach);
	trace_expect(test, log, "attach map:1 map:2 unmap:1 unmap:0 detach");
}

/* Succeeds if what failed leaves no event of what did not happen. */
static void trace_of_failures(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct trace_log *log = trace_begin(test, buf);
	struct dma_buf_attachment *attach;

	buf->fail[MOCK_ATTACH] = -EBUSY;
	KUNIT_EXPECT_TRUE(test, IS_ERR(mock_try_attach(buf, dev, NULL, NULL)));
	buf->fail[MOCK_ATTACH] = 0;
	trace_expect(test, log, "");

	attach = mock_attach(buf, dev, NULL);
	buf->fail[MOCK_MAP] = -ENOMEM;
	KUNIT_EXPECT_TRUE(test, IS_ERR(mock_map(attach, DMA_TO_DEVICE)));
	trace_expect(test, log, "attach");
}

/* Succeeds if pins, moves and the end of the storage are told with numbers. */
static void trace_of_moves(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct trace_log *log = trace_begin(test, buf);
	struct dma_buf_attachment *attach;

	attach =
		mock_attach(buf, mock_device(test, "importer"), &mock_importer);
	KUNIT_ASSERT_EQ(test, mock_pin(attach), 0);
	mock_unpin(attach);
	mock_move(buf);
	dma_buf_revoke(buf->dmabuf);
	trace_expect(test, log, "attach pin:1 pin:0 move:1 move:1 revoke:0");
}

/* Succeeds if each decision about the storage is told, with its outcome. */
static void trace_of_decisions(struct kunit *test)
{
	struct dma_buf_constraints few = DMA_BUF_CONSTRAINTS_ANY;
	struct mock_party *party = mock_party(test);
	struct trace_log *log = trace_begin(test, party->buf);
	struct dma_buf_attachment *attach;

	few.max_segments = 7;
	attach = mock_party_attach(party->buf, "a", NULL, &few);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	trace_expect(test, log, "constrain:7:0 attach");

	few.max_segments = 5;
	party->buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	attach = mock_party_attach(party->buf, "b", NULL, &few);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	trace_expect(test, log, "move:0 constrain:5:0 attach");

	few.dma_mask = PAGE_SIZE - 1;
	KUNIT_EXPECT_PTR_EQ(test,
			    mock_party_attach(party->buf, "c", NULL, &few),
			    ERR_PTR(-EINVAL));
	trace_expect(test, log, "constrain:5:-22");
	mock_party_detach(party->buf, attach);
	trace_expect(test, log, "detach constrain:7:0");
}

/* Succeeds if a table that is kept from a device is told, with the reason. */
static void trace_of_a_refused_table(struct kunit *test)
{
	struct dma_buf_constraints far = mock_below(MOCK_SIZE - 1);
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct trace_log *log = trace_begin(test, buf);
	struct dma_buf_attachment *attach;

	attach = mock_party_attach(buf, "importer", NULL, &far);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EINVAL));
	trace_expect(test, log, "attach refuse:mask");
}

/* Succeeds if a copy that is kept from a device is told as such. */
static void trace_of_a_refused_copy(struct kunit *test)
{
	struct dma_buf_constraints far = mock_below(DMA_BIT_MASK(63));
	struct mock_party *party = mock_party(test);
	struct trace_log *log = trace_begin(test, party->buf);
	struct dma_buf_attachment *attach;

	if (!IS_ENABLED(CONFIG_SWIOTLB))
		kunit_skip(test, "there is nothing that makes copies");

	attach = mock_party_attach(party->buf, "importer", NULL, &far);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	trace_expect(test, log, "constrain:4294967295:0 attach");

	mock_copies(party->buf, attach->dev);
	KUNIT_EXPECT_PTR_EQ(test, mock_map(attach, DMA_TO_DEVICE),
			    ERR_PTR(-EIO));
	trace_expect(test, log, "pin:1 refuse:copy pin:0");
}

/*
 * Succeeds if the CPU's use is told: both ends, and mmap with its range; also where
 * it is refused, for who asked is what is told.
 */
static void trace_of_the_cpu(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct trace_log *log = trace_begin(test, buf);
	unsigned long addr;

	dma_buf_begin_cpu_access(buf->dmabuf, DMA_TO_DEVICE);
	dma_buf_end_cpu_access(buf->dmabuf, DMA_TO_DEVICE);
	trace_expect(test, log, "begin:1 end:1");

	addr = kunit_vm_mmap(test, buf->dmabuf->file, 0, 2 * PAGE_SIZE,
			     PROT_READ, MAP_SHARED, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	trace_expect(test, log, "mmap:1+2");
	vm_munmap(addr, 2 * PAGE_SIZE);

	dma_buf_revoke(buf->dmabuf);
	KUNIT_EXPECT_EQ(test,
			dma_buf_begin_cpu_access(buf->dmabuf, DMA_TO_DEVICE),
			-ENODEV);
	addr = kunit_vm_mmap(test, buf->dmabuf->file, 0, PAGE_SIZE, PROT_READ,
			     MAP_SHARED, 0);
	KUNIT_EXPECT_EQ(test, (long)addr, -ENODEV);
	trace_expect(test, log, "move:0 revoke:0 begin:1 mmap:0+1");
}

static struct kunit_case dma_buf_trace_cases[] = {
	KUNIT_CASE(trace_of_the_object),
	KUNIT_CASE(trace_of_a_device),
	KUNIT_CASE(trace_of_failures),
	KUNIT_CASE(trace_of_moves),
	KUNIT_CASE(trace_of_decisions),
	KUNIT_CASE(trace_of_a_refused_table),
	KUNIT_CASE(trace_of_a_refused_copy),
	KUNIT_CASE(trace_of_the_cpu),
	{}
};

static struct kunit_suite dma_buf_trace_suite = {
	.name = "dma_buf_trace",
	.test_cases = dma_buf_trace_cases,
};

kunit_test_suite(dma_buf_trace_suite);
