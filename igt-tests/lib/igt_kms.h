/* SPDX-License-Identifier: MIT */
#ifndef IGT_KMS_H
#define IGT_KMS_H

#include <stdbool.h>
#include <stdint.h>
#include <xf86drmMode.h>

/*
 * A property of an object by its name. Each result is optional; who takes the
 * property itself frees it with drmModeFreeProperty().
 */
bool kmstest_get_property(int drm_fd, uint32_t object_id, uint32_t object_type,
			  const char *name, uint32_t *prop_id, uint64_t *value,
			  struct _drmModeProperty **prop);

#endif
