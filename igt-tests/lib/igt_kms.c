// SPDX-License-Identifier: MIT
/* Properties of KMS objects. */

#include "igt_core.h"
#include "igt_kms.h"

static bool is_named(int fd, uint32_t id, const char *name,
		     struct _drmModeProperty **prop)
{
	*prop = drmModeGetProperty(fd, id);
	if (*prop && strcmp((*prop)->name, name) == 0)
		return true;
	drmModeFreeProperty(*prop);
	return false;
}

bool kmstest_get_property(int drm_fd, uint32_t object_id, uint32_t object_type,
			  const char *name, uint32_t *prop_id, uint64_t *value,
			  struct _drmModeProperty **prop)
{
	drmModeObjectPropertiesPtr all;
	struct _drmModeProperty *one = NULL;
	uint32_t i;
	bool found;

	all = drmModeObjectGetProperties(drm_fd, object_id, object_type);
	if (!all)
		return false;
	for (i = 0; i < all->count_props; i++)
		if (is_named(drm_fd, all->props[i], name, &one))
			break;
	found = i < all->count_props;
	if (found && prop_id)
		*prop_id = one->prop_id;
	if (found && value)
		*value = all->prop_values[i];
	if (found && prop)
		*prop = one;
	else if (found)
		drmModeFreeProperty(one);
	drmModeFreeObjectProperties(all);
	return found;
}
