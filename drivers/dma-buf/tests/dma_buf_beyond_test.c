// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of what mainline 6.12 has not
 *
 * Names that later kernels use, importers without a device, ends of several things
 * in one call, the peer-to-peer errno, and the counts that bufinfo shows.
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/pci.h>

#include "dma_buf_mock.h"

/* Succeeds if a reserved number becomes the buffer's, not before. */
static void fd_is_installed_last(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf *found;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_get(fd), ERR_PTR(-EBADF));

	get_dma_buf(buf->dmabuf);
	dma_buf_fd_install(buf->dmabuf, fd);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 2);
	found = dma_buf_get(fd);
	KUNIT_EXPECT_PTR_EQ(test, found, buf->dmabuf);
	if (!IS_ERR(found))
		dma_buf_put(found);

	mock_close(fd);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);
}

static const struct file_operations foreign_fops = {
	.owner = THIS_MODULE,
};

/* Succeeds if a file tells whose it is, and keeps its references either way. */
static void file_tells_the_buffer(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct file *foreign;

	KUNIT_EXPECT_PTR_EQ(test, dma_buf_of_file(buf->dmabuf->file),
			    buf->dmabuf);
	KUNIT_EXPECT_EQ(test, file_count(buf->dmabuf->file), 1);

	foreign = anon_inode_getfile("foreign", &foreign_fops, buf->dmabuf,
				     O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, foreign);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf_of_file(foreign), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, file_count(foreign), 1);
	__fput_sync(foreign);
}

static void beyond_invalidate(struct dma_buf_attachment *attach)
{
	mock_log_move(attach);
}

static const struct dma_buf_attach_ops beyond_importer = {
	.invalidate_mappings = beyond_invalidate,
};

/* Succeeds if both names of both calls reach both names of the callback. */
static void invalidate_is_move_notify(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *old, *new;

	old = mock_attach(buf, dev, &mock_importer);
	new = mock_attach(buf, dev, &beyond_importer);
	mock_calls(buf);

	mock_move(buf);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, old), 1);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, new), 1);
	mock_calls(buf);

	dma_resv_lock(buf->dmabuf->resv, NULL);
	dma_buf_invalidate_mappings(buf->dmabuf);
	dma_resv_unlock(buf->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, old), 1);
	KUNIT_EXPECT_EQ(test, mock_count(buf, MOCK_MOVE, new), 1);
}

/* Succeeds if an exporter can tell who lets go when told. */
static void revocable_is_who_is_told(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, dev, NULL);
	KUNIT_EXPECT_FALSE(test, dma_buf_attach_revocable(attach));
	/* Of 6.12's importers, some keep what they have. */
	attach = mock_attach(buf, dev, &mock_importer);
	KUNIT_EXPECT_FALSE(test, dma_buf_attach_revocable(attach));
	attach = mock_attach(buf, dev, &beyond_importer);
	KUNIT_EXPECT_TRUE(test, dma_buf_attach_revocable(attach));
}

static struct dma_buf_attachment *
beyond_attach_cpu(struct mock_buffer *buf, const struct dma_buf_attach_ops *ops)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach_cpu(buf->dmabuf, ops, buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(buf->test, attach);
	KUNIT_EXPECT_NULL(buf->test, attach->dev);
	KUNIT_EXPECT_PTR_EQ(buf->test, attach->importer_priv, (void *)buf);

	return attach;
}

/* Succeeds if a CPU-only importer joins without a word to any exporter. */
static void cpu_attaches(struct kunit *test)
{
	static const enum mock_kind kinds[] = { MOCK_STATIC, MOCK_CACHED,
						MOCK_DYNAMIC, MOCK_MINIMAL };
	struct dma_buf_attachment *attach;
	struct mock_buffer *buf;
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		buf = mock_export_new(test, kinds[i]);
		attach = beyond_attach_cpu(buf, NULL);
		/* The exporter would take it for a device. */
		KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
		dma_buf_detach(buf->dmabuf, attach);
		KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
	}
}

/* Succeeds if bufinfo has it all the same, by a name that no device has. */
static void cpu_is_in_bufinfo(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_attachment *attach = beyond_attach_cpu(buf, NULL);
	const char *row;

	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	dma_buf_detach(buf->dmabuf, attach);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, "\n\tcpu\n\t\tmapped 0, "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, "Total 1 devices attached\n"));
}

/* Succeeds if a CPU-only importer that asks for it hears of moves. */
static void cpu_is_told_of_moves(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;
	struct iosys_map map;

	attach = beyond_attach_cpu(buf, &mock_importer);
	mock_move(buf);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "move*");

	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(buf->dmabuf, &map), 0);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, buf->vaddr);
	dma_buf_vunmap_unlocked(buf->dmabuf, &map);
	dma_buf_detach(buf->dmabuf, attach);
}

/* What comes with the first mapping, and goes with the last. */
static const struct at_once_case {
	const char *name;
	enum mock_kind kind;
	const char *in;
	const char *out;
} at_once_cases[] = {
	{ "static", MOCK_STATIC, "attach map:both*", "unmap:both* detach" },
	{ "cached", MOCK_CACHED, "attach map:both*", "unmap:both* detach" },
	{ "dynamic", MOCK_DYNAMIC, "attach pin* map:both*",
	  "unmap:both* unpin* detach" },
};

KUNIT_ARRAY_PARAM_DESC(at_once, at_once_cases, name);

/* Succeeds if an attachment and its mapping come, and end, as one after the other does. */
static void attachment_and_mapping_at_once(struct kunit *test)
{
	const struct at_once_case *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, p->kind);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;
	struct sg_table *sgt = NULL;

	attach = dma_buf_attach_map(buf->dmabuf, dev, DMA_BIDIRECTIONAL, &sgt);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_ASSERT_NOT_NULL(test, sgt);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->in);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, attach), 1);
	KUNIT_EXPECT_EQ(test, attach->map_count, 1);
	KUNIT_EXPECT_TRUE(test, attach->complete);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));

	dma_buf_unmap_detach(attach, sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), p->out);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
}

/* Succeeds if nobody is attached whose mapping has failed. */
static void no_attachment_without_its_mapping(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;
	struct sg_table *sgt = NULL;

	buf->fail[MOCK_MAP] = -EIO;
	attach = dma_buf_attach_map(buf->dmabuf, dev, DMA_TO_DEVICE, &sgt);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EIO));
	KUNIT_EXPECT_NULL(test, sgt);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "attach map:to!* detach");
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(buf->dmabuf->resv));
}

/* Succeeds if a buffer keeps the memory of one attachment, but where misuse is looked for. */
static void memory_of_an_attachment_is_kept(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *one, *two, *three;

	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_DMABUF_DEBUG))
		kunit_skip(test, "the memory of each is freed");

	one = mock_attach(buf, dev, NULL);
	two = mock_attach(buf, dev, NULL);
	KUNIT_EXPECT_PTR_NE(test, one, two);
	mock_detach(buf, one);
	mock_detach(buf, two);
	three = mock_attach(buf, dev, NULL);
	KUNIT_EXPECT_PTR_EQ(test, three, one);
}

/* Succeeds if nothing is mapped for a device that goes, and the CPU stays. */
static void device_goes(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_CACHED);
	struct dma_buf_attachment *attach, *other;
	struct iosys_map map;
	struct sg_table *sgt;

	attach = dma_buf_attach(buf->dmabuf, mock_device(test, "goes"));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	other = mock_attach(buf, mock_device(test, "stays"), NULL);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	mock_calls(buf);

	dma_buf_detach_device(attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "unmap:both* detach");
	KUNIT_EXPECT_NULL(test, attach->dev);
	KUNIT_EXPECT_EQ(test, mock_attachments(buf, NULL), 1);
	sgt = mock_map(other, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	mock_unmap(other, sgt, DMA_BIDIRECTIONAL);

	KUNIT_EXPECT_EQ(test, dma_buf_vmap_unlocked(attach->dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(attach->dmabuf, &map);
	mock_calls(buf);
	dma_buf_detach(buf->dmabuf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

static const struct dma_buf_attach_ops told_importer = {
	.invalidate_mappings = mock_log_move,
};

static void revoke_at_detach(struct mock_buffer *buf,
			     const struct mock_call *call)
{
	if (call->op == MOCK_DETACH)
		dma_buf_revoke(buf->dmabuf);
}

/* Succeeds if who goes on without a device is told what happens as it goes. */
static void device_goes_meanwhile(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "goes");
	struct dma_buf_attachment *attach;

	attach = dma_buf_dynamic_attach(buf->dmabuf, dev, &told_importer, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	mock_calls(buf);

	buf->hook = revoke_at_detach;
	dma_buf_detach_device(attach);
	buf->hook = NULL;
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "detach move*");

	dma_buf_detach(buf->dmabuf, attach);
	KUNIT_EXPECT_STREQ(test, mock_calls(buf), "");
}

static const struct dma_buf_attach_ops peer_importer = {
	.allow_peer2peer = true,
	.move_notify = mock_log_move,
};

struct peer_case {
	const char *name;
	const struct dma_buf_attach_ops *importer;
	int ret;
};

static const struct peer_case peer_cases[] = {
	{ "the importer cannot", &mock_importer, -EREMOTEIO },
	{ "the importer is static", NULL, -EREMOTEIO },
	{ "no path", &peer_importer, -EREMOTEIO },
};

KUNIT_ARRAY_PARAM_DESC(peer, peer_cases, name);

struct peer_answer {
	struct device *provider;
	int ret;
};

static void peer_negotiate(struct mock_buffer *buf,
			   const struct mock_call *call)
{
	struct peer_answer *answer = buf->hook_data;

	if (call->op == MOCK_ATTACH)
		answer->ret = dma_buf_attach_check_peer(call->attach,
							answer->provider);
}

/* Succeeds if where there is no path there is a distinct errno. */
static void peer_without_a_path(struct kunit *test)
{
	const struct peer_case *p = test->param_value;
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *attach;
	struct peer_answer answer = { .ret = 1 };

	answer.provider = mock_device(test, "provider");
	buf->hook = peer_negotiate;
	buf->hook_data = &answer;
	attach = mock_attach(buf, dev, p->importer);
	KUNIT_EXPECT_EQ(test, answer.ret, p->ret);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
}

static void peer_put_pci(void *pci)
{
	pci_dev_put(pci);
}

/* Succeeds if an importer that no bus leads to from the provider is told so. */
static void peer_on_no_bus(struct kunit *test)
{
	struct pci_dev *pci = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL);
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct dma_buf_attachment *attach;
	struct peer_answer answer = { .ret = 1 };

	if (!pci)
		kunit_skip(test, "no PCI device");
	mock_defer(test, peer_put_pci, pci);

	answer.provider = &pci->dev;
	buf->hook = peer_negotiate;
	buf->hook_data = &answer;
	attach =
		mock_attach(buf, mock_device(test, "importer"), &peer_importer);
	KUNIT_EXPECT_EQ(test, answer.ret, -EREMOTEIO);
	KUNIT_EXPECT_FALSE(test, attach->peer2peer);
}

/* Succeeds if where there is a path, a device's own the shortest, it is used. */
static void peer_with_a_path(struct kunit *test)
{
	struct pci_dev *pci = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL);
	struct dma_buf_attachment *attach;
	struct peer_answer answer = { .ret = 1 };
	struct mock_buffer *buf;

	if (!pci)
		kunit_skip(test, "no PCI device");
	mock_defer(test, peer_put_pci, pci);
	if (!IS_ENABLED(CONFIG_PCI_P2PDMA))
		kunit_skip(test, "peer-to-peer DMA is not configured");

	buf = mock_export_new(test, MOCK_DYNAMIC);
	answer.provider = &pci->dev;
	buf->hook = peer_negotiate;
	buf->hook_data = &answer;
	attach = mock_attach(buf, &pci->dev, &peer_importer);
	KUNIT_EXPECT_EQ(test, answer.ret, 0);
	KUNIT_EXPECT_TRUE(test, attach->peer2peer);
}

/* Succeeds if the exporter's refusal is what the importer gets. */
static void peer_is_refused(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);

	buf->fail[MOCK_ATTACH] = -EREMOTEIO;
	KUNIT_EXPECT_PTR_EQ(test,
			    mock_try_attach(buf, mock_device(test, "importer"),
					    &peer_importer, NULL),
			    ERR_PTR(-EREMOTEIO));
}

/* Succeeds if maps and pins are counted per attachment. */
static void counts_follow_the_calls(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_DYNAMIC);
	struct device *dev = mock_device(test, "importer");
	struct dma_buf_attachment *loose, *fixed;
	struct sg_table *sgt, *kept;

	loose = mock_attach(buf, dev, &mock_importer);
	fixed = mock_attach(buf, dev, NULL);
	KUNIT_EXPECT_EQ(test, loose->pin_count, 0);
	KUNIT_EXPECT_EQ(test, loose->core_pin_count, 0);
	KUNIT_EXPECT_EQ(test, fixed->pin_count, 0);
	KUNIT_EXPECT_EQ(test, fixed->core_pin_count, 1);
	KUNIT_EXPECT_EQ(test, fixed->map_count, 0);

	KUNIT_EXPECT_EQ(test, mock_pin(loose), 0);
	KUNIT_EXPECT_EQ(test, mock_pin(loose), 0);
	sgt = mock_map(loose, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	kept = mock_map(fixed, DMA_TO_DEVICE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kept);
	KUNIT_EXPECT_EQ(test, loose->pin_count, 2);
	KUNIT_EXPECT_EQ(test, loose->core_pin_count,
			!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY));
	KUNIT_EXPECT_EQ(test, loose->map_count, 1);
	KUNIT_EXPECT_EQ(test, fixed->map_count, 1);

	mock_unmap(loose, sgt, DMA_TO_DEVICE);
	mock_unmap(fixed, kept, DMA_TO_DEVICE);
	mock_unpin(loose);
	mock_unpin(loose);
	KUNIT_EXPECT_EQ(test, loose->pin_count, 0);
	KUNIT_EXPECT_EQ(test, loose->map_count, 0);
	KUNIT_EXPECT_EQ(test, fixed->map_count, 0);

	buf->fail[MOCK_PIN] = -ENOMEM;
	buf->fail[MOCK_MAP] = -ENOMEM;
	KUNIT_EXPECT_EQ(test, mock_pin(loose), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, IS_ERR(mock_map(loose, DMA_TO_DEVICE)));
	KUNIT_EXPECT_EQ(test, loose->pin_count, 0);
	KUNIT_EXPECT_EQ(test, loose->core_pin_count, 0);
	KUNIT_EXPECT_EQ(test, loose->map_count, 0);
}

static struct kunit_case dma_buf_beyond_cases[] = {
	KUNIT_CASE(fd_is_installed_last),
	KUNIT_CASE(file_tells_the_buffer),
	KUNIT_CASE(invalidate_is_move_notify),
	KUNIT_CASE(revocable_is_who_is_told),
	KUNIT_CASE(cpu_attaches),
	KUNIT_CASE(cpu_is_in_bufinfo),
	KUNIT_CASE(cpu_is_told_of_moves),
	KUNIT_CASE_PARAM(attachment_and_mapping_at_once, at_once_gen_params),
	KUNIT_CASE(no_attachment_without_its_mapping),
	KUNIT_CASE(memory_of_an_attachment_is_kept),
	KUNIT_CASE(device_goes),
	KUNIT_CASE(device_goes_meanwhile),
	KUNIT_CASE_PARAM(peer_without_a_path, peer_gen_params),
	KUNIT_CASE(peer_on_no_bus),
	KUNIT_CASE(peer_with_a_path),
	KUNIT_CASE(peer_is_refused),
	KUNIT_CASE(counts_follow_the_calls),
	{}
};

static struct kunit_suite dma_buf_beyond_suite = {
	.name = "dma_buf_beyond",
	.test_cases = dma_buf_beyond_cases,
};

kunit_test_suite(dma_buf_beyond_suite);
