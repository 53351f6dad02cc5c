/* What login and su share: who somebody is, whether he knows the password, and becoming him. */
#ifndef GUESTOS_USER_ACCOUNT_H
#define GUESTOS_USER_ACCOUNT_H

#include <pwd.h>
#include <stdbool.h>

/* Asks for the password on the terminal, without echo, if there is one. */
bool account_knows_password(const struct passwd *);

/* Groups, group, user, home folder, environment; then his shell with "-" before its name if `login`
 * is true. Comes back only on failure, having said why. */
void account_start_shell(const struct passwd *, bool login, char *const *arguments);

#endif
