/* SPDX-License-Identifier: MIT */
/* Modules: loaded with modprobe, unloaded at once or not at all. */
#ifndef IGT_KMOD_H
#define IGT_KMOD_H

#include <stdbool.h>

bool igt_kmod_is_loaded(const char *mod_name);
/*
 * Options as modprobe takes them, or NULL; they count only where the module was not
 * there. Both return 0 or a negative errno.
 */
int igt_kmod_load(const char *mod_name, const char *opts);
int igt_kmod_unload(const char *mod_name);

#endif
