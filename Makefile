# sonde: one plain, non-recursive Makefile. `make help` lists the targets.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man/man1
COMPDIR  = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
DATADIR  = $(DESTDIR)$(PREFIX)/share/sonde
BOXDIR   = $(DESTDIR)$(PREFIX)/lib/sonde/toolbox
INSTALL ?= install

CC      ?= gcc
SAN     ?=
# the sanitizers' build takes a third less time so, and says no less
CFLAGS  ?= $(if $(SAN),-O1,-O2) -g
# B: where everything built goes; sanitizer and clang builds get a folder of their own
B       ?= build$(if $(SAN),/san)
# always relative: the .d files name their targets as they were when they were written
override B := $(patsubst $(CURDIR)/%,%,$(B))

# V=1 shows the commands
Q       := $(if $(V),,@)
say     := $(if $(V),@:,@echo ' ')

WARN     = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wwrite-strings -Wpointer-arith -Wformat=2 -Wno-unused-parameter -Wno-missing-field-initializers
SONDE_CFLAGS = -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSONDE_VERSION='"$(VERSION)"' \
           -I. -include libinspect/base/banned.h $(WARN) -fno-strict-aliasing -fstack-protector-strong \
           -ffunction-sections -fdata-sections -MMD -MP $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
           -fno-sanitize-recover=all -DSONDE_SAN,-D_FORTIFY_SOURCE=2)
SONDE_LDFLAGS = -pthread -Wl,--gc-sections -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN))

comma := ,
# what the library stands on
LIBS     = -lsqlite3 -lyaml -ljansson -lnettle -lcap -lm

# cnsenter and cdebug are static where the C library and these come as archives: nothing is loaded after
# entering a container, and the start costs half. STATIC=no links them dynamically.
STATIC  ?= $(if $(SAN),no,$(shell printf 'int main(void){return 0;}' | $(CC) -x c - -static $(LIBS) -o /dev/null 2>/dev/null && echo yes || echo no))
STATIC_FLAGS = $(if $(filter yes,$(STATIC)),-static -Wl$(comma)--wrap=dlopen$(comma)--wrap=dlsym$(comma)--wrap=dlclose$(comma)--wrap=dlerror)
FEW_SHARED = $(if $(filter yes,$(STATIC)),-Wl$(comma)-Bstatic $(filter-out -lm,$(LIBS)) -Wl$(comma)-Bdynamic -lm,$(LIBS))
# cdebug unpacks archives: libarchive, and what it reads compressed files with
ARCHIVE_LIBS = -larchive -lbz2 -llzma -lzstd -lz
STATIC_ARCHIVE ?= $(if $(filter yes,$(STATIC)),$(shell printf 'int main(void){return 0;}' | $(CC) -x c - -static $(ARCHIVE_LIBS) -o /dev/null 2>/dev/null && echo yes || echo no))
STATIC_OBJ = $(if $(filter yes,$(STATIC)),$(B)/obj/tools/shared/no-dlopen.o)

# Every source by name; `make lint` compares the lists with the tree.
base       := bolt dir err escape follow guarded inroot io json json-pick slowopen str strbuf sum toml yaml
base       += sqlite sqlite-file sqlite-log
kernel     := cgroup cgroupdirs cgroupfs group idmap mountinfo netlink nettables ns overlay passwd pid slowread sealedtree
kernel     += stat status subid sys
container  := container start
engines    := engines named freezer goflags homes hostproc mount-layers scan scan-procs scan-users unread
engines    += $(addprefix apptainer/,apptainer config)
engines    += buildah
engines    += crio
engines    += gvisor
engines    += $(addprefix nspawn/,args nspawn running settings)
engines    += openvz
engines    += rkt
engines    += $(addprefix bare/,bare groups)
engines    += $(addprefix containerd/,containerd cri each flags image images meta record roots task values)
engines    += $(addprefix docker/,daemon diff-ids docker fill flags image images layers mounts process record roots runtime)
engines    += $(addprefix lxc/,config incus lxc lxd monitor record)
engines    += $(addprefix oci/,chain crun image process reference runc runtime spec store youki)
engines    += $(addprefix podman/,db files json live podman record sql)
engines    += $(addprefix storage/,conf discover image images layers records roots)
resolve    := image list members near nslist procs resolve resolve-pid
resolve    += by-cgroup by-ip by-ns by-path by-port by-procpath by-veth find hostpath pod
resolve    += ended served unseen
rootfs     := data diff diff-change diff-compare diff-scope ids links list marks open path rights view volumes walk
rootfs     += export export-data export-entry export-image export-out export-upper export-volumes
rootfs     += copy copy-attrs copy-data copy-end copy-glob copy-into copy-links copy-node copy-tar copy-tree
rootfs     += mount mount-volumes
enter      := creds decide describe env exec front join mounts plan pty ptyrelay run seal
stats      := cgfiles fleet host newcomers parse procsum recfile record sample walk watch
shared     := columns errors json-out limits opts opts-bash opts-help progress table text
cdebug     := pods sessions toolboxes words
cdiff      := hostdiff json lines stat unified
cexport    := output
cps        := container-columns filter list namespaces owners print processes questions
ccp        := operands signals
sidecar    := builder command describe environ files forward forward-spec front limits mounts nameconf own-files plan \
              proc relay remount scope supervisor targetenv who
sidecar    += keep stopped
sidecar    += toolbox toolbox-archive toolbox-keep toolbox-loop toolbox-mount toolbox-names toolbox-root toolbox-run
sidecar    += pod share-cgroup
sidecar    += session-attach session-dir session-end session-hold session-peer
sidecar    += launch launch-filter launch-mounts rerun
sidecar    += relocate view view-launcher view-toolbox view-users
# what starts programs inside a container's own tree: static, and linked alone
launcher   := view-launch view-cache view-elf relocate
tui        := batch columns draw events keys live model put screen
TOOLS      := ccp cdebug cdiff cexport cnsenter cps ctop
unit_tests := \
    apptainer \
    bare \
    base \
    bolt \
    cgroup \
    containerd \
    containerd-meta \
    corpus \
    crio \
    crun \
    diff \
    docker \
    docker-files \
    docker-store \
    enter-plan \
    group \
    gvisor \
    homes \
    idmap \
    ids \
    inroot \
    json-pick \
    large \
    lxc \
    model \
    mount-layers \
    mountinfo \
    nettables \
    nslist \
    nspawn \
    oci-chain \
    oci-reference \
    oci-spec \
    openvz \
    own-files \
    opts \
    path \
    pid \
    podman \
    recording \
    relocate \
    resolve \
    rkt \
    runc \
    slowread \
    sqlite \
    start \
    stat \
    stats \
    toolbox \
    view \
    view-users \
    volumes \
    youki \

HELPERS    := attack-proc churn-tree demo-container deny-syscall false-daemon naive-enter peak-memory push-tty spawn-many \
              stall swap-race trap try-escape with-key
# these link the library, and so are for this host only
LIB_HELPERS := dump-view resolve stress-bolt stress-sqlite
fuzz_tests := \
    apptainer \
    bolt \
    ccp-tar \
    cgroup \
    containerd-image \
    containerd-values \
    cri \
    crio-state \
    ctop-recording \
    docker-config \
    docker-layers \
    group \
    gvisor \
    idmap \
    lxc-config \
    lxd-record \
    mountinfo \
    nettables \
    nspawn \
    openvz-conf \
    oci-image \
    oci-spec \
    passwd \
    podman-config \
    podman-state \
    redirect \
    rkt-pod \
    runtime \
    sqlite \
    start \
    stat \
    stats \
    status \
    storage-conf \
    storage-image \
    subid \
    toml \
    youki \

MANPAGES   := ccp cdebug cdiff cexport cnsenter cps ctop

LAYERS  := base kernel container engines resolve rootfs enter stats
LIB_SRC := $(foreach l,$(LAYERS),$($(l):%=libinspect/$(l)/%.c))
SHARED_SRC := $(shared:%=tools/shared/%.c)
# tools/NAME.c has the option table and main(); a tool of several lists keeps them in tools/NAME/
CPS_SRC := $(cps:%=tools/cps/%.c)
CEXPORT_SRC := $(cexport:%=tools/cexport/%.c)
CDEBUG_SRC := $(cdebug:%=tools/cdebug/%.c)
CDIFF_SRC := $(cdiff:%=tools/cdiff/%.c)
CCP_SRC := $(ccp:%=tools/ccp/%.c)
tui     += programs replay signal
TUI_SRC := $(tui:%=tui/%.c)
SIDECAR_SRC := $(sidecar:%=sidecar/%.c)
LAUNCHER_SRC := $(launcher:%=sidecar/%.c)
UNIT    := $(unit_tests:%=test-%)
FUZZ    := $(fuzz_tests:%=fuzz-%)

lib_obj  := $(LIB_SRC:%.c=$(B)/obj/%.o)
shared_obj := $(SHARED_SRC:%.c=$(B)/obj/%.o)
cps_obj := $(CPS_SRC:%.c=$(B)/obj/%.o)
cexport_obj := $(CEXPORT_SRC:%.c=$(B)/obj/%.o)
cdebug_obj := $(CDEBUG_SRC:%.c=$(B)/obj/%.o)
cdiff_obj := $(CDIFF_SRC:%.c=$(B)/obj/%.o)
ccp_obj := $(CCP_SRC:%.c=$(B)/obj/%.o)
tui_obj := $(TUI_SRC:%.c=$(B)/obj/%.o)
sidecar_obj := $(SIDECAR_SRC:%.c=$(B)/obj/%.o)
# unit tests include what is under test through the internal headers and link the archive
unit_obj := $(UNIT:%=$(B)/obj/tests/unit/%.o)
tool_obj := $(TOOLS:%=$(B)/obj/tools/%.o) $(B)/obj/tools/shared/no-dlopen.o $(cps_obj) $(cexport_obj) $(cdebug_obj) $(cdiff_obj) $(ccp_obj) $(tui_obj) $(sidecar_obj)
helper_obj := $(HELPERS:%=$(B)/obj/tests/helpers/%.o) $(LIB_HELPERS:%=$(B)/obj/tests/helpers/%.o)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: toolbox all help install uninstall completion demo check check-vm unit unit-programs objects lint bench engines-doc fuzz fuzz-doc clean man format demo-deps check-deps sources

all: $(TOOLS:%=$(B)/%) $(HELPERS:%=$(B)/helpers/%) $(B)/helpers/trap.so $(B)/helpers/cdebug-faults $(LIB_HELPERS:%=$(B)/helpers/%) man completion ## build the tools, helpers and man pages into build/

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(B)/libinspect.a: $(lib_obj)
	@rm -f $@
	$(say) AR $@
	$(Q)ar rcs $@ $^

# an archive, so that a tool that draws no table does not need libsmartcols
$(B)/libshared.a: $(shared_obj)
	@rm -f $@
	$(say) AR $@
	$(Q)ar rcs $@ $^

$(B)/obj/libinspect/%.o: libinspect/%.c Makefile
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(SONDE_CFLAGS) -DSONDE_LIBRARY $(CFLAGS) -c $< -o $@

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(SONDE_CFLAGS) $(CFLAGS) -c $< -o $@

# cps draws with libsmartcols, which Debian ships only as a shared library; finding and binding four more would be half of its start
$(B)/cps: $(B)/obj/tools/cps.o $(cps_obj) $(B)/libshared.a $(B)/libinspect.a
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(LDFLAGS) $^ -o $@ -lsmartcols $(FEW_SHARED)

# it enters nothing: linked dynamically
$(B)/cexport: $(B)/obj/tools/cexport.o $(cexport_obj) $(B)/libshared.a $(B)/libinspect.a
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(LDFLAGS) $^ -o $@ -larchive $(LIBS)

$(B)/ccp: $(B)/obj/tools/ccp.o $(ccp_obj) $(B)/libshared.a $(B)/libinspect.a
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(LDFLAGS) $^ -o $@ -larchive $(LIBS)

# it enters nothing either
$(B)/ctop: $(B)/obj/tools/ctop.o $(tui_obj) $(B)/libshared.a $(B)/libinspect.a
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(LDFLAGS) $^ -o $@ -lncursesw -ltinfo $(LIBS)

$(B)/cnsenter: $(B)/obj/tools/cnsenter.o $(STATIC_OBJ) $(B)/libshared.a $(B)/libinspect.a
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(STATIC_FLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

$(B)/cdebug: $(B)/obj/tools/cdebug.o $(if $(filter yes,$(STATIC_ARCHIVE)),$(STATIC_OBJ)) $(cdebug_obj) $(sidecar_obj) $(B)/libshared.a $(B)/libinspect.a
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(if $(filter yes,$(STATIC_ARCHIVE)),$(STATIC_FLAGS)) $(LDFLAGS) $^ -o $@ $(if $(filter yes,$(STATIC_ARCHIVE)),$(ARCHIVE_LIBS),-larchive) $(LIBS)

# it becomes a part of cdebug; no sanitizer can be linked statically
$(B)/launcher: $(LAUNCHER_SRC) sidecar/view-launch.h sidecar/view-layout.h Makefile
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(filter-out -fsanitize=% -fno-sanitize-recover=% -DSONDE_SAN -MMD -MP,$(SONDE_CFLAGS)) -O2 -static -s -Wl,--gc-sections \
		$(LAUNCHER_SRC) -o $@

$(B)/obj/sidecar/view-launcher.o: $(B)/launcher
$(B)/obj/sidecar/view-launcher.o: SONDE_CFLAGS += -DLAUNCHER_FILE='"$(B)/launcher"'

$(B)/cdiff: $(B)/obj/tools/cdiff.o $(STATIC_OBJ) $(cdiff_obj) $(B)/libshared.a $(B)/libinspect.a
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(STATIC_FLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

# cdebug with places at which a test has a process of it killed: sidecar/fault.h
fault_obj := $(patsubst %.c,$(B)/obj/faults/%.o,$(filter-out sidecar/view-launcher.c,$(SIDECAR_SRC))) $(B)/obj/sidecar/view-launcher.o

$(B)/obj/faults/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(SONDE_CFLAGS) -DSONDE_FAULTS $(CFLAGS) -c $< -o $@

$(B)/helpers/cdebug-faults: $(B)/obj/tools/cdebug.o $(if $(filter yes,$(STATIC_ARCHIVE)),$(STATIC_OBJ)) $(cdebug_obj) $(fault_obj) $(B)/libshared.a $(B)/libinspect.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(if $(filter yes,$(STATIC_ARCHIVE)),$(STATIC_FLAGS)) $(LDFLAGS) $^ -o $@ $(if $(filter yes,$(STATIC_ARCHIVE)),$(ARCHIVE_LIBS),-larchive) $(LIBS)

# helpers of the tests and of the demo: one file each, static so that they run in any root (which no
# sanitizer allows)
$(B)/helpers/%: tests/helpers/%.c Makefile
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(SONDE_CFLAGS)) $(CFLAGS) -static $< -o $@ $(HELPER_LIBS_$*)

# the same as a library
$(B)/helpers/trap.so: tests/helpers/trap.c Makefile
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(filter-out -fsanitize=% -fno-sanitize-recover=% -fstack-protector-strong -MMD -MP,$(SONDE_CFLAGS)) -DTRAP_LIBRARY -O1 -U_FORTIFY_SOURCE -fPIC -shared $< -o $@

$(LIB_HELPERS:%=$(B)/helpers/%): $(B)/helpers/%: $(B)/obj/tests/helpers/%.o $(B)/libinspect.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(B)/libshared.a $(B)/libinspect.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(LDFLAGS) $^ -o $@ -lcmocka $(UNTAR_LIBS) $(LIBS)

# the only ones that unpack archives
$(B)/tests/unit/test-corpus $(B)/tests/unit/test-toolbox build/fuzz/fuzz-ccp-tar: UNTAR_LIBS = -larchive

# the model of the screens, which no other program has
$(B)/tests/unit/test-model: $(B)/obj/tests/unit/test-model.o $(filter-out %/draw.o %/put.o %/screen.o,$(tui_obj)) $(B)/libshared.a $(B)/libinspect.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(SONDE_LDFLAGS) $(LDFLAGS) $^ -o $@ -lcmocka $(LIBS)

man: $(MANPAGES:%=$(B)/man/%.1)

$(B)/man/%.1: docs/man/%.1.scd
	@mkdir -p $(@D)
	@if command -v scdoc >/dev/null; then scdoc <$< >$@; else echo "scdoc is missing: no man page for $*" >&2; fi

completion: $(TOOLS:%=$(B)/completion/%)

$(B)/completion/%: $(B)/%
	@mkdir -p $(@D)
	$(Q)$< --complete-bash >$@

install: all ## install tools, man pages, completion, schemas below $(DESTDIR)$(PREFIX)
	$(INSTALL) -d $(BINDIR) $(MANDIR) $(COMPDIR) $(DATADIR)
	$(INSTALL) -m 755 $(TOOLS:%=$(B)/%) $(BINDIR)
	$(INSTALL) -m 644 $(TOOLS:%=$(B)/completion/%) $(COMPDIR)
	$(INSTALL) -m 644 docs/json/*.schema.json $(DATADIR)
	for m in $(MANPAGES:%=$(B)/man/%.1); do [ ! -e $$m ] || $(INSTALL) -m 644 $$m $(MANDIR) || exit 1; done
	[ ! -e $(TOOLBOX) ] || { $(INSTALL) -d $(BOXDIR) && $(INSTALL) -m 644 $(TOOLBOX) $(BOXDIR); }

# For any build, so in no folder of one. About five minutes, and 700 MB below /var/tmp meanwhile.
TOOLBOX ?= build/toolbox/debian.squashfs
toolbox: ## build a toolbox for cdebug of Debian packages (mmdebstrap; not as root where the host allows it)
	@toolbox/build.sh $(TOOLBOX)

uninstall: ## remove what install put there
	rm -f $(TOOLS:%=$(BINDIR)/%) $(TOOLS:%=$(COMPDIR)/%) $(MANPAGES:%=$(MANDIR)/%.1)
	rm -rf $(DATADIR)
	rm -f $(BOXDIR)/$(notdir $(TOOLBOX))

unit: $(UNIT:%=$(B)/tests/unit/%) ## build and run the unit tests
	@for t in $^; do echo "== $$t"; $$t 2>&1 || exit 1; done

unit-programs: $(UNIT:%=$(B)/tests/unit/%)

# everything compiled, nothing linked
objects: $(lib_obj) $(shared_obj) $(tool_obj) $(unit_obj) $(helper_obj)

# Both compilers take everything with -Werror; then what no compiler sees (tests/lint), for which the tools are built.
lint: ## gcc and clang without a warning, layout, layers, options = man page = completion
	@$(MAKE) --no-print-directory -j$$(nproc) all objects
	@if command -v clang >/dev/null; then \
		$(MAKE) --no-print-directory -j$$(nproc) CC=clang CFLAGS=-O1 B=build/clang STATIC=no objects; \
	else echo 'lint: clang: skipped, not installed'; [ -z "$$CI" ]; fi
	@tests/lint/run $(B) $(TOOLS)

format: ## lay the C files out with clang-format
	clang-format -i $$(git ls-files '*.c' '*.h')

demo-deps: ## install what the build needs (Debian, Ubuntu; as root)
	@tests/install-deps.sh build

demo: demo-deps ## install what the build needs, build, and show the main job on a container of its own (as root)
	@$(MAKE) --no-print-directory -j$$(nproc) $(TOOLS:%=$(B)/%) $(B)/helpers/demo-container
	@SONDE_BUILD=$(B) docs/demo/demo.sh

check-deps: ## install what the tests need (Debian, Ubuntu; as root)
	@tests/install-deps.sh check
	@bash tests/engines/chroot.sh make trixie
	@bash tests/engines/chroot.sh make sid || echo 'check: no engines of sid: their tests are skipped'

# The unit and live tests run once more under the sanitizers. Nothing comes after tests/run: its last
# line is the result.
check: check-deps ## install what the tests need and run every test (as root)
	@$(MAKE) --no-print-directory -j$$(nproc) all unit-programs
	@$(MAKE) --no-print-directory -j$$(nproc) SAN=address,undefined all unit-programs
	@rm -rf build/engines build/san/engines
	@tests/run --lanes lint unit cli live attack --build build/san unit live matrix --build build vm matrix

check-vm: all ## what needs systemd and pure cgroup v2, in a guest (as root; builds it once, about a minute)
	@tests/run vm

# A target and the library's sources are compiled and linked in one step by clang, apart from all other objects.
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_FLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_SRC = $(filter-out libinspect/enter/%,$(LIB_SRC))
FUZZ_CFLAGS = $(filter-out -MMD -MP -D_FORTIFY_SOURCE=2,$(SONDE_CFLAGS)) $(FUZZ_FLAGS)
fuzz_obj := $(FUZZ_SRC:%.c=build/fuzz/obj/%.o)

build/fuzz/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -c $< -o $@

build/fuzz/libinspect.a: $(fuzz_obj)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

build/fuzz/%: tests/fuzz/%.c build/fuzz/libinspect.a
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $< build/fuzz/libinspect.a -o $@ $(UNTAR_LIBS) $(LIBS)

# What is found new stays in build/fuzz/NAME.corpus; a crash's input is written to build/fuzz/.
fuzz: $(FUZZ:%=build/fuzz/%) ## run every fuzz target for FUZZ_SECONDS (needs clang)
	@tests/lib/fuzzing.py run $(FUZZ_SECONDS) $(fuzz_tests)

fuzz-doc: ## write docs/fuzzing.md from what make fuzz has run
	@tests/lib/fuzzing.py table >build/fuzzing.md && cp build/fuzzing.md docs/fuzzing.md

engines-doc: ## write docs/engines.md from what the live tests have shown (make check)
	@tests/lib/matrix.py table $(B)/engines >$(B)/engines.md && cp $(B)/engines.md docs/engines.md
	@tests/lib/matrix.py table --strict $(B)/engines >/dev/null

bench: all ## compare speed and memory with docker, podman, nsenter and lsns (as root); writes docs/benchmarks.md
	@SONDE_BUILD=$(B) tests/bench/run.sh

# what the lists hold, for tests/lint
sources:
	@printf '%s\n' $(LIB_SRC) $(SHARED_SRC) tools/shared/no-dlopen.c $(CDEBUG_SRC) $(CDIFF_SRC) $(CEXPORT_SRC) $(CPS_SRC) $(CCP_SRC) $(TUI_SRC) $(sort $(SIDECAR_SRC) $(LAUNCHER_SRC)) $(TOOLS:%=tools/%.c) \
		$(UNIT:%=tests/unit/%.c) $(HELPERS:%=tests/helpers/%.c) $(LIB_HELPERS:%=tests/helpers/%.c) $(FUZZ:%=tests/fuzz/%.c) $(MANPAGES:%=docs/man/%.1.scd)

clean: ## remove build/
	rm -rf build

-include $(lib_obj:.o=.d) $(shared_obj:.o=.d) $(tool_obj:.o=.d) $(fault_obj:.o=.d) $(unit_obj:.o=.d) $(helper_obj:.o=.d) $(HELPERS:%=$(B)/helpers/%.d)
