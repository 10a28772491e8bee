// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of what is shown of negotiation
 *
 * What devices need, and which storage that is for, is in bufinfo and in the fdinfo of a
 * buffer, as far as the exporter takes part.
 */

#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "dma_buf_party.h"

/* Succeeds if bufinfo has a line more for the buffer and for each device. */
static void bufinfo_tells_the_needs(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct dma_buf_constraints low = mock_below(DMA_BIT_MASK(30));
	struct mock_party *party = mock_party(test);
	struct mock_buffer *buf = party->buf;
	static const char of_both[] =
		"\tNeeds mask=0x3fffffff,segments=1,domains=system, moved 1 times\n";
	struct dma_buf_attachment *a, *b;
	const char *row;
	char line[192];

	a = mock_party_attach(buf, "a", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
	buf->fail[MOCK_CONSTRAIN] = -EAGAIN;
	b = mock_party_attach(buf, "b", NULL, &low);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);

	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	row = strchr(row + 1, '\n') + 1;
	KUNIT_EXPECT_TRUE(test, !strncmp(row, of_both, strlen(of_both)));
	snprintf(line, sizeof(line),
		 "\t%s\n\t\tmapped 0, pinned 0\n\t\tneeds segments=1\n",
		 dev_name(a->dev));
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, line));
	snprintf(line, sizeof(line),
		 "\t%s\n\t\tmapped 0, pinned 0\n\t\tneeds mask=0x3fffffff\n",
		 dev_name(b->dev));
	KUNIT_EXPECT_NOT_NULL(test, strstr(row, line));
}

/*
 * Succeeds if bufinfo tells the needs of devices at any exporter's buffer, and
 * is as it was for those that have none.
 */
static void bufinfo_of_an_exporter_that_does_not_ask(struct kunit *test)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_constraints one = mock_one_piece();
	struct dma_buf_attachment *plain, *picky;
	const char *row, *end;
	char line[192];

	plain = mock_party_attach(buf, "plain", NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, plain);
	picky = mock_party_attach(buf, "picky", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, picky);
	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	end = strstr(row, " devices attached");
	KUNIT_ASSERT_NOT_NULL(test, end);

	snprintf(line, sizeof(line),
		 "\t%s\n\t\tmapped 0, pinned 0\n\t\tneeds segments=1\n"
		 "\t%s\n\t\tmapped 0, pinned 0\nTotal 2",
		 dev_name(picky->dev), dev_name(plain->dev));
	KUNIT_EXPECT_NOT_NULL(test, strnstr(row, line, end - row));
	KUNIT_EXPECT_NULL(test, strnstr(row, "\tNeeds ", end - row));
}

/* Succeeds if fdinfo has the needs, where the exporter takes part. */
static void fdinfo_tells_the_needs(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	static const char of_all[] =
		"\nconstraints:\tsegments=1,domains=system\n";
	struct mock_party *party = mock_party(test);
	struct dma_buf_attachment *attach;
	const char *text;
	char line[96];

	text = mock_fdinfo(party->buf);
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(text, "\nconstraints:\tany\nmoves:\t0\n"));

	attach = mock_party_attach(party->buf, "importer", NULL, &one);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	text = mock_fdinfo(party->buf);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, of_all));
	snprintf(line, sizeof(line), "\nattached:\t%s segments=1\n",
		 dev_name(attach->dev));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, line));

	text = mock_fdinfo(mock_export_new(test, MOCK_STATIC));
	KUNIT_EXPECT_NULL(test, strstr(text, "\nconstraints:"));
}

/*
 * Succeeds if a reader whom a signal reaches, while somebody has the lock, gets what
 * fdinfo has without it, and all of it the next time.
 */
static void fdinfo_is_interrupted(struct kunit *test)
{
	struct mock_buffer *buf = mock_party(test)->buf;
	struct mock_keeper keeper;
	const char *text;

	mock_signal_raise(test);
	mock_keep_lock(&keeper, buf);
	text = mock_fdinfo(buf);
	mock_signal_clear();
	mock_leave_lock(&keeper);

	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nexp_name:\t"));
	KUNIT_EXPECT_NULL(test, strstr(text, "\nconstraints:"));
	KUNIT_EXPECT_NULL(test, strstr(text, "\nmoves:"));
	KUNIT_EXPECT_EQ(test, mock_moves(buf), 0);
}

static const char *kind_of_paper(struct dma_buf *dmabuf)
{
	struct mock_buffer *buf = dmabuf->priv;

	KUNIT_EXPECT_TRUE(buf->test, dma_resv_is_locked(dmabuf->resv));
	return "paper";
}

static bool bufinfo_has(struct mock_buffer *buf, const char *line)
{
	const char *row, *end;

	row = mock_bufinfo_row(buf, mock_bufinfo(buf->test), "<none>");
	KUNIT_ASSERT_NOT_NULL(buf->test, row);
	end = strstr(row, " devices attached");
	KUNIT_ASSERT_NOT_NULL(buf->test, end);
	return strnstr(row, line, end - row);
}

/*
 * Succeeds if both files have the exporter's word for its storage, whether it takes
 * part or not, and until that is taken away; nothing if it has none.
 */
static void storage_is_told(struct kunit *test)
{
	struct mock_buffer *asks = mock_party(test)->buf;
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);

	KUNIT_EXPECT_NULL(test, strstr(mock_fdinfo(asks), "storage:"));
	KUNIT_EXPECT_FALSE(test, bufinfo_has(asks, "\tStorage"));
	KUNIT_EXPECT_NULL(test, strstr(mock_fdinfo(buf), "storage:"));
	KUNIT_EXPECT_FALSE(test, bufinfo_has(buf, "\tStorage"));

	asks->ops.storage_kind = kind_of_paper;
	buf->ops.storage_kind = kind_of_paper;
	KUNIT_EXPECT_NOT_NULL(test, strstr(mock_fdinfo(asks),
					   "\nstorage:\tpaper\nconstraints:"));
	KUNIT_EXPECT_TRUE(test, bufinfo_has(asks, "\n\tStorage paper\n"));
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(mock_fdinfo(buf), "\nstorage:\tpaper\n"));
	KUNIT_EXPECT_TRUE(test, bufinfo_has(buf, "\n\tStorage paper\n"));

	dma_buf_revoke(buf->dmabuf);
	KUNIT_EXPECT_NULL(test, strstr(mock_fdinfo(buf), "storage:"));
	KUNIT_EXPECT_FALSE(test, bufinfo_has(buf, "\tStorage"));
}

static struct kunit_case dma_buf_need_shown_cases[] = {
	KUNIT_CASE(bufinfo_tells_the_needs),
	KUNIT_CASE(bufinfo_of_an_exporter_that_does_not_ask),
	KUNIT_CASE(fdinfo_tells_the_needs),
	KUNIT_CASE(fdinfo_is_interrupted),
	KUNIT_CASE(storage_is_told),
	{}
};

static struct kunit_suite dma_buf_need_shown_suite = {
	.name = "dma_buf_need_shown",
	.test_cases = dma_buf_need_shown_cases,
};

kunit_test_suite(dma_buf_need_shown_suite);
