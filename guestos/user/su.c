/*
 * su: become somebody else, root without a name. The file is root's with the setuid bit: it begins
 * with root's effective uid, asks for the other's password unless root himself called, and gives
 * itself away. su [-] [NAME [ARGUMENTS FOR HIS SHELL]]
 */
#include "guestos/user/account.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int i = 1;
    bool login = argc > 1 && (strcmp(argv[1], "-") == 0 || strcmp(argv[1], "-l") == 0);

    i += login;
    const char *name = i < argc ? argv[i++] : "root";
    struct passwd *who = getpwnam(name);
    if (!who) {
        fprintf(stderr, "su: there is no user %s\n", name);
        return 1;
    }
    if (geteuid() != 0) {
        fprintf(stderr, "su: must be root's, with the setuid bit\n");
        return 1;
    }
    if (getuid() != 0 && !account_knows_password(who)) {
        fprintf(stderr, "su: incorrect password\n");
        return 1;
    }
    account_start_shell(who, login, argv + i);
    return 1;
}
