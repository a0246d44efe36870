/* The files that ctop's numbers come from. The first byte chooses the parser, the rest is the file. */
#include "libinspect/stats/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct stat_file *what, const char *buf, size_t len)
{
	struct insp_sample sample = { 0 };
	struct stat_parts parts = { .sample = &sample };

	what->parse(buf, len, &parts);
	stat_parts_join(&parts);
	/* only what the file may tell, or what two files make */
	if (sample.known & ~what->fields)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *buf = (const char *)data + 1;
	size_t n_v1 = 0, n_v2 = 0, choice;
	uint64_t a, b;

	if (size < 1)
		return 0;
	while (stat_files_v1[n_v1].name)
		n_v1++;
	while (stat_files_v2[n_v2].name)
		n_v2++;
	choice = data[0] % (n_v1 + n_v2 + 4);
	if (choice < n_v1)
		run(&stat_files_v1[choice], buf, size - 1);
	else if (choice < n_v1 + n_v2)
		run(&stat_files_v2[choice - n_v1], buf, size - 1);
	else if (choice == n_v1 + n_v2)
		(void)stat_parse_netdev(buf, size - 1, &a, &b);
	else if (choice == n_v1 + n_v2 + 1)
		(void)stat_parse_procio(buf, size - 1, &a, &b);
	else if (choice == n_v1 + n_v2 + 2)
		(void)stat_parse_psi(buf, size - 1, &a, &b);
	else
		(void)stat_parse_meminfo(buf, size - 1, "MemTotal", &a);
	return 0;
}
