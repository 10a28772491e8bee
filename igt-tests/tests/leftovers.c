// SPDX-License-Identifier: MIT
/*
 * What an operation may leave behind: descriptors, handles, buffers, attachments, open
 * files that no descriptor shows, references to modules.
 */

#include <errno.h>
#include <fcntl.h>

#include "igt.h"
#include "igt_vgem.h"

#include "cards.h"
#include "leftovers.h"

int bufinfo_read(char *text, int size)
{
	int fd, len = 0, n;

	fd = open("/sys/kernel/debug/dma_buf/bufinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, text + len, size - 1 - len);
		if (n > 0)
			len += n;
	} while (n > 0);
	n = n < 0 ? -errno : 0;
	close(fd);
	text[len] = 0;
	return n;
}

/* Adds up the numbers behind "Total " in bufinfo, by what they count. */
static void count_buffers(struct leftovers *m)
{
	static char text[65536];
	char *at = text, *line, what[16];
	int n;

	igt_assert_eq(bufinfo_read(text, sizeof(text)), 0);
	while ((line = strsep(&at, "\n"))) {
		if (sscanf(line, "Total %d %15[a-z]", &n, what) != 2)
			continue;
		if (strcmp(what, "objects") == 0)
			m->buffers = n;
		else
			m->attachments += n;
	}
}

/* The lowest alone would not tell: below the one that is lost others are free. */
static int few_more_fds(void)
{
	int fd[16], last;

	for (unsigned int i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = dup(STDERR_FILENO);
		igt_assert_fd(fd[i]);
	}
	last = fd[ARRAY_SIZE(fd) - 1];
	for (unsigned int i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	return last;
}

static uint32_t lowest_free_handle(int fd)
{
	struct vgem_bo bo = { .width = 1, .height = 1, .bpp = 32 };

	vgem_create(fd, &bo);
	gem_close(fd, bo.handle);
	return bo.handle;
}

void leftovers_look(struct leftovers *m,
		    const struct endpoint *const eps[LEFTOVERS_DEVICES])
{
	memset(m, 0, sizeof(*m));
	m->fds = count_open_fds();
	m->fd = few_more_fds();
	count_buffers(m);
	for (unsigned int i = 0; i < LEFTOVERS_DEVICES; i++)
		if (eps[i] && eps[i]->type == ENDPOINT_DRM)
			m->handle[i] = lowest_free_handle(eps[i]->fd);
}

void leftovers_expect_none(const struct leftovers *before,
			   const struct endpoint *const eps[LEFTOVERS_DEVICES])
{
	struct leftovers now;

	leftovers_look(&now, eps);
	igt_assert_eq(now.fds, before->fds);
	igt_assert_eq(now.fd, before->fd);
	igt_assert_eq(now.buffers, before->buffers);
	igt_assert_eq(now.attachments, before->attachments);
	for (unsigned int i = 0; i < ARRAY_SIZE(now.handle); i++)
		igt_assert_eq_u32(now.handle[i], before->handle[i]);
}

static int module_references(const char *name)
{
	char path[96];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	igt_assert_eq(fscanf(f, "%d", &n), 1);
	fclose(f);
	return n;
}

void references_count(struct references *r)
{
	FILE *f = fopen("/proc/sys/fs/file-nr", "re");

	igt_assert(f);
	igt_assert_eq(fscanf(f, "%ld", &r->files), 1);
	fclose(f);
	r->modules = module_references("vgem") + module_references("vkms");
}

/*
 * The kernel shows its count of files without what each CPU has not added to it
 * yet, which is less than 32. A leak of fewer is kmemleak's to find.
 */
#define UNCOUNTED_FILES 32

/* Only a leak stays, and makes this wait to the end. */
void references_expect_no_more(const struct references *before)
{
	long most =
		before->files + UNCOUNTED_FILES * sysconf(_SC_NPROCESSORS_ONLN);
	struct references now;

	for (int tries = 0; tries < 6000; tries++) {
		references_count(&now);
		if (now.files <= most && now.modules <= before->modules)
			return;
		usleep(10000);
	}
	igt_assert_f(false, "%ld open files, %ld before; %d references, %d\n",
		     now.files, before->files, now.modules, before->modules);
}
