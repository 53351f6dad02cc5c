# A thin front: CMake does the work, in build/. `make` builds, `make run` boots Ember in a window,
# `make test` runs what CI runs. On Debian missing packages are installed first.

BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
CTEST   = ctest --test-dir $(BUILD) --output-on-failure -j$(JOBS)

# Tests that run no guest code in Kiln, or name their engines themselves.
NO_GUEST = -E '^(check\.|fuzz\.|unit\.|native\.|decode\.|jit\.|lockstep\.|.*(qemu|bochs|_host))'

all: build

packages:
	@tools/install_packages.sh build

test-packages:
	@tools/install_packages.sh build test

configure: packages
	@cmake -B $(BUILD) -G Ninja

build: configure
	@cmake --build $(BUILD)

# The image stays as it was built: writes go to memory. Arguments: make run ARGS="-m 512"
run: build
	$(BUILD)/kiln -display auto -snapshot $(BUILD)/ember.img $(ARGS)

quick: build
	@$(CTEST) -L quick

test: test-packages build
	@$(CTEST) -L ci

# Everything, and then what runs guest code once more in each engine of tests/engines.txt.
check-full: test-packages build
	@$(CTEST) -L full
	@sed '/^#/d' tests/engines.txt | while read -r accel; do \
		echo "== KILN_ACCEL=$$accel"; \
		KILN_ACCEL=$$accel $(CTEST) -L full $(NO_GUEST) </dev/null || exit 1; \
	done

install: build
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"

clean:
	rm -rf $(BUILD)

.PHONY: all packages test-packages configure build run quick test check-full install clean
