/*
 * The body of a saved machine: behind the head (machine/identity.h) one zstd stream of sections.
 *
 *     section   tag, 8 bytes, padded with zeros
 *               length of the content, 8 bytes, little-endian
 *               content
 *               XXH64 of tag, length and content, 8 bytes
 *
 * The section "end" is the last. What sections mean is machine/snapshot.c's.
 */
#ifndef MACHINE_SNAPSHOT_FILE_H
#define MACHINE_SNAPSHOT_FILE_H

#include "core/types.h"

enum { SECTION_TAG = 8, SECTION_MAX = 64 << 20 };

struct section_writer;
struct section_reader;

struct section {
    char tag[SECTION_TAG + 1];
    const u8 *data; /* valid until the next one is read */
    size_t len;
};

/* Begins a file beside path, with the head as it is. Nothing is at path before the end is good.
 * All of these fail with -1 or NULL, and why in err. */
struct section_writer *section_writer_open(const char *path, const void *head, size_t head_len,
                                           char *err, size_t err_len);
int section_write(struct section_writer *, const char *tag, const void *data, size_t len);

/* Writes "end", and puts the file in its place, or leaves no trace of it when it is not good.
 * Frees the writer. */
int section_writer_close(struct section_writer *, bool good);

/* Opens a file and gives its first bytes, at most IDENTITY_MAX, to whoever reads the head. */
struct section_reader *section_reader_open(const char *path, const u8 **start, size_t *len,
                                           char *err, size_t err_len);
/* Where the calls below explain what went wrong. */
void section_reader_errors(struct section_reader *, char *err, size_t err_len);
/* Goes to the first section, which begins at the offset; may be done again. */
int section_reader_rewind(struct section_reader *, size_t head_len);
/* 1: a section; 0: the end was reached; -1: truncated or altered. */
int section_read(struct section_reader *, struct section *);
void section_reader_close(struct section_reader *);

#endif
