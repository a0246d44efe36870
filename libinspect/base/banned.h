/*
 * What must not be written does not compile. Force-included into every file of the project (Makefile).
 *
 * strcpy & co.: no bound. sprintf: use snprintf or insp_asprintf. strtok: hidden state. atoi & co.: no error.
 * system, popen: a shell. mktemp, tmpnam: a race. alloca: unbounded stack.
 */
#ifndef SONDE_BANNED_H
#define SONDE_BANNED_H

/* Headers that declare the functions come first, so that only uses are poisoned. */
#include <alloca.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* strdupa and friends expand to alloca */
#undef alloca
#undef strdupa
#undef strndupa
/* string.h declares both basename()s; neither is what one wants on a path from a container */
#undef basename
/* a macro for a compiler without __va_arg_pack (clang) when _FORTIFY_SOURCE is set */
#undef sprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll atof
#pragma GCC poison system popen mktemp tmpnam tempnam
#pragma GCC poison alloca strdupa strndupa
#pragma GCC poison getpwnam getpwuid getgrnam getgrgid initgroups dlopen iconv_open

#ifdef SONDE_LIBRARY
#include <jansson.h> /* names printf in an attribute */
/* The library never prints, never exits, never reads the environment. */
#undef printf
#pragma GCC poison printf puts putchar perror getenv secure_getenv setenv exit abort
#endif

#endif
