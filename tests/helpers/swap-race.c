/*
 * swap-race A B: exchanges the two names without a pause until it is killed, as a container does that waits for
 * somebody to look first and open later.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: swap-race A B\n");
		return 1;
	}
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) <
		    0) {
			perror("swap-race");
			return 1;
		}
}
