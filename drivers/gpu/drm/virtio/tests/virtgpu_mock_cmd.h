/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_CMD_H_
#define _VIRTGPU_MOCK_CMD_H_

#include <kunit/test.h>

struct vgpu_cmd;

/**
 * struct mock_end - how often a command has ended
 * @times: how often
 * @result: how, the last time
 * @resets: how often the host had been reset then
 */
struct mock_end {
	int times;
	int result;
	unsigned int resets;
};

struct vgpu_cmd *mock_cmd_create(struct kunit *test, struct mock_end *ended);
struct vgpu_cmd *mock_cmd_send(struct kunit *test, struct mock_end *ended);
int mock_cmd_status(const struct vgpu_cmd *cmd);

#endif
