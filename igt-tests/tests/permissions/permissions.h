/* SPDX-License-Identifier: MIT */
/* prime_permissions: who may do what with a buffer that two devices share. */
#ifndef PERMISSIONS_H
#define PERMISSIONS_H

#include "../endpoint.h"

struct permission_test {
	const char *name, *describe;
	void (*run)(const struct endpoint *exporter,
		    const struct endpoint *importer);
	bool displays; /* only where the importer is one */
};

/* Each ends with an entry without a name. */
extern const struct permission_test user_tests[], lease_tests[], mode_tests[];

#endif
