/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DMA_BUF_MOCK_H
#define DMA_BUF_MOCK_H

#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#define MOCK_PAGES 4
#define MOCK_SIZE  (MOCK_PAGES * PAGE_SIZE)
#define MOCK_LOG   64
#define MOCK_TEXT  512

/* Every callback the core can make, into the exporter or into the importer. */
enum mock_op {
	MOCK_ATTACH,
	MOCK_DETACH,
	MOCK_PIN,
	MOCK_UNPIN,
	MOCK_MAP,
	MOCK_UNMAP,
	MOCK_BEGIN,
	MOCK_END,
	MOCK_MMAP,
	MOCK_VMAP,
	MOCK_VUNMAP,
	MOCK_RELEASE,
	MOCK_MOVE,
	MOCK_CONSTRAIN,
	MOCK_RELOCATE,
	MOCK_OPS
};

/**
 * enum mock_kind - what an exporter promises with its dma_buf_ops
 * @MOCK_STATIC: all optional callbacks, but no pin
 * @MOCK_CACHED: as MOCK_STATIC, with cache_sgt_mapping
 * @MOCK_DYNAMIC: as MOCK_STATIC, with pin and unpin
 * @MOCK_MINIMAL: map, unmap and release alone
 */
enum mock_kind {
	MOCK_STATIC,
	MOCK_CACHED,
	MOCK_DYNAMIC,
	MOCK_MINIMAL,
};

/**
 * struct mock_call - one callback, as it arrived
 * @op: which one
 * @attach: the attachment it was for, NULL for calls on the whole buffer
 * @sgt: the table that was handed out or back
 * @dir: direction, DMA_NONE if the callback has none
 * @err: what the callback answered
 * @locked: whether the reservation lock was held on entry
 */
struct mock_call {
	enum mock_op op;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	int err;
	bool locked;
};

/**
 * struct mock_buffer - an exporter's object, and the log of its callbacks
 *
 * Set @ops, @resv, @size, @flags, @exp_name between mock_buffer_new() and
 * mock_export(), the rest at any time. The test holds one reference and the
 * dma-buf another, so a dma-buf that outlives a failed case does no harm.
 */
struct mock_buffer {
	/** @test: the running case */
	struct kunit *test;
	/** @ref: the test's reference and the dma-buf's */
	struct kref ref;
	/** @dmabuf: NULL until exported */
	struct dma_buf *dmabuf;

	/** @ops: this buffer's own copy, so that a case can take members out */
	struct dma_buf_ops ops;
	/** @resv: the exporter's own reservation object, NULL for the core's */
	struct dma_resv *resv;
	/** @size: bytes, at most MOCK_SIZE */
	size_t size;
	/** @flags: file flags of the export */
	int flags;
	/** @exp_name: the exporter's name in bufinfo and fdinfo */
	const char *exp_name;

	/** @fail: errno for each callback, 0 to succeed */
	int fail[MOCK_OPS];
	/** @fail_at: the one callback to fail, see mock_fail_at(); 0 for none */
	unsigned int fail_at;
	/** @fail_with: errno for it */
	int fail_with;
	/** @map_returns_null: answer map_dma_buf with NULL */
	bool map_returns_null;
	/** @vmap_iomem: hand out the vmap as I/O memory */
	bool vmap_iomem;
	/** @vmap_is_null: succeed with vmap, and hand out no address */
	bool vmap_is_null;
	/** @hook: runs inside each callback, after it is logged */
	void (*hook)(struct mock_buffer *buf, const struct mock_call *call);
	/** @hook_data: for @hook */
	void *hook_data;

	/** @table: what the last map callback made */
	struct sg_table *table;
	/** @mmap_pgoff: vm_pgoff that the last mmap callback saw */
	unsigned long mmap_pgoff;
	/** @mmap_file: vm_file that the last mmap callback saw */
	struct file *mmap_file;

	/** @pages: the storage */
	struct page *pages[MOCK_PAGES];
	/** @vaddr: kernel address of @pages */
	void *vaddr;

	/**
	 * @lock: guards the members below. The last reference may go away in
	 * the worker for delayed fput, so release can run beside a test case.
	 */
	spinlock_t lock;
	/** @log: the callbacks since the last mock_calls() */
	struct mock_call log[MOCK_LOG];
	/** @calls: their number, also of those that found @log full */
	unsigned int calls;
	/** @live: what is still to be undone: attachments, pins, maps, vmaps */
	int live[MOCK_OPS];
	/** @foreign_table: unmap was given a table that map never made */
	bool foreign_table;
	/** @owned: the test still holds the reference mock_export() made */
	bool owned;

	/** @released: release has run */
	struct completion released;
	/** @text: what mock_calls() returns */
	char text[MOCK_TEXT];
};

void mock_defer(struct kunit *test, kunit_action_t *action, void *ctx);

struct mock_buffer *mock_buffer_new(struct kunit *test, enum mock_kind kind);
struct dma_buf *mock_try_export(struct mock_buffer *buf);
void mock_export(struct mock_buffer *buf);
struct mock_buffer *mock_export_new(struct kunit *test, enum mock_kind kind);
void mock_past_mainline(struct kunit *test);
int mock_needs_splats(struct kunit *test);
void mock_buffer_drop(struct mock_buffer *buf);
bool mock_wait_released(struct mock_buffer *buf);

void mock_fail_at(struct mock_buffer *buf, unsigned int position, int err);
const char *mock_calls(struct mock_buffer *buf);
unsigned int mock_count(struct mock_buffer *buf, enum mock_op op,
			struct dma_buf_attachment *attach);
int mock_live(struct mock_buffer *buf, enum mock_op op);

/* Importers: they log into the buffer they are attached to. */
extern const struct dma_buf_attach_ops mock_importer;
extern const struct dma_buf_attach_ops mock_importer_p2p;
void mock_log_move(struct dma_buf_attachment *attach);

/* Exporters that take part, see dma_buf_negotiate_mock.c. */
int mock_log_constrain(struct dma_buf *dmabuf, bool move);

struct device *mock_device(struct kunit *test, const char *name);
struct dma_buf_attachment *mock_try_attach(struct mock_buffer *buf,
					   struct device *dev,
					   const struct dma_buf_attach_ops *ops,
					   void *priv);
struct dma_buf_attachment *mock_attach(struct mock_buffer *buf,
				       struct device *dev,
				       const struct dma_buf_attach_ops *ops);
void mock_detach(struct mock_buffer *buf, struct dma_buf_attachment *attach);
struct sg_table *mock_map(struct dma_buf_attachment *attach,
			  enum dma_data_direction dir);
void mock_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		enum dma_data_direction dir);
int mock_pin(struct dma_buf_attachment *attach);
void mock_unpin(struct dma_buf_attachment *attach);
void mock_move(struct mock_buffer *buf);
unsigned int mock_attachments(struct mock_buffer *buf,
			      struct dma_buf_attachment *attach);

/**
 * struct mock_fence - a fence that the test signals
 * @base: must stay first, dma_fence_free() frees it
 * @guard: turns a wait that should not happen into a failure, not a hang
 * @work: signals a fence that mock_fence_on_wait() made
 * @on_wait: whether a waiter starts @work
 * @over: whether it has ended, and nobody knows before somebody waits
 */
struct mock_fence {
	struct dma_fence base;
	/** @lock: what dma_fence guards @base with */
	spinlock_t lock;
	struct timer_list guard;
	struct work_struct work;
	bool on_wait;
	bool over;
};

struct dma_fence *mock_fence(struct kunit *test);
struct dma_fence *mock_fence_on_wait(struct kunit *test);
struct dma_fence *mock_fence_over(struct kunit *test);
void mock_add_fence(struct mock_buffer *buf, struct dma_fence *fence,
		    enum dma_resv_usage usage);
struct dma_fence *mock_new_fence(struct mock_buffer *buf,
				 enum dma_resv_usage usage);

/* While a signal is pending, an interruptible wait returns at once. */
void mock_signal_raise(struct kunit *test);
void mock_signal_clear(void);

/**
 * struct mock_keeper - another thread that keeps the reservation lock
 * @work: that thread
 * @resv: the lock
 * @taken: it has it
 * @enough: it may let go
 */
struct mock_keeper {
	struct work_struct work;
	struct dma_resv *resv;
	struct completion taken;
	struct completion enough;
};

void mock_keep_lock(struct mock_keeper *keeper, struct mock_buffer *buf);
void mock_leave_lock(struct mock_keeper *keeper);

/**
 * struct mock_waiter - one sleeper in poll(), without the sleep
 * @pt: what poll() is called with
 * @wait: our place in the buffer's wait queue
 * @head: that queue, NULL before the first mock_poll()
 * @wakes: how often it was woken
 * @woken_for: the events of all those wakes, as POLLIN and POLLOUT
 */
struct mock_waiter {
	poll_table pt;
	wait_queue_entry_t wait;
	wait_queue_head_t *head;
	atomic_t wakes;
	unsigned int woken_for;
};

struct mock_waiter *mock_waiter(struct kunit *test, unsigned int events);
unsigned int mock_poll(struct mock_buffer *buf, struct mock_waiter *waiter);
void mock_waiter_leave(struct mock_waiter *waiter);

/* File descriptors and memory of the test's thread. */
void __user *mock_user_page(struct kunit *test);
long mock_ioctl(struct mock_buffer *buf, unsigned int cmd, void __user *arg);
void mock_close(int fd);
unsigned long mock_fd_limit(unsigned long limit);

/* What debugfs shows, see dma_buf_registry_test.c. */
const char *mock_bufinfo(struct kunit *test);
const char *mock_bufinfo_row(struct mock_buffer *buf, const char *text,
			     const char *name);

#endif
