/* --help, and the list that tests/lint compares with the man page. */
#include "tools/shared/opts.h"

#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 28

/* "  -o, --output COL,..." into buf. */
static void left_side(const struct opt *opt, char *buf, size_t size)
{
	char letter[8] = "    ", name[64] = "", arg[48] = "";

	if (opt->letter)
		snprintf(letter, sizeof(letter), "-%c%s", opt->letter, opt->name ? ", " : "");
	if (opt->name)
		snprintf(name, sizeof(name), "--%s", opt->name);
	if (opt->arg && opt->kind == OPT_OPTIONAL)
		snprintf(arg, sizeof(arg), opt->name ? "[=%s]" : "[%s]", opt->arg);
	else if (opt->arg)
		snprintf(arg, sizeof(arg), " %s", opt->arg);
	snprintf(buf, size, "  %s%s%s", letter, name, arg);
}

static void print_option(const struct opt *opt)
{
	char left[160];

	left_side(opt, left, sizeof(left));
	if (strlen(left) + 2 > HELP_COLUMN)
		printf("%s\n%*s%s\n", left, HELP_COLUMN, "", opt->help);
	else
		printf("%-*s%s\n", HELP_COLUMN, left, opt->help);
}

void opts_print_help(const struct tool *tool)
{
	bool open = false; /* options before the first group get a heading of their own */

	for (size_t i = 0; tool->usage[i]; i++)
		printf("%s %s %s\n", i == 0 ? "Usage:" : "  or: ", tool->name, tool->usage[i]);
	printf("\n%s\n", tool->summary);
	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++) {
		if (!o->help)
			continue;
		if (o->kind == OPT_GROUP || !open)
			printf("\n%s:\n", o->kind == OPT_GROUP ? o->help : "Options");
		open = true;
		if (o->kind != OPT_GROUP)
			print_option(o);
	}
	if (tool->epilog)
		printf("\n%s\n", tool->epilog);
}

/* One option a line: "-o --output COL,...", "-- --sysroot DIR", "-u --user [USER]", "-F - -". */
void opts_print_list(const struct tool *tool)
{
	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++) {
		bool optional = o->kind == OPT_OPTIONAL;

		if (o->kind == OPT_GROUP || !o->help)
			continue;
		printf("-%c %s%s", o->letter ? o->letter : '-', o->name ? "--" : "-",
		       o->name ? o->name : "");
		printf(" %s%s%s\n", optional ? "[" : "", o->arg ? o->arg : "-",
		       optional ? "]" : "");
	}
}
