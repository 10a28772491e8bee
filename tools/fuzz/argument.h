/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers, flags and pointers as a step asks for them, good or bad.
 */
#ifndef FUZZ_ARGUMENT_H
#define FUZZ_ARGUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t number(uint16_t value);
uint64_t choose_bits(uint8_t selector, uint16_t value, const uint64_t *bits,
		     size_t count);
#define CHOOSE_BITS(step_, selector_, ...)                                    \
	choose_bits(                                                          \
		selector_, (step_)->value, (const uint64_t[]){ __VA_ARGS__ }, \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

uint8_t *argument_pages(void);
void *argument_place(const void *data, size_t size);
bool argument_fetch(void *data, size_t size);
bool argument_is_anything(void);
unsigned long argument_bend(unsigned long cmd);
long call_ioctl(int fd, unsigned long cmd, void *data, size_t size);
long call_ioctl_blocking(int fd, unsigned long cmd, void *data, size_t size);

#endif
