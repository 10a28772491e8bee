/* SPDX-License-Identifier: MIT */
/* DRM devices by the name of their driver: IGT has masks for few of them only. */
#ifndef CARDS_H
#define CARDS_H

/* The drivers that need no hardware, vgem and vkms, unless --device names others. */
void cards_load(void);

/* The i-th card of the machine, or of --device; -1 if it is not there. */
int __card_open(int i);

/* The first card of a driver; skips where there is none. */
int card_open(const char *driver);
int card_open_master(const char *driver);

#endif
