# The test targets, for GNUmakefile. tests/run.sh runs suites side by side and counts; its last line is "N passed, N failed".
#   make check         everything: both compilers with -Werror, unit tests and command lines with the
#                      asan programs, checks, the demo with the release ones
#   make unit          unit tests of this CONFIG            make unit T=test_buf
#   make integration   command lines, programs of this CONFIG   make integration T=plan
#   make checks        tests/check/*                        make figures   the measures of the tree
#   make torture       every sweep of tests/fault whole     SCHEDULES=2000 SEED=1 for the random ones
#   make coverage      lines and branches of applier/ that unit tests and command lines reach
JOBS ?= $(shell nproc)
RUN   = OUT=$(BUILD)/results JOBS=$(JOBS) tests/run.sh
T    ?= *

# Longest first, so that the last ones to run are short.
BATS   = $(shell ls -S $(wildcard tests/integration/$(T).bats) /dev/null | grep bats)
CHECKS = $(filter-out %/figures.sh,$(wildcard tests/check/$(T).sh))
FUZZ   = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: replay-programs check-run figures coverage unit-programs fuzz-programs
# In two steps: what make asks pkg-config while it reads the makefile must see what setup installed.
check: setup
	@echo "building with gcc and clang, -Werror, and with AddressSanitizer"
	@$(MAKE) -s --no-print-directory -j$(JOBS) CC=gcc CI=1 BUILD=$(BUILD)/gcc CONFIG=release all
	@$(MAKE) -s --no-print-directory -j$(JOBS) CC=gcc CI=1 BUILD=$(BUILD)/gcc CONFIG=asan all unit-programs replay-programs fault-programs
	@$(MAKE) -s --no-print-directory -j$(JOBS) CC=gcc CI=1 BUILD=$(BUILD)/gcc CONFIG=failpoint $(BUILD)/gcc/failpoint/pgdocket-apply
	@$(MAKE) -s --no-print-directory -j$(JOBS) CC=clang CI=1 BUILD=$(BUILD)/clang CONFIG=release all
	@$(MAKE) -s --no-print-directory BUILD=$(BUILD)/gcc check-run

check-run: export PGDOCKET_BIN := $(abspath $(BUILD)/asan)
check-run: export PGDOCKET_RELEASE := $(abspath $(BUILD)/release)
check-run: export PGDOCKET_FAULT := $(abspath $(BUILD)/failpoint)
check-run: export PGDOCKET_BUILD := $(abspath $(BUILD))
# Many tests wait more than they work: half as many again as there are processors.
check-run:
	@OUT=$(BUILD)/results JOBS=$$(($(JOBS) + ($(JOBS) + 1) / 2)) tests/run.sh $(BATS) $(CHECKS) \
	  $(foreach t,$(UNIT_C:tests/unit/%.c=%),asan/$(t)=$(BUILD)/asan/tests/$(t)) \
	  $(foreach t,$(FUZZ),asan/$(t)=$(BUILD)/asan/fuzz/$(t:fuzz_%=replay_%))

setup:
	@tests/setup.sh

UNIT_CHOSEN = $(patsubst tests/unit/%.c,$(O)/tests/%,$(wildcard tests/unit/test_$(T:test_%=%).c))
unit: $(UNIT_CHOSEN)
	@$(RUN) $(UNIT_CHOSEN)
integration: export PGDOCKET_BIN := $(abspath $(O))
integration: all fault-programs
	@$(RUN) $(BATS)
checks: export PGDOCKET_RELEASE := $(abspath $(BUILD)/release)
checks: export PGDOCKET_BIN := $(abspath $(BUILD)/release)
checks: all
	@$(RUN) $(CHECKS)
figures: all
	@tests/check/figures.sh $(BUILD)/release

# Lines and branches of one folder that the tests reach, and those that they do not: make coverage [COVER=bundles] [T=apply]
# The programs of some tests run as other users: the files of counters are there beforehand, for everyone to write.
COVER  ?= applier
COV    := $(BUILD)/coverage/cov
coverage: setup
	@$(MAKE) -s --no-print-directory -j$(JOBS) CC=gcc BUILD=$(BUILD)/coverage CONFIG=cov all unit-programs fault-programs
	@find $(COV) -name '*.gcda' -delete
	@find $(COV) -name '*.gcno' | sed 's/gcno$$/gcda/' | xargs sh -c 'touch "$$@"; chmod 666 "$$@"' sh
	-@PGDOCKET_BIN=$(abspath $(COV)) OUT=$(BUILD)/coverage/results JOBS=$(JOBS) tests/run.sh $(BATS) \
	  $(patsubst tests/unit/%.c,$(COV)/tests/%,$(wildcard tests/unit/test_$(T:test_%=%).c))
	@tests/coverage.sh $(COV) $(COVER) $(BUILD)/coverage/$(COVER).txt
	@echo "not reached: $(BUILD)/coverage/$(COVER).txt"

demo: setup
	@$(MAKE) -s --no-print-directory -j$(JOBS) all
	@PGDOCKET_BIN=$(abspath $(O)) tests/demo.sh

format:
	@tests/format.sh

# Fuzz targets: make fuzz runs each for FUZZ_SECONDS under libFuzzer; make check replays their corpora with the asan objects.
CFLAGS_fuzz  := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_fuzz := -fsanitize=address,undefined
FUZZ_SECONDS ?= 60
FUZZ_FLAGS = $(CPPFLAGS) -Itests/fuzz -Ibundles $(PQ_CFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -Wno-cast-qual
$(O)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(O)/libplanner.a $(O)/libbundles.a
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $< $(ALL_LDFLAGS) $(O)/libplanner.a $(O)/libbundles.a $(LIBS_PLANNER)
$(O)/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c tests/fuzz/fuzz.h $(O)/libplanner.a $(O)/libbundles.a
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(FUZZ_FLAGS) -o $@ $< tests/fuzz/replay.c $(ALL_LDFLAGS) $(O)/libplanner.a $(O)/libbundles.a $(LIBS_PLANNER)
replay-programs: $(FUZZ:fuzz_%=$(O)/fuzz/replay_%)
fuzz-programs: $(FUZZ:%=$(O)/fuzz/%)
fuzz:
	@$(MAKE) -s --no-print-directory -j$(JOBS) CC=clang CONFIG=fuzz fuzz-programs
	@for target in $(FUZZ); do echo "$$target, $(FUZZ_SECONDS) s"; mkdir -p $(BUILD)/corpora/$$target; \
	  $(BUILD)/fuzz/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(BUILD)/corpora/$$target. $(BUILD)/corpora/$$target tests/corpora/$${target#fuzz_} || exit 1; done

# Faults: each program of tests/fault/sweep_* tries many points and asks the oracle behind each of them.
FAULT_C := tests/fault/proxy.c
$(O)/fault/%: tests/fault/%.c
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS)
fault-programs: $(FAULT_C:tests/fault/%.c=$(O)/fault/%)
	@ln -sfn $(CONFIG)/fault $(BUILD)/fault
.PHONY: fault-programs torture
torture: setup all fault-programs $(O)/tests/test_faults
	@$(MAKE) -s --no-print-directory -j$(JOBS) CONFIG=failpoint $(BUILD)/failpoint/pgdocket-apply
	@PGDOCKET_BIN=$(abspath $(O)) PGDOCKET_FAULT=$(abspath $(BUILD)/failpoint) JOBS=$(JOBS) SCHEDULES=$(SCHEDULES) SEED=$(SEED) tests/fault/torture.sh $(SWEEP)

# Time and memory, as ratios to programs that do less, in the same run: make bench TENANTS="500 2000"
# (PEERS=1: beside other tools too); 10,000 schemas once: make bench-large
BENCH = $(O)/bench/floor $(O)/bench/delay
$(O)/bench/%: tests/bench/%.c $(O)/libplanner.a $(O)/libbundles.a
	@mkdir -p $(@D)
	$(SAY) "CC   $<"
	$(Q)$(CC) $(CPPFLAGS) -Iplanner/shape $(PQ_CFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< \
	  $(ALL_LDFLAGS) $(O)/libplanner.a $(O)/libbundles.a $(LIBS_PLANNER)
.PHONY: bench-large
bench-large: setup all
	@PGDOCKET_BIN=$(abspath $(O)) tests/bench/large.sh $(TENANTS)
bench: setup all $(BENCH)
	@PGDOCKET_BIN=$(abspath $(O)) tests/bench/steps.sh $(TENANTS)
	@PGDOCKET_BIN=$(abspath $(O)) tests/bench/apply.sh $(TENANTS)
