/* The bash completion of a tool, printed at build time from its table. */
#include "tools/shared/opts.h"

#include <stdio.h>

/* What the shell runs to offer words for one kind of argument; "$cur" is what is typed so far. */
static void print_words(const struct tool *tool, enum opt_complete kind, const char *words)
{
	switch (kind) {
	case COMPLETE_FILE:
		printf("compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))");
		break;
	case COMPLETE_DIR:
		printf("compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))");
		break;
	case COMPLETE_CONTAINER:
		printf("_%s_words \"$(cps -a --no-headings -o NAME 2>/dev/null)\" \"$cur\"",
		       tool->name);
		break;
	case COMPLETE_RUNNING:
		printf("_%s_words \"$(cps --no-headings -o NAME 2>/dev/null)\" \"$cur\"",
		       tool->name);
		break;
	case COMPLETE_COLUMN: printf("_%s_columns", tool->name); break;
	case COMPLETE_PID:
		printf("_%s_words \"$(cd /proc && printf '%%s\\n' [0-9]*)\" \"$cur\"", tool->name);
		break;
	case COMPLETE_USER: printf("COMPREPLY=($(compgen -u -- \"$cur\"))"); break;
	case COMPLETE_WORDS: printf("_%s_words '%s' \"$cur\"", tool->name, words); break;
	case COMPLETE_COMMAND: printf("COMPREPLY=($(compgen -c -- \"$cur\"))"); break;
	case COMPLETE_SIDE:
		printf("compopt -o nospace; _%s_words \"$(cps -a --no-headings -o NAME 2>/dev/null | "
		       "sed 's/$/:/')\" \"$cur\"; COMPREPLY+=($(compgen -f -- \"$cur\"))",
		       tool->name);
		break;
	case COMPLETE_NONE: printf(":"); break;
	}
}

static enum opt_complete complete_of(const struct opt *opt)
{
	return opt->kind == OPT_CHOICE ? COMPLETE_WORDS : opt->complete;
}

/* An option whose argument is a word of its own. */
static bool takes_word(const struct opt *opt)
{
	return opt->kind != OPT_GROUP && opt->arg && opt->kind != OPT_OPTIONAL && opt->help;
}

static void print_pattern(const struct opt *opt)
{
	if (opt->letter)
		printf("-%c%s", opt->letter, opt->name ? "|" : "");
	if (opt->name)
		printf("--%s", opt->name);
}

static void print_arguments(const struct tool *tool)
{
	printf("    case $prev in\n");
	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++) {
		if (!takes_word(o))
			continue;
		printf("    ");
		print_pattern(o);
		printf(") ");
		print_words(tool, complete_of(o), o->words);
		printf("; return ;;\n");
	}
	printf("    esac\n");
}

static void print_names(const struct tool *tool)
{
	printf("    case $cur in\n    -*) _%s_words '", tool->name);
	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++) {
		if (o->kind == OPT_GROUP || !o->help)
			continue;
		if (o->name)
			printf("--%s ", o->name);
		if (o->letter)
			printf("-%c ", o->letter);
	}
	printf("' \"$cur\"; return ;;\n    esac\n");
}

/* Words that are options with a separate argument: the word behind one is no operand. */
static void print_operands(const struct tool *tool)
{
	printf("    local i skip='' operands=0\n"
	       "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "        if [[ -n $skip ]]; then skip=; continue; fi\n"
	       "        case ${COMP_WORDS[i]} in\n        ");
	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++)
		if (takes_word(o)) {
			print_pattern(o);
			printf("|");
		}
	printf("'=') skip=1 ;;\n"
	       "        -*) ;;\n"
	       "        *) operands=$((operands + 1)) ;;\n"
	       "        esac\n"
	       "    done\n");
}

/*
 * The words are compared here and quoted, not given to `compgen -W`, which would expand them: a name like
 * "$(reboot)" is a container's to choose.
 */
static void print_helpers(const struct tool *tool)
{
	printf("# bash completion of %s, made from its option table\n"
	       "# shellcheck shell=bash disable=SC2207\n\n",
	       tool->name);
	printf("_%s_words() {\n"
	       "    local word\n"
	       "    while read -r word; do\n"
	       "        if [[ -n $word && $word == \"$2\"* ]]; then\n"
	       "            printf -v word %%q \"$word\"\n"
	       "            COMPREPLY+=(\"$3$word\")\n"
	       "        fi\n"
	       "    done <<<\"${1// /$'\\n'}\"\n"
	       "}\n\n",
	       tool->name);
}

/* Columns are a comma list with an optional '+' in front. */
static void print_columns(const struct tool *tool)
{
	printf("_%s_columns() {\n"
	       "    local last=${cur##*[,+-]} head\n"
	       "    head=${cur%%\"$last\"}\n"
	       "    compopt -o nospace\n"
	       "    _%s_words \"$(%s --list-columns 2>/dev/null | cut -d' ' -f1)\" \"$last\" \"$head\"\n"
	       "}\n\n",
	       tool->name, tool->name, tool->name);
}

static bool has_columns(const struct tool *tool)
{
	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++)
		if (o->complete == COMPLETE_COLUMN)
			return true;
	return false;
}

void opts_print_bash(const struct tool *tool)
{
	print_helpers(tool);
	if (has_columns(tool))
		print_columns(tool);
	printf("_%s() {\n"
	       "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "    COMPREPLY=()\n"
	       "    if [[ $cur == '=' ]]; then cur=; elif [[ $prev == '=' ]]; then "
	       "prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n",
	       tool->name);
	print_operands(tool);
	if (tool->stop_at_operand) /* what follows the container is a command of its own */
		printf("    if ((operands > 0)); then COMPREPLY=($(compgen -c -f -- \"$cur\")); "
		       "return; fi\n");
	print_arguments(tool);
	print_names(tool);
	printf("    ");
	print_words(tool, tool->operands, "");
	printf("\n}\ncomplete -F _%s %s\n", tool->name, tool->name);
}
