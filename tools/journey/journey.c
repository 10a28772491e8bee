// SPDX-License-Identifier: MIT
/*
 * The journey of one buffer through two processes and four devices.
 *
 * A client draws into a buffer of one vgem device; a compositor imports it on
 * another vgem device and on vkms, shows it, and reads back what vkms scanned
 * out. Then it shows the same buffer on virtio-gpu, the screen of the machine,
 * and has the host tell what is to be seen there. This file starts the two, as
 * programs of their own that share nothing but a socket, and sums up.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "journey.h"
#include "util.h"

static const char usage[] =
	"usage: journey [--single] [--no-screen] OUTDIR\n"
	"Sends a picture from a client on vgem to a compositor on a second vgem device,\n"
	"on vkms and on virtio-gpu, and checks that every hop has the same pixels in the\n"
	"same memory. Writes frame-1.png, frame-2.png and journey.txt into OUTDIR, which\n"
	"is $VM_SHARE of tools/vm --screen.\n"
	"  --single     leave out the second vgem device, for a vgem that has only one\n"
	"  --no-screen  leave out virtio-gpu, for a driver that takes no such buffers\n"
	"Exit status: 0 if all is equal and nothing was copied, else 1.\n";

struct options {
	const char *outdir;
	const char *role;
	int sock;
	int single;
	int no_screen;
};

static void parse_options(int argc, char **argv, struct options *options)
{
	/* --role and --socket are for the processes that we start ourselves. */
	const struct option known[] = {
		{ "single", no_argument, &options->single, 1 },
		{ "no-screen", no_argument, &options->no_screen, 1 },
		{ "role", required_argument, NULL, 'r' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 0:
			break;
		case 'r':
			options->role = optarg;
			break;
		case 's':
			options->sock = atoi(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(1);
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		exit(1);
	}
	options->outdir = argv[optind];
}

/* What is missing, in one line, before anything is started. */
static void check_machine(const struct options *options)
{
	unsigned int vgems = device_count("vgem");
	struct stat info;

	if (geteuid())
		die("run it as root: it reads debugfs and is the display's master");
	if (stat(options->outdir, &info))
		die_errno(options->outdir, "stat");
	if (!S_ISDIR(info.st_mode))
		die("%s: not a directory", options->outdir);
	if (!device_count("vkms"))
		die("no vkms device: modprobe vkms");
	if (!options->no_screen && !device_count("virtio_gpu"))
		die("no virtio_gpu device: modprobe virtio_gpu, or use --no-screen");
	if (!vgems)
		die("no vgem device: modprobe vgem");
	if (vgems < 2 && !options->single)
		die("only one vgem device: 'modprobe vgem devices=2', or use --single");
}

/* This program again, as @name, with one end of the socket. */
static pid_t start(const struct options *options, const char *name, int sock)
{
	char number[16];
	const char *first = options->single ? "--single" : NULL;
	const char *second = options->no_screen ? "--no-screen" : NULL;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		die_errno(name, "fork");
	if (pid)
		return pid;

	/* The copy is not close-on-exec, and its other end is. */
	sock = dup(sock);
	if (sock < 0)
		die_errno(name, "dup");
	snprintf(number, sizeof(number), "%d", sock);
	if (!first) {
		first = second;
		second = NULL;
	}
	execl("/proc/self/exe", "journey", "--role", name, "--socket", number,
	      options->outdir, first, second, NULL);
	die_errno("/proc/self/exe", "exec");
}

/* Exit status of @pid, after a line on stderr if it did not exit by itself. */
static int finish(pid_t pid, const char *name)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno(name, "waitpid");
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "%s: the %s was killed: %s\n", role, name,
		strsignal(WTERMSIG(status)));
	return 1;
}

static int run(const struct options *options)
{
	int client_status, compositor_status;
	pid_t client, compositor;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		die_errno("socket", "socketpair");
	client = start(options, "client", ends[0]);
	compositor = start(options, "compositor", ends[1]);
	close(ends[0]);
	close(ends[1]);

	compositor_status = finish(compositor, "compositor");
	client_status = finish(client, "client");
	if (client_status || compositor_status) {
		fprintf(stderr, "%s: FAILED\n", role);
		return 1;
	}
	printf("\nEvery hop has the client's pixels, and nothing was copied.\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .sock = -1 };

	parse_options(argc, argv, &options);
	if (!options.role) {
		check_machine(&options);
		return run(&options);
	}

	role = options.role;
	if (!strcmp(role, "client"))
		return client_main(options.sock);
	return compositor_main(options.sock, options.outdir, options.single,
			       !options.no_screen);
}
