/* SPDX-License-Identifier: MIT */
#ifndef IGT_KMOD_H
#define IGT_KMOD_H

/* 0 if the module is there now. Options only count where it was not. */
int igt_kmod_load(const char *mod_name, const char *opts);

#endif
