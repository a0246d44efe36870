/*
 * What must never run: in place of a program, a loader or a library it says so on standard error, and notes it in the target
 * view's directory for temporary files. Built as a static program and as a shared object.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT "TRAPPED\n"

static void tell(int fd)
{
	if (fd >= 0 && write(fd, TEXT, sizeof(TEXT) - 1) < 0)
		return;
}

__attribute__((constructor)) static void trap(void)
{
	int fd = open("/.sonde/var/tmp/trapped", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	tell(STDERR_FILENO);
	tell(fd);
	if (fd >= 0)
		close(fd);
}

#ifndef TRAP_LIBRARY
int main(void)
{
	return 66;
}
#endif
