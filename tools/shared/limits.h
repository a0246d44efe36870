/* What this process may use. */
#ifndef SONDE_SHARED_LIMITS_H
#define SONDE_SHARED_LIMITS_H

/* As many files open as the caller may have: a tree holds one for each layer of each directory on the way down. */
void limits_raise_files(void);

#endif
