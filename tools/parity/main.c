// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every behaviour that user space can see of a dma-buf, PRIME and vgem, as one
 * line each.
 *
 * A group of behaviours runs once for each exporter, in a process of its own
 * with devices of its own: descriptor numbers, handles and signals start anew,
 * and a group that dies or hangs costs one line and not the others.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_priv.h"
#include "parity.h"
#include "say.h"

/* A group that takes longer hangs.  66000 fences take a debug kernel minutes. */
#define HANG_SECONDS  600
#define MAX_EXPORTERS 16

bool leave_out_timed;

static const struct group groups[] = {
	{ "sync", "DMA_BUF_IOCTL_SYNC: arguments", EXPORTERS, run_sync },
	{ "sync-wait", "DMA_BUF_IOCTL_SYNC: fences and signals", EXPORTERS,
	  run_sync_wait },
	{ "name", "DMA_BUF_SET_NAME", EXPORTERS, run_name },
	{ "export-sync-file", "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", EXPORTERS,
	  run_export_sync_file },
	{ "import-sync-file", "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", EXPORTERS,
	  run_import_sync_file },
	{ "numbers", "Other ioctl numbers", EXPORTERS, run_numbers },
	{ "modes", "ioctls by the mode of the descriptor", EXPORTERS,
	  run_modes },
	{ "kinds", "ioctls on files that are no dma-buf", ONCE, run_kinds },
	{ "poll", "poll and select", EXPORTERS, run_poll },
	{ "epoll", "epoll", EXPORTERS, run_epoll },
	{ "seek", "lseek", EXPORTERS, run_seek },
	{ "file", "Other system calls on the descriptor", EXPORTERS, run_file },
	{ "path", "The file by its path in /proc", EXPORTERS, run_path },
	{ "mmap", "mmap", EXPORTERS, run_mmap },
	{ "mapping", "What can be done to a mapping", EXPORTERS, run_mapping },
	{ "stat", "fstat and fstatfs", EXPORTERS, run_stat },
	{ "proc", "The /proc link and fdinfo", EXPORTERS, run_proc },
	{ "bufinfo", "debugfs bufinfo", EXPORTERS, run_bufinfo },
	{ "sysfs", "Statistics in sysfs", EXPORTERS, run_sysfs },
	{ "device", "What the DRM device says of itself", DRM, run_device },
	{ "dumb", "Dumb buffers", DRM, run_dumb },
	{ "prime-export", "DRM_IOCTL_PRIME_HANDLE_TO_FD", DRM,
	  run_prime_export },
	{ "prime-import", "DRM_IOCTL_PRIME_FD_TO_HANDLE", DRM,
	  run_prime_import },
	{ "prime-nodes", "Primary and render nodes", DRM, run_prime_nodes },
	{ "video-import", "Buffers queued into video devices", EXPORTERS,
	  run_video_import },
	{ "vgem", "vgem's fences", VGEM, run_vgem },
	{ "vgem-expiry", "vgem's fences that nobody signals", VGEM,
	  run_vgem_expiry },
	{ "virtgpu", "virtio-gpu's own ioctls", VIRTIO, run_virtgpu },
};

static bool concerns(const struct group *g, const struct exporter *by)
{
	switch (g->scope) {
	case EXPORTERS:
		return by->video || by->ep.exports;
	case DRM:
		return !by->video && by->ep.type == ENDPOINT_DRM;
	case VGEM:
		return strcmp(by->name, "vgem") == 0;
	case VIRTIO:
		return strcmp(by->name, "virtio-gpu") == 0;
	default:
		return false;
	}
}

/* In the child.  The exporter is found by its name among those opened anew. */
static void run_for(const struct group *g, const char *subject)
{
	struct exporter all[MAX_EXPORTERS];
	struct buffer b;
	int num;

	igt_in_child = true;
	alarm(HANG_SECONDS);
	if (g->scope == ONCE) {
		g->run(NULL);
		exit(0);
	}
	num = exporters_open(all, MAX_EXPORTERS);
	for (int i = 0; i < num; i++) {
		if (strcmp(all[i].name, subject))
			continue;
		if (buffer_new(&all[i], O_RDWR, &b))
			exit(1);
		g->run(&b);
		exit(0);
	}
	exit(1);
}

static bool run_group(const struct group *g, const char *subject)
{
	int status = 0;
	pid_t pid;

	say_group = g->name;
	say_subject = subject;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return false;
	if (!pid)
		run_for(g, subject);
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		say("ends", "the group runs to its end", "killed by SIG%s",
		    sigabbrev_np(WTERMSIG(status)));
	else
		say("ends", "the group runs to its end", "exit status %d",
		    WEXITSTATUS(status));
	return false;
}

static void list_groups(void)
{
	for (unsigned int i = 0; i < N(groups); i++)
		printf("%s\t%s\n", groups[i].name, groups[i].title);
}

int main(int argc, char **argv)
{
	struct exporter all[MAX_EXPORTERS];
	bool good = true;
	int num;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list_groups();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--untimed") == 0) {
		leave_out_timed = true;
		argc--;
		argv++;
	}
	num = exporters_open(all, MAX_EXPORTERS);
	for (int i = 0; i < num; i++)
		close(all[i].ep.fd);
	for (unsigned int i = 0; i < N(groups); i++) {
		if (argc > 1 && strcmp(argv[1], groups[i].name))
			continue;
		if (groups[i].scope == ONCE)
			good &= run_group(&groups[i], "-");
		for (int e = 0; e < num; e++)
			if (concerns(&groups[i], &all[e]))
				good &= run_group(&groups[i], all[e].name);
	}
	return good ? 0 : 1;
}
