/* SPDX-License-Identifier: MIT */
/* Making allocations of the kernel fail, for this process alone. */
#ifndef FAULT_INJECTION_H
#define FAULT_INJECTION_H

#include <stdbool.h>

/* Skips, with the reason, where the kernel has no fault injection. */
void faults_require(void);

/* Once in each process, before it arms. */
void faults_open(void);

/* The nth allocation from now on fails, with rest also all later ones. */
void faults_arm(unsigned int nth, bool rest);
/* Whether there was an nth allocation. From now on none fails. */
bool faults_disarm(void);

/* Allocations below this function of the kernel do not fail, nor count. */
void faults_spare(const char *function);
void faults_spare_none(void);

#endif
