// SPDX-License-Identifier: MIT

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "igt.h"

#include "configured.h"
#include "endpoint.h"
#include "text_file.h"

#define CONFIGFS "/sys/kernel/config/vgem"

static void attribute_path(char *path, size_t size, const char *name,
			   const char *attribute)
{
	snprintf(path, size, CONFIGFS "/igt-%s/%s", name, attribute);
}

int configured_write(const char *name, const char *attribute, const char *text)
{
	char path[96];

	attribute_path(path, sizeof(path), name, attribute);
	return text_file_write(path, text);
}

void configured_read(const char *name, const char *attribute, char *text,
		     size_t size)
{
	char path[96];
	FILE *file;

	attribute_path(path, sizeof(path), name, attribute);
	file = fopen(path, "re");
	igt_assert_f(file, "%s: %m\n", path);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

void configured_require(void)
{
	igt_require_f(access(CONFIGFS, W_OK) == 0,
		      "this vgem is not in configfs\n");
}

bool configured_has_constraints(void)
{
	char path[96];
	bool has;

	if (access(CONFIGFS, W_OK))
		return false;
	attribute_path(path, sizeof(path), "probe", "");
	do_or_die(mkdir(path, 0755));
	attribute_path(path, sizeof(path), "probe", "constraints");
	has = access(path, F_OK) == 0;
	configured_remove("probe");
	return has;
}

void configured_require_constraints(void)
{
	configured_require();
	igt_require_f(configured_has_constraints(),
		      "this vgem has no constraints\n");
}

static void make(const char *name)
{
	char path[96];

	/* of a subtest that has failed before it removed it */
	configured_remove(name);
	attribute_path(path, sizeof(path), name, "");
	do_or_die(mkdir(path, 0755));
}

/* A file of the device that is described. */
static int enable(const char *name)
{
	char path[96], card[32];
	int fd;

	igt_assert_eq(configured_write(name, "enable", "1"), 0);
	configured_read(name, "card", card, sizeof(card));
	card[strcspn(card, "\n")] = '\0';
	snprintf(path, sizeof(path), "/dev/dri/%s", card);
	fd = open(path, O_RDWR | O_CLOEXEC);
	igt_assert_fd(fd);

	return fd;
}

int configured_device(const char *name, const char *constraints,
		      uint64_t dma_mask)
{
	char mask[32];
	int ret;

	make(name);
	if (constraints) {
		ret = configured_write(name, "constraints", constraints);
		igt_assert_eq(ret, 0);
	}
	if (dma_mask) {
		snprintf(mask, sizeof(mask), "0x%" PRIx64, dma_mask);
		igt_assert_eq(configured_write(name, "dma_mask", mask), 0);
	}

	return enable(name);
}

int configured_noncoherent(const char *name)
{
	make(name);
	igt_assert_eq(configured_write(name, "noncoherent", "1"), 0);

	return enable(name);
}

void configured_remove(const char *name)
{
	char path[96];

	attribute_path(path, sizeof(path), name, "");
	rmdir(path);
}

void configured_verify(int fd, int dmabuf, struct configured_import *import)
{
	const unsigned long inode = dmabuf_inode(dmabuf);
	unsigned long other;
	char path[96], line[256];
	struct stat st;
	FILE *file;

	do_or_die(fstat(fd, &st));
	snprintf(path, sizeof(path), "%s/dri/%u/vgem_imports",
		 igt_debugfs_mount(), minor(st.st_rdev));
	file = fopen(path, "re");
	igt_assert_f(file, "%s: %m\n", path);
	while (fgets(line, sizeof(line), file)) {
		memset(import, 0, sizeof(*import));
		if (sscanf(line,
			   "inode %lu size %*u entries %u up to %" SCNx64
			   ": %31[^\n]",
			   &other, &import->entries, &import->highest,
			   import->verdict) == 4 &&
		    other == inode) {
			fclose(file);
			return;
		}
		if (sscanf(line, "inode %lu size %*u %31[^\n]", &other,
			   import->verdict) == 2 &&
		    other == inode) {
			fclose(file);
			return;
		}
	}
	igt_assert_f(false, "%s does not list inode %lu\n", path, inode);
}
