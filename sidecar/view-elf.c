/*
 * What a program of the toolbox needs to run, and its few changes. The toolbox is trusted; a broken file must still not
 * be read beyond its end.
 */
#include "sidecar/view-launch.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* link.h names what is banned */
#if __SIZEOF_POINTER__ == 8
#define ElfW(type) Elf64_##type
#else
#define ElfW(type) Elf32_##type
#endif

#define IMAGE_MAX ((off_t)512 << 20)
/* a tag that no loader knows, and all skip */
#define DT_SKIPPED 0x60000000

int image_read(int fd, struct image *ret)
{
	struct image img = { 0 };
	int r = 0;

	if (fstat(fd, &img.st) < 0)
		r = -errno;
	else if (img.st.st_size <= 0 || img.st.st_size > IMAGE_MAX)
		r = -ENOEXEC;
	img.size = (size_t)img.st.st_size;
	if (r == 0) {
		img.data = mmap(NULL, img.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		r = img.data == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (r == 0)
		*ret = img;
	return r;
}

void image_clear(struct image *img)
{
	if (img->data)
		munmap(img->data, img->size);
	img->data = NULL;
}

/* size bytes at off, NULL when they are not there. */
static void *at(const struct image *img, uint64_t off, uint64_t size)
{
	return off <= img->size && size <= img->size - off ? img->data + off : NULL;
}

/* A string that ends before the file does. */
static char *string_at(const struct image *img, uint64_t off)
{
	char *s = at(img, off, 1);

	return s && memchr(s, '\0', img->size - off) ? s : NULL;
}

static const ElfW(Phdr) * program_headers(const struct image *img, size_t *ret_n)
{
	const ElfW(Ehdr) *eh = at(img, 0, sizeof(*eh));

	if (!eh || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    eh->e_phentsize != sizeof(ElfW(Phdr)) || eh->e_phoff % _Alignof(ElfW(Phdr)))
		return NULL;
	*ret_n = eh->e_phnum;
	return at(img, eh->e_phoff, (uint64_t)eh->e_phnum * sizeof(ElfW(Phdr)));
}

static const ElfW(Phdr) * find_header(const struct image *img, ElfW(Word) type)
{
	size_t n = 0;
	const ElfW(Phdr) *ph = program_headers(img, &n);

	for (size_t i = 0; ph && i < n; i++)
		if (ph[i].p_type == type)
			return &ph[i];
	return NULL;
}

/* An address of the running program -> where its bytes are in the file. */
static uint64_t offset_of(const struct image *img, uint64_t address)
{
	size_t n = 0;
	const ElfW(Phdr) *ph = program_headers(img, &n);

	for (size_t i = 0; ph && i < n; i++)
		if (ph[i].p_type == PT_LOAD && address >= ph[i].p_vaddr &&
		    address - ph[i].p_vaddr < ph[i].p_filesz)
			return ph[i].p_offset + (address - ph[i].p_vaddr);
	return UINT64_MAX;
}

static ElfW(Dyn) * dynamic(const struct image *img, size_t *ret_n)
{
	const ElfW(Phdr) *ph = find_header(img, PT_DYNAMIC);
	ElfW(Dyn) * dyn;
	size_t n;

	if (!ph || ph->p_offset % _Alignof(ElfW(Dyn)))
		return NULL;
	dyn = at(img, ph->p_offset, ph->p_filesz);
	n = dyn ? ph->p_filesz / sizeof(*dyn) : 0;
	for (size_t i = 0; i < n; i++)
		if (dyn[i].d_tag == DT_NULL)
			n = i;
	*ret_n = n;
	return dyn;
}

static void take_entry(const struct image *img, uint64_t strings, const ElfW(Dyn) * d,
		       struct elf_needs *ret)
{
	const char *s = string_at(img, strings + d->d_un.d_val);

	if (!s)
		return;
	if (d->d_tag == DT_NEEDED && ret->n < sizeof(ret->names) / sizeof(ret->names[0]))
		ret->names[ret->n++] = s;
	else if (d->d_tag == DT_RUNPATH || (d->d_tag == DT_RPATH && !ret->runpath))
		ret->runpath = s;
}

int elf_look(const struct image *img, struct elf_needs *ret)
{
	const ElfW(Phdr) *ph = find_header(img, PT_INTERP);
	uint64_t strings = UINT64_MAX;
	size_t n = 0;
	ElfW(Dyn) * dyn;

	memset(ret, 0, sizeof(*ret));
	if (!program_headers(img, &n))
		return -ENOEXEC;
	dyn = dynamic(img, &n);
	if (ph)
		ret->loader = string_at(img, ph->p_offset);
	for (size_t i = 0; dyn && i < n; i++)
		if (dyn[i].d_tag == DT_STRTAB)
			strings = offset_of(img, dyn[i].d_un.d_ptr);
	for (size_t i = 0; dyn && strings != UINT64_MAX && i < n; i++)
		if (dyn[i].d_tag == DT_NEEDED || dyn[i].d_tag == DT_RUNPATH ||
		    dyn[i].d_tag == DT_RPATH)
			take_entry(img, strings, &dyn[i], ret);
	return 0;
}

static int set_loader(struct image *img)
{
	const ElfW(Phdr) *ph = find_header(img, PT_INTERP);
	char *old = ph ? string_at(img, ph->p_offset) : NULL;
	const char *base;
	size_t dir = sizeof(VIEW_LOADER_DIR) - 1, len;

	if (!old)
		return 0;
	base = strrchr(old, '/');
	base = base ? base + 1 : old;
	len = strlen(base) + 1;
	if (dir + len > ph->p_filesz || !at(img, ph->p_offset, ph->p_filesz))
		return -ENAMETOOLONG;
	memmove(old + dir, base, len);
	memcpy(old, VIEW_LOADER_DIR, dir);
	return 0;
}

int elf_adapt(struct image *img)
{
	size_t n = 0;
	ElfW(Dyn) *dyn = dynamic(img, &n);
	int r = set_loader(img);

	if (r < 0)
		return r;
	for (size_t i = 0; dyn && i < n; i++)
		if (dyn[i].d_tag == DT_RPATH || dyn[i].d_tag == DT_RUNPATH)
			dyn[i].d_tag = DT_SKIPPED;
	relocate_paths(img->data, img->size);
	return 0;
}
