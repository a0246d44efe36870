/* The launcher as bytes: it must be static, and run where no file of ours is, whatever cdebug itself was linked to. */
#include "sidecar/view.h"

__asm__(".section .rodata\n"
	".balign 16\n"
	".global view_launcher\n"
	"view_launcher:\n"
	".incbin \"" LAUNCHER_FILE "\"\n"
	".global view_launcher_end\n"
	"view_launcher_end:\n"
	".byte 0\n"
	".previous\n");
