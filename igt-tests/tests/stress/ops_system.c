// SPDX-License-Identifier: MIT
/*
 * Operations that look at buffers from outside, pass them to other processes,
 * and take devices away under them.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drmtest.h"
#include "../endpoint.h"
#include "../text_file.h"
#include "stress.h"

#define BUFFERS "/sys/kernel/dmabuf/buffers"
#define DEVICES "/sys/kernel/config/vgem"

/* Reads to the end, for nothing. */
static int read_file(const char *path)
{
	char text[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, text, sizeof(text))) > 0)
		;
	if (n < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int op_fdinfo(struct stress_thread *t)
{
	int fd = stress_take_fd(t), ret;
	char path[64], link[64];

	if (fd < 0)
		return STRESS_IDLE;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ret = read_file(path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!ret && readlink(path, link, sizeof(link)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Of a process that may be killed meanwhile, a number it may have closed. */
static int op_fdinfo_other(struct stress_thread *t)
{
	struct stress *s = t->process->stress;
	int pid = s->shared->pids[stress_random(t, s->config->processes)];
	int fd = stress_random(t, 64), ret;
	char path[64], link[64];

	if (!pid)
		return STRESS_IDLE;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	ret = read_file(path);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	if (!ret && readlink(path, link, sizeof(link)) < 0)
		ret = -errno;
	return ret;
}

static int op_bufinfo(struct stress_thread *t)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/dma_buf/bufinfo",
		 t->process->stress->debugfs);
	return read_file(path);
}

/* One of the directories, which may go before its files are read. */
static int op_statistics(struct stress_thread *t)
{
	unsigned int nth = stress_random(t, 32);
	DIR *dir = opendir(BUFFERS);
	struct dirent *entry;
	char path[320] = "";

	if (!dir)
		return errno == ENOENT ? STRESS_IDLE : -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), BUFFERS "/%s/%s", entry->d_name,
			 nth & 1 ? "size" : "exporter_name");
		if (!nth--)
			break;
	}
	closedir(dir);
	if (!*path)
		return STRESS_IDLE;
	return read_file(path);
}

static int op_send(struct stress_thread *t)
{
	int fd = stress_take_fd(t), ret;

	if (fd < 0)
		return STRESS_IDLE;
	ret = __send_fd(t->process->stress->sockets[stress_random(t, 2)], fd,
			MSG_DONTWAIT);
	close(fd);
	return ret;
}

static int op_receive(struct stress_thread *t)
{
	int fd, ret;

	ret = __receive_fd(t->process->stress->sockets[stress_random(t, 2)],
			   &fd, MSG_DONTWAIT);
	if (fd >= 0)
		stress_put_fd(t, fd);
	return ret;
}

/* Has copies of all descriptors and mappings; only what a signal handler may. */
static void child_main(pid_t parent, const struct stress_map *map, bool stay)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	if (map->at)
		*(volatile uint32_t *)map->at;
	while (stay)
		pause();
	_exit(0);
}

static int reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int fork_one(struct stress_thread *t, bool kill_it)
{
	const struct stress_map *map = &t->maps[stress_random(t, STRESS_MAPS)];
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		return -errno;
	if (!child)
		child_main(parent, map, kill_it);
	if (kill_it)
		kill(child, SIGKILL);
	return reap(child);
}

static int op_fork(struct stress_thread *t)
{
	return fork_one(t, false);
}

static int op_fork_kill(struct stress_thread *t)
{
	return fork_one(t, true);
}

static void hot_path(struct stress_thread *t, char *path, size_t size,
		     const char *file)
{
	snprintf(path, size, DEVICES "/stress%d%s",
		 (int)stress_random(t, STRESS_HOT), file);
}

/* An enabled device goes with its directory. */
static int op_forget(struct stress_thread *t)
{
	char path[64];

	hot_path(t, path, sizeof(path), "");
	return rmdir(path) ? -errno : 0;
}

static int write_attribute(struct stress_thread *t, const char *file,
			   const char *text)
{
	char path[64];

	hot_path(t, path, sizeof(path), file);
	return text_file_write(path, text);
}

/* So that what others have must be elsewhere when this device imports it. */
static const char *any_need(struct stress_thread *t)
{
	static const char *const needs[] = {
		"any",
		"segments=1",
		"align=65536",
		"mask=0x3fffffff",
		"segment-size=8192,boundary=0xffff",
	};

	return needs[stress_random(t, ARRAY_SIZE(needs))];
}

/* Another thread may have plugged it, or taken it away. */
static int op_describe(struct stress_thread *t)
{
	char path[64];

	hot_path(t, path, sizeof(path), "");
	if (mkdir(path, 0755))
		return -errno;
	strcat(path, "/constraints");
	return text_file_write(path, any_need(t));
}

static int op_plug(struct stress_thread *t)
{
	return write_attribute(t, "/enable", "1");
}

static int op_unplug(struct stress_thread *t)
{
	return write_attribute(t, "/enable", "0");
}

static int op_constrain(struct stress_thread *t)
{
	return write_attribute(t, "/constraints", any_need(t));
}

/* The test itself has a file open. */
static int op_unload(struct stress_thread *t)
{
	if (!syscall(SYS_delete_module, "vgem", O_NONBLOCK))
		stress_fail(t->process->stress,
			    "vgem was unloaded while it was used");
	return -errno;
}

const struct stress_op stress_ops_system[] = {
	STRESS_OP("fdinfo and link", op_fdinfo, 2),
	/* gone, or not a number that it has */
	STRESS_OP("fdinfo of another", op_fdinfo_other, 2,
		  STRESS_ERRS(ENOENT, ESRCH, EINTR)),
	STRESS_OP("bufinfo", op_bufinfo, 1, STRESS_ERRS(EINTR)),
	STRESS_OP("sysfs", op_statistics, 1, STRESS_ERRS(ENOENT, ENODEV)),
	STRESS_OP("send to a process", op_send, 4, .group = STRESS_PASS,
		  STRESS_ERRS(EAGAIN, EINTR)),
	STRESS_OP("receive", op_receive, 4, .group = STRESS_PASS,
		  STRESS_ERRS(EAGAIN, EINTR)),
	STRESS_OP("fork", op_fork, 1, .group = STRESS_PASS, STRESS_ERRS(EINTR)),
	STRESS_OP("fork and kill", op_fork_kill, 1, .group = STRESS_PASS,
		  STRESS_ERRS(EINTR)),
	STRESS_OP("configfs: mkdir", op_describe, 2, .group = STRESS_UNPLUG,
		  STRESS_ERRS(EEXIST, ENOENT, EBUSY)),
	STRESS_OP("configfs: rmdir", op_forget, 1, .group = STRESS_UNPLUG,
		  STRESS_ERRS(ENOENT)),
	STRESS_OP("configfs: plug", op_plug, 3, .group = STRESS_UNPLUG,
		  STRESS_ERRS(ENOENT)),
	STRESS_OP("configfs: unplug", op_unplug, 1, .group = STRESS_UNPLUG,
		  STRESS_ERRS(ENOENT)),
	STRESS_OP("configfs: constrain", op_constrain, 2,
		  .group = STRESS_UNPLUG, STRESS_ERRS(ENOENT, EBUSY)),
	STRESS_OP("unload vgem", op_unload, 1, .group = STRESS_UNPLUG,
		  STRESS_ERRS(EAGAIN, EINTR)),
	{},
};
