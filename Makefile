# A thin front: CMake does the work, in build/. `make` builds, `make run` boots Ember in a window,
# `make test` runs what CI runs. On Debian missing packages are installed first.

BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
CTEST   = ctest --test-dir $(BUILD) --output-on-failure -j$(JOBS)

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

check-full: test-packages build
	@$(CTEST) -L full

install: build
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)"

clean:
	rm -rf $(BUILD)

.PHONY: all packages test-packages configure build run quick test check-full install clean
