# SPDX-License-Identifier: GPL-2.0-only
#
# What a person types.  The kernel's own build is below drivers/ and include/;
# tools/ does the work, build/ gets everything that is made.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# A linux-6.12.y of your own in place of Debian's linux-source-6.12.
KDIR ?=
export KDIR
JOBS ?= $(shell nproc)
# How long to race or to fuzz, each with a default of its own.
MINUTES ?=
# For fuzz: one input to run again.
INPUT ?=
# For igt, igt-patches: a checkout of igt-gpu-tools.
IGT ?=
ROUNDS ?= 20000000
VM := tools/vm

## The two commands
run: ## build, boot, and show a picture that crosses two DRM devices
	@tools/packages kernel run
	@tools/kernel ours --jobs $(JOBS)
	@tools/run

check: ## run every test, on a release and on a debug kernel
	@tools/packages kernel check
	@tools/check --jobs $(JOBS)

demo-negotiation: ## a display that stock refuses a picture, and ours does not (ARM)
	@tools/packages kernel demo
	@tools/demo-negotiation --jobs $(JOBS)

## Kernels
kernel: ## build our kernel (build/ours)
	@tools/packages kernel
	@tools/kernel ours --jobs $(JOBS)

debug: ## build ours with KASAN, lockdep, kmemleak (build/ours-debug)
	@tools/packages kernel
	@tools/kernel ours --with debug --jobs $(JOBS)

stock: ## build the same config without the overlay (build/stock)
	@tools/packages kernel
	@tools/kernel stock --jobs $(JOBS)

vm: ## a shell in a guest that runs our kernel
	@tools/packages kernel guest
	@tools/kernel ours --jobs $(JOBS)
	@$(VM)

## Your own kernel tree
install: ## write the overlay into KDIR=/path/to/linux-6.12.y
	@tools/packages tools
	@test -n "$(KDIR)" || { echo "install: say where: make install KDIR=/path/to/linux-6.12.y" >&2; exit 2; }
	@tools/overlay install --kernel "$(KDIR)"

patches: ## emit the overlay as patches against KDIR (build/patches)
	@tools/packages $(if $(KDIR),tools,kernel)
	@kernel=$$(tools/kernel source) && tools/overlay patches --kernel "$$kernel" --output build/patches

## Checks that take longer, or only a part of 'make check'
compile-check: ## compile every in-tree user of the API against our headers
	@tools/packages kernel cross
	@kernel=$$(tools/kernel source) && \
		tools/compile-check --kernel "$$kernel" --build build/compile-check --jobs $(JOBS)

constraints: ## try the laws of constraints in user space, ROUNDS=20000000
	@tools/packages kernel check
	@$(MAKE) -s -C tools/constraints
	@build/constraints/constraints $(ROUNDS) $(SEED)

coverage: ## which lines of our code the tests run (build/coverage)
	@tools/packages kernel check coverage
	@tools/coverage --jobs $(JOBS)

docs: ## the documentation as web pages (build/docs/html)
	@tools/packages kernel docs
	@tools/docs

parity: parity-user parity-kernel parity-intree ## run the same on stock and on ours, table what differs

parity-user: ## only what user space sees (Documentation/dev/parity.rst)
	@tools/packages kernel check
	@tools/parity/run user --jobs $(JOBS)

parity-kernel: ## only what drivers see of the dma-buf core
	@tools/packages kernel check
	@tools/parity/run kernel --jobs $(JOBS)

parity-intree: ## only the kernel's own tests: kselftests, DRM's KUnit
	@tools/packages kernel check
	@tools/parity/run intree --jobs $(JOBS)

parity-i915: ## i915's mock selftests on both (builds two more kernels)
	@tools/packages kernel check
	@tools/parity/run i915 --jobs $(JOBS)

parity-virtio: ## modetest, kmscube, weston and OpenGL on virtio-gpu of both, the screen compared
	@tools/packages kernel check clients
	@tools/parity/run virtio --jobs $(JOBS)

check-clients: ## GStreamer, Xorg, weston, sway, ffmpeg, v4l2-ctl, cam on stock and on ours: a table, automatic verdicts
	@tools/packages kernel check sharing
	@tools/clients/run --jobs $(JOBS)

matrix: ## every exporter with every importer, on stock and on ours: a table, and pictures (build/matrix)
	@tools/packages kernel check
	@tools/matrix --jobs $(JOBS)

stress: ## let everything race on KCSAN and debug kernels, MINUTES=2 in all
	@tools/packages kernel check
	@tools/stress --jobs $(JOBS) --minutes $(or $(MINUTES),2)

scanout: ## what virtio-gpu shows, QEMU's picture compared: buffers of others, two outputs, copies, sleep, panic, an IOMMU
	@tools/packages kernel check
	@tools/kernel ours --jobs $(JOBS)
	@tools/scanout/run exporters
	@tools/scanout/run heads
	@tools/scanout/run bounce
	@tools/kernel ours --machine bare --jobs $(JOBS)
	@tools/scanout/run sleep
	@tools/scanout/run panic
	@tools/kernel ours --with debug --jobs $(JOBS)
	@tools/scanout/run exporters --tree build/ours-debug --timeout 600 --iommu
	@tools/scanout/run heads --tree build/ours-debug --timeout 600 --iommu

check-nested: ## blobs of a guest on virtio-gpu: our kernel as the host, with QEMU in it; minutes
	@tools/packages kernel check
	@tools/kernel ours --jobs $(JOBS)
	@tools/kernel ours --machine bare --jobs $(JOBS)
	@tools/nested

mesa: ## build Debian's Mesa with mesa-patches: software GL that keeps to the rules of dma-bufs (build/mesa)
	@tools/packages mesa
	@tools/mesa/build --jobs $(JOBS)

check-mesa: ## the same tests in the guest with the distribution's Mesa and with the patched one
	@tools/packages kernel check mesa
	@tools/kernel ours --jobs $(JOBS)
	@tools/mesa/build --jobs $(JOBS)
	@tools/mesa/check

mesa-pictures: ## the pictures of mesa-patches/README.md, after make check-mesa
	@tools/mesa/pictures

igt: ## build the igt-tests inside IGT=/path/to/igt-gpu-tools, with its library (build/tests/prime there)
	@test -n "$(IGT)" || { echo "igt: say where: make igt IGT=/path/to/igt-gpu-tools" >&2; exit 2; }
	@tools/igt-checkout build "$(IGT)" --jobs $(JOBS)

igt-patches: ## the igt-tests as patches for IGT=/path/to/igt-gpu-tools, one a program (build/igt-patches)
	@test -n "$(IGT)" || { echo "igt-patches: say where: make igt-patches IGT=/path/to/igt-gpu-tools" >&2; exit 2; }
	@tools/igt-checkout patches "$(IGT)"

faults: ## fail every allocation of every operation once, print a table
	@tools/packages kernel check
	@tools/faults --jobs $(JOBS)

mutants: ## put a fault into each entry of the kernel code, table which test finds it (Documentation/dev/mutants.rst)
	@tools/packages kernel check
	@tools/mutants/run --jobs $(JOBS)

fuzz: ## look for new faults with libFuzzer and KCOV, MINUTES=5; INPUT=file runs one again
	@tools/packages kernel fuzz
	@tools/fuzz/run --jobs $(JOBS) $(if $(INPUT),--input "$(INPUT)",--minutes $(or $(MINUTES),5))

bench: ## what it costs to share buffers, in instructions, on stock and on ours (build/bench)
	@tools/packages kernel check
	@tools/bench/run --jobs $(JOBS)

bench-check: ## the same, and fail if a row is 3 % worse than it was
	@tools/packages kernel check
	@tools/bench/run --check --jobs $(JOBS)

lint: ## checkpatch, sparse, kernel-doc, the pages of make docs, similarity
	@tools/packages kernel check
	@tools/check --jobs $(JOBS) --only lint

clean: ## remove build/ (the cache below ~/.cache/prime stays)
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4)} \
		/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run check demo-negotiation kernel debug stock vm install patches compile-check constraints coverage docs \
	parity parity-user parity-kernel parity-intree parity-i915 parity-virtio check-clients matrix stress scanout \
	check-nested mesa check-mesa mesa-pictures igt igt-patches faults mutants fuzz bench bench-check lint clean help
