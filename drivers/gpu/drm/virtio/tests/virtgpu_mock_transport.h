/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTGPU_MOCK_TRANSPORT_H_
#define _VIRTGPU_MOCK_TRANSPORT_H_

#include <kunit/test.h>

#include "virtgpu_mock_host.h"

struct mock_answer mock_transport_windows(struct mock_host *host,
					  const struct vgpu_req *req);
struct mock_host *mock_transport_create(struct kunit *test);
void mock_transport_changes(struct mock_host *host);
int mock_transport_shutdown(struct mock_host *host);

#endif
