/*
 * The sums in an input log (machine/record_format.h), for tests that alter logs.
 */
#ifndef TESTS_REPLAY_LOG_SUMS_H
#define TESTS_REPLAY_LOG_SUMS_H

#include "core/types.h"

/* Where the head ends; 0: there is none. */
size_t log_head_length(const u8 *log, size_t len);

/* Makes each sum right for whatever stands there, as far as the blocks can be followed. */
void log_set_sums(u8 *log, size_t len);

#endif
