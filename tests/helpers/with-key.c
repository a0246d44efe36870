/*
 * with-key NAME COMMAND...: runs it with a session keyring of its own that holds a key of that name, as pam_keyinit and
 * keyctl(1) leave one. session-keyring(7).
 * with-key NAME: reads that key from the session keyring; 1 when it is not there.
 */
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int read_key(const char *name)
{
	char text[64];
	long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0);
	long n = key < 0 ? -1 : syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof(text));

	if (n < 0) {
		perror("with-key");
		return 1;
	}
	printf("read %.*s\n", (int)n, text);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return read_key(argv[1]);
	if (argc < 3)
		return 2;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", argv[1], "secret", strlen("secret"),
		    KEY_SPEC_SESSION_KEYRING) < 0) {
		perror("with-key");
		return 1;
	}
	execvp(argv[2], argv + 2);
	return 127;
}
