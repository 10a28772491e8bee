/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files under test, and what of the kernel is built with them, want of
 * a kernel and neither libc nor the kernel's tools/include has.  Included before
 * all else.
 */
#ifndef SHIM_H
#define SHIM_H

/* As on x86 with peer-to-peer DMA: most fields, most branches. */
#define CONFIG_NEED_SG_DMA_LENGTH
#define CONFIG_NEED_SG_DMA_FLAGS

#include <asm/bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/types.h>

/* The kernel's are long long everywhere, those of its tools long. */
#define u64 unsigned long long
#define s64 long long

typedef u64 dma_addr_t;

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

/* Named by what nobody calls: there is no page, and no other address space. */
struct page {
	unsigned long flags;
};

struct folio {
	struct page page;
};

unsigned long offset_in_page(const void *address);
phys_addr_t page_to_phys(struct page *page);
void *page_address(struct page *page);
struct page *nth_page(struct page *page, unsigned long n);
struct page *virt_to_page(const void *address);
bool virt_addr_valid(const void *address);
unsigned long copy_from_user(void *to, const void *from, unsigned long n);

#endif
