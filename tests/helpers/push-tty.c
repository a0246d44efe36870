/*
 * push-tty TEXT: pushes TEXT and a newline into the input of its terminal with TIOCSTI, as if it had been typed.
 * Exit status 2: the kernel refuses (dev.tty.legacy_tiocsti=0 and no CAP_SYS_ADMIN).
 */
#include <stdio.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: push-tty TEXT\n");
		return 1;
	}
	for (const char *p = argv[1]; *p; p++)
		if (ioctl(0, TIOCSTI, p) < 0) {
			perror("push-tty");
			return 2;
		}
	return ioctl(0, TIOCSTI, "\n") < 0 ? 2 : 0;
}
