// SPDX-License-Identifier: MIT
/*
 * Races between everything that user space can do to shared buffers.
 *
 * Each subtest is a mixture: how many processes and threads, what they do, who
 * is killed. By itself each takes a few seconds, with a fixed seed, so that it
 * can be part of every run; 'make stress' runs the last one for minutes on a
 * kernel that reports data races.
 *
 *	dmabuf_stress --run-subtest everything --seconds 600 --seed 7
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "igt.h"
#include "igt_debugfs.h"
#include "igt_vgem.h"
#include "sw_sync.h"

#include "cards.h"
#include "endpoint.h"
#include "stress/stress.h"

/**
 * TEST: Everything at once on a few shared buffers
 * Description: Threads of several processes do all that can be done to a small
 *	pool of buffers, processes are killed and devices unplugged meanwhile.
 *	An operation has only errnos that it is documented to have, content
 *	stays, nothing hangs and nothing is left.
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: DRM
 * Functionality: stress
 *
 * SUBTEST: one-slot
 * Description: Four threads, one file of each device, one slot for each kind.
 *
 * SUBTEST: killed
 * Description: Processes that share buffers, and are killed.
 *
 * SUBTEST: unplugged
 * Description: Devices that go while their buffers are used.
 *
 * SUBTEST: everything
 * Description: All of it.
 */

IGT_TEST_DESCRIPTION("Everything at once on a few shared buffers");

static struct stress_limits limits = {
	.seed = 1,
	.seconds = 2,
	.operations = 30000,
	.hang = 45,
};

static const struct option options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, 't' },
	{ "operations", required_argument, NULL, 'n' },
	{ "hang", required_argument, NULL, 'g' },
	{},
};

static const char help[] =
	"  --seed N          make the same choices as an earlier run\n"
	"  --seconds N       how long a subtest runs (default 2)\n"
	"  --operations N    at most so many in a round (default 30000)\n"
	"  --hang N          seconds after which an operation hangs (default 45)\n";

static int on_option(int opt, int index, void *data)
{
	uint64_t value = strtoull(optarg, NULL, 0);

	(void)index;
	(void)data;
	if (opt == 's')
		limits.seed = value;
	else if (!value)
		return IGT_OPT_HANDLER_ERROR;
	else if (opt == 't')
		limits.seconds = value;
	else if (opt == 'n')
		limits.operations = value;
	else if (opt == 'g')
		limits.hang = value;
	else
		return IGT_OPT_HANDLER_ERROR;
	return IGT_OPT_HANDLER_SUCCESS;
}

static const struct stress_config configs[] = {
	{ "one-slot",
	  "four threads, one file of each device, one slot for each kind",
	  .processes = 1, .threads = 4, .slots = 1 },
	{ "killed", "processes that share buffers, and are killed",
	  .processes = 3, .threads = 2, .groups = STRESS_PASS,
	  .kill_every = 300, .slots = 4 },
	{ "unplugged", "devices that go while their buffers are used",
	  .processes = 2, .threads = 2, .groups = STRESS_UNPLUG, .slots = 3 },
	{ "everything", "all of it", .processes = 3, .threads = 3,
	  .groups = STRESS_PASS | STRESS_UNPLUG, .kill_every = 1000 },
};

/* Other drivers' errnos are not known, and other people's devices are in use. */
static unsigned int add_nodes(struct stress *s, const struct endpoint *eps,
			      int num)
{
	unsigned int n = 0;

	for (int i = 0; i < num && n < STRESS_NODES - STRESS_HOT; i++) {
		bool vgem = strcmp(eps[i].driver, "vgem") == 0;

		if (!vgem && strcmp(eps[i].driver, "vkms"))
			continue;
		s->nodes[n] = (struct stress_node){
			.fd = eps[i].fd,
			.hot = -1,
			.fences = vgem,
		};
		n++;
	}
	return n;
}

static unsigned int add_hot_nodes(struct stress *s, unsigned int n)
{
	for (int i = 0; i < STRESS_HOT; i++)
		s->nodes[n + i] = (struct stress_node){
			.fd = -1,
			.hot = i,
			.fences = true,
		};
	return n + STRESS_HOT;
}

static bool has_configfs(void)
{
	return access("/sys/kernel/config/vgem", F_OK) == 0;
}

static void setup(struct stress *s)
{
	s->debugfs = igt_debugfs_mount();
	igt_require_f(s->debugfs, "no debugfs\n");
	igt_require_sw_sync();
	s->heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	igt_assert(s->shared != MAP_FAILED);
}

static void run(struct stress *s, const struct stress_config *config,
		unsigned int statics)
{
	s->num_nodes = statics;
	if (config->groups & STRESS_UNPLUG) {
		igt_require_f(has_configfs(), "vgem has no configfs\n");
		s->num_nodes = add_hot_nodes(s, statics);
	}
	stress_run(s, config, &limits);
}

igt_main_args("", options, help, on_option, NULL)
{
	struct endpoint eps[MAX_ENDPOINTS];
	static struct stress stress;
	unsigned int statics = 0;
	int num = 0;

	igt_fixture {
		cards_load();
		num = endpoints_open_drm(eps, MAX_ENDPOINTS);
		statics = add_nodes(&stress, eps, num);
		igt_require_f(statics, "neither vgem nor vkms\n");
		setup(&stress);
	}

	for (unsigned int i = 0; i < ARRAY_SIZE(configs); i++) {
		igt_describe(configs[i].describe);
		igt_subtest(configs[i].name)
			run(&stress, &configs[i], statics);
	}

	igt_fixture {
		if (stress.heap >= 0)
			close(stress.heap);
		endpoints_close(eps, num);
	}
}
