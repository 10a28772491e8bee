// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: tests of declared constraints
 *
 * What a driver declares counts while it is there, and what an administrator
 * writes, until he takes it back. The file of the administrator is read and
 * written as he would; where debugfs is not mounted, those cases are skipped.
 */

#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include <kunit/device.h>

#include "dma_buf_party.h"

#define RULES "/sys/kernel/debug/dma_buf/constraints"
/* The pattern of these tests, which no other device matches. */
#define SOME	  "*.declare_test_*"
#define SOME_DEV  "declare_test_a"
#define OTHER_DEV "declare_other"

static struct dma_buf_constraints need_of(struct kunit *test,
					  struct device *dev)
{
	struct mock_buffer *buf = mock_export_new(test, MOCK_STATIC);
	struct dma_buf_constraints need;
	struct dma_buf_attachment *attach;

	attach = mock_attach(buf, dev, NULL);
	need = attach->needs->declared;
	mock_detach(buf, attach);
	return need;
}

/* Succeeds if a driver's declarations count together, for its device alone. */
static void driver_declares(struct kunit *test)
{
	struct dma_buf_constraints low = mock_below(DMA_BIT_MASK(30));
	struct dma_buf_constraints one = mock_one_piece();
	struct device *dev = mock_device(test, "declares");
	struct device *other = mock_device(test, "other");
	struct dma_buf_constraints need;

	KUNIT_EXPECT_EQ(test, devm_dma_buf_declare_constraints(dev, &one), 0);
	KUNIT_EXPECT_EQ(test, devm_dma_buf_declare_constraints(dev, &low), 0);

	need = need_of(test, dev);
	KUNIT_EXPECT_EQ(test, need.max_segments, 1);
	KUNIT_EXPECT_EQ(test, need.dma_mask, DMA_BIT_MASK(30));
	need = need_of(test, other);
	KUNIT_EXPECT_EQ(test, need.max_segments, UINT_MAX);
	KUNIT_EXPECT_EQ(test, need.dma_mask, U64_MAX);
}

/* Succeeds if an exporter is told what was declared, on top of what it knows. */
static void exporter_asks(struct kunit *test)
{
	struct dma_buf_constraints c = mock_below(DMA_BIT_MASK(30));
	struct dma_buf_constraints one = mock_one_piece();
	struct device *dev = mock_device(test, "declares");

	dma_buf_declared_for(dev, &c);
	KUNIT_EXPECT_EQ(test, c.max_segments, UINT_MAX);
	KUNIT_EXPECT_TRUE(test, dma_buf_device_is_undemanding(dev));

	KUNIT_ASSERT_EQ(test, devm_dma_buf_declare_constraints(dev, &one), 0);
	KUNIT_EXPECT_FALSE(test, dma_buf_device_is_undemanding(dev));
	dma_buf_declared_for(dev, &c);
	KUNIT_EXPECT_EQ(test, c.max_segments, 1);
	KUNIT_EXPECT_EQ(test, c.dma_mask, DMA_BIT_MASK(30));
}

/* Succeeds if a declaration that cannot be meant is -EINVAL, and not made. */
static void driver_declares_nonsense(struct kunit *test)
{
	struct dma_buf_constraints c = DMA_BUF_CONSTRAINTS_ANY;
	struct device *dev = mock_device(test, "declares");

	c.max_segments = 0;
	KUNIT_EXPECT_EQ(test, devm_dma_buf_declare_constraints(dev, &c),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, need_of(test, dev).max_segments, UINT_MAX);
}

static void rules_close(void *file)
{
	__fput_sync(file);
}

static struct file *rules_open(struct kunit *test)
{
	struct file *file = filp_open(RULES, O_RDWR, 0);

	if (IS_ERR(file))
		kunit_skip(test, "no " RULES);
	mock_defer(test, rules_close, file);
	return file;
}

static ssize_t rules_write(struct kunit *test, const char *text)
{
	void __user *page = mock_user_page(test);
	struct file *file = rules_open(test);
	size_t size = strlen(text);
	loff_t pos = 0;
	ssize_t n;

	KUNIT_ASSERT_EQ(test, copy_to_user(page, text, size), 0);
	n = file->f_op->write(file, page, size, &pos);
	kunit_release_action(test, rules_close, file);
	return n < 0 ? n : n == size ? 0 : -EIO;
}

static const char *rules_read(struct kunit *test)
{
	void __user *page = mock_user_page(test);
	struct file *file = rules_open(test);
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	loff_t pos = 0;
	ssize_t n;

	KUNIT_ASSERT_NOT_NULL(test, text);
	n = file->f_op->read(file, page, PAGE_SIZE - 1, &pos);
	KUNIT_ASSERT_GE(test, n, 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(text, page, n), 0);
	kunit_release_action(test, rules_close, file);
	return text;
}

/* Succeeds if a line counts for devices that match, until it is taken back. */
static void administrator_declares(struct kunit *test)
{
	struct device *other = mock_device(test, OTHER_DEV);
	struct device *dev = mock_device(test, SOME_DEV);
	struct dma_buf_constraints need;

	KUNIT_ASSERT_EQ(test,
			rules_write(test, SOME " segments=1,mask=0xffff\n"), 0);
	KUNIT_EXPECT_FALSE(test, dma_buf_device_is_undemanding(dev));
	need = need_of(test, dev);
	KUNIT_EXPECT_EQ(test, need.max_segments, 1);
	KUNIT_EXPECT_EQ(test, need.dma_mask, 0xffff);
	KUNIT_EXPECT_EQ(test, need_of(test, other).max_segments, UINT_MAX);
	KUNIT_EXPECT_NOT_NULL(test, strstr(rules_read(test),
					   SOME " mask=0xffff,segments=1\n"));

	KUNIT_EXPECT_EQ(test, rules_write(test, SOME " -"), 0);
	KUNIT_EXPECT_EQ(test, need_of(test, dev).max_segments, UINT_MAX);
	KUNIT_EXPECT_NULL(test, strstr(rules_read(test), SOME));
}

/* Succeeds if a second line for a pattern takes the place of the first. */
static void administrator_changes_his_mind(struct kunit *test)
{
	struct device *dev = mock_device(test, SOME_DEV);
	const char *first, *text;

	KUNIT_ASSERT_EQ(test, rules_write(test, SOME " segments=1"), 0);
	KUNIT_ASSERT_EQ(test, rules_write(test, SOME " segments=7"), 0);
	KUNIT_EXPECT_EQ(test, need_of(test, dev).max_segments, 7);

	text = rules_read(test);
	first = strstr(text, SOME);
	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_EXPECT_NULL(test, strstr(first + 1, SOME));
	KUNIT_EXPECT_EQ(test, rules_write(test, SOME " -"), 0);
}

/* Succeeds if lines of several patterns count together. */
static void administrator_declares_twice(struct kunit *test)
{
	struct device *dev = mock_device(test, SOME_DEV);
	struct dma_buf_constraints need;

	KUNIT_ASSERT_EQ(test,
			rules_write(test,
				    SOME " segments=1 ;\n"
					 "# nothing\n"
					 "\t*" SOME_DEV "\tmask=0xffff\n"),
			0);
	need = need_of(test, dev);
	KUNIT_EXPECT_EQ(test, need.max_segments, 1);
	KUNIT_EXPECT_EQ(test, need.dma_mask, 0xffff);
	KUNIT_EXPECT_EQ(test, rules_write(test, "*" SOME_DEV " -;" SOME " -"),
			0);
}

/**
 * struct source - one of those from whom the core knows what a device needs
 * @name: who it is
 * @needs: what is said, as it has to be shown
 * @said_by: says it of @dev, and attaches
 */
struct source {
	const char *name;
	const char *needs;
	struct dma_buf_attachment *(*said_by)(struct mock_buffer *buf,
					      struct device *dev,
					      const struct dma_buf_constraints *c);
};

static struct dma_buf_attachment *
said_by_dma_api(struct mock_buffer *buf, struct device *dev,
		const struct dma_buf_constraints *c)
{
	KUNIT_ASSERT_EQ(buf->test, dma_set_mask(dev, c->dma_mask), 0);
	return mock_party_attach_dev(buf, dev, NULL, NULL);
}

static struct dma_buf_attachment *
said_by_importer(struct mock_buffer *buf, struct device *dev,
		 const struct dma_buf_constraints *c)
{
	return mock_party_attach_dev(buf, dev, NULL, c);
}

static struct dma_buf_attachment *
said_by_driver(struct mock_buffer *buf, struct device *dev,
	       const struct dma_buf_constraints *c)
{
	KUNIT_ASSERT_EQ(buf->test, devm_dma_buf_declare_constraints(dev, c), 0);
	return mock_party_attach_dev(buf, dev, NULL, NULL);
}

static struct dma_buf_attachment *
said_by_administrator(struct mock_buffer *buf, struct device *dev,
		      const struct dma_buf_constraints *c)
{
	char needs[DMA_BUF_CONSTRAINTS_TEXT_SIZE], line[256];
	struct dma_buf_attachment *attach;

	dma_buf_constraints_print(needs, sizeof(needs), c);
	snprintf(line, sizeof(line), SOME " %s", needs);
	KUNIT_ASSERT_EQ(buf->test, rules_write(buf->test, line), 0);
	attach = mock_party_attach_dev(buf, dev, NULL, NULL);
	KUNIT_EXPECT_EQ(buf->test, rules_write(buf->test, SOME " -"), 0);
	return attach;
}

/* As the bridge does when a driver has refused the table. */
static struct dma_buf_attachment *
said_by_refusal(struct mock_buffer *buf, struct device *dev,
		const struct dma_buf_constraints *c)
{
	struct dma_buf_attachment *attach;

	attach = mock_party_attach_dev(buf, dev, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(buf->test, attach);
	KUNIT_EXPECT_EQ(buf->test, dma_buf_attachment_constrain(attach, c), 0);
	return attach;
}

static const struct source sources[] = {
	{ "the DMA API", "mask=0xffffffffff", said_by_dma_api },
	{ "the importer", "segment-size=65536,segments=7", said_by_importer },
	{ "the driver", "align=8192", said_by_driver },
	{ "the administrator", "boundary=0xffff,segments=3",
	  said_by_administrator },
	{ "a refusal", "segments=1", said_by_refusal },
};

KUNIT_ARRAY_PARAM_DESC(source, sources, name);

/* Succeeds if what a device needs is in both files, whoever has said it. */
static void source_is_shown(struct kunit *test)
{
	const struct source *p = test->param_value;
	struct device *dev = mock_device(test, SOME_DEV);
	struct mock_buffer *buf = mock_party(test)->buf;
	struct dma_buf_attachment *attach;
	struct dma_buf_constraints c;
	char line[256];
	const char *row;

	KUNIT_ASSERT_EQ(test, dma_buf_constraints_parse(p->needs, &c), 0);
	attach = p->said_by(buf, dev, &c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);

	row = mock_bufinfo_row(buf, mock_bufinfo(test), "<none>");
	KUNIT_ASSERT_NOT_NULL(test, row);
	snprintf(line, sizeof(line),
		 "\n\t%s\n\t\tmapped 0, pinned 0\n\t\tneeds %s\n",
		 dev_name(dev), p->needs);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(row, line), "%s", row);
	snprintf(line, sizeof(line), "\tNeeds %s,domains=system, moved",
		 p->needs);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(row, line), "%s", row);

	snprintf(line, sizeof(line), "\nattached:\t%s %s\n", dev_name(dev),
		 p->needs);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(mock_fdinfo(buf), line), "%s",
				  mock_fdinfo(buf));
	snprintf(line, sizeof(line), "\nconstraints:\t%s,domains=system\n",
		 p->needs);
	KUNIT_EXPECT_NOT_NULL(test, strstr(mock_fdinfo(buf), line));
}

struct mistake {
	const char *text;
	int err;
};

static const struct mistake mistakes[] = {
	{ SOME, -EINVAL },
	{ SOME " ", -EINVAL },
	{ SOME " segments", -EINVAL },
	{ SOME " segments=", -EINVAL },
	{ SOME " segments=one", -EINVAL },
	{ SOME " segments=0", -EINVAL },
	{ SOME " segments=1,segments=1", -EINVAL },
	{ SOME " segments=1 mask=0xffff", -EINVAL },
	{ SOME " colour=1", -EINVAL },
	{ SOME " align=3", -EINVAL },
	{ SOME " --", -EINVAL },
	{ SOME " segments=1\n" OTHER_DEV " segments=x\n", -EINVAL },
	{ SOME " segments=1\n" OTHER_DEV " -\n", -ENOENT },
	{ SOME " -", -ENOENT },
};

static void mistake_name(const struct mistake *mistake, char *name)
{
	strscpy(name, mistake->text, KUNIT_PARAM_DESC_SIZE);
	strreplace(name, '\n', ';');
}

KUNIT_ARRAY_PARAM(mistake, mistakes, mistake_name);

/* Succeeds if a mistake in one line is an error, and no line of it counts. */
static void administrator_is_mistaken(struct kunit *test)
{
	const struct mistake *p = test->param_value;
	const char *before = rules_read(test);

	KUNIT_EXPECT_EQ(test, rules_write(test, p->text), p->err);
	KUNIT_EXPECT_STREQ(test, rules_read(test), before);
}

/* Succeeds if what cannot be read, or is too much, is an error. */
static void write_that_is_no_text(struct kunit *test)
{
	void __user *page = mock_user_page(test);
	struct file *file = rules_open(test);
	loff_t pos = 0;

	KUNIT_EXPECT_EQ(test, file->f_op->write(file, page, SZ_4K + 1, &pos),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, file->f_op->write(file, NULL, 8, &pos), -EFAULT);
}

/* Succeeds if a driver's lines are listed, and gone with its device. */
static void driver_is_listed_while_it_is_there(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct device *dev = mock_device(test, SOME_DEV);
	char line[96];

	snprintf(line, sizeof(line), "# %s segments=1\n", dev_name(dev));
	KUNIT_EXPECT_EQ(test, devm_dma_buf_declare_constraints(dev, &one), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(rules_read(test), line));
	kunit_device_unregister(test, dev);
	KUNIT_EXPECT_NULL(test, strstr(rules_read(test), SOME_DEV));
}

/* Succeeds if what is read can be written back, and changes nothing. */
static void list_can_be_written_back(struct kunit *test)
{
	struct dma_buf_constraints one = mock_one_piece();
	struct device *dev = mock_device(test, OTHER_DEV);
	const char *text;

	KUNIT_EXPECT_EQ(test, devm_dma_buf_declare_constraints(dev, &one), 0);
	KUNIT_ASSERT_EQ(test, rules_write(test, SOME " align=8192"), 0);
	text = rules_read(test);
	KUNIT_EXPECT_EQ(test, rules_write(test, text), 0);
	KUNIT_EXPECT_STREQ(test, rules_read(test), text);
	KUNIT_EXPECT_EQ(test, rules_write(test, SOME " -"), 0);
}

static struct kunit_case dma_buf_declare_cases[] = {
	KUNIT_CASE(driver_declares),
	KUNIT_CASE(exporter_asks),
	KUNIT_CASE(driver_declares_nonsense),
	KUNIT_CASE(administrator_declares),
	KUNIT_CASE_PARAM(source_is_shown, source_gen_params),
	KUNIT_CASE(administrator_changes_his_mind),
	KUNIT_CASE(administrator_declares_twice),
	KUNIT_CASE_PARAM(administrator_is_mistaken, mistake_gen_params),
	KUNIT_CASE(write_that_is_no_text),
	KUNIT_CASE(driver_is_listed_while_it_is_there),
	KUNIT_CASE(list_can_be_written_back),
	{}
};

static struct kunit_suite dma_buf_declare_suite = {
	.name = "dma_buf_declare",
	.test_cases = dma_buf_declare_cases,
};

kunit_test_suite(dma_buf_declare_suite);
