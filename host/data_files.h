/*
 * Where Kiln's own files are: spark.bin, vgabios.bin.
 */
#ifndef HOST_DATA_FILES_H
#define HOST_DATA_FILES_H

#include <stddef.h>

/* Looks in data_dir (-L) if not NULL; otherwise beside the program, in ../share/kiln from there,
 * in $KILN_DATA, and where it was installed. Returns a path to free(), or NULL with the places
 * in err. */
char *data_file_find(const char *name, const char *data_dir, char *err, size_t err_len);

#endif
