/* cdebug --toolbox list. */
#ifndef SONDE_CDEBUG_TOOLBOXES_H
#define SONDE_CDEBUG_TOOLBOXES_H

/* Prints those that a name finds. < 0: standard output took them not. */
int toolboxes_print(char *const *envp);

#endif
