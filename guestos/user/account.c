/*
 * See account.h. Passwords are hashes as crypt(3) makes them, in /etc/shadow or /etc/passwd; an empty
 * field asks for none. Debian's musl has no crypt(): busybox' mkpasswd computes the hash.
 */
#include "guestos/user/account.h"

#include <errno.h>
#include <grp.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static bool read_secret(char *to, int size)
{
    struct termios was, quiet;
    bool is_terminal = tcgetattr(0, &was) == 0;

    if (is_terminal) {
        quiet = was;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
        tcsetattr(0, TCSAFLUSH, &quiet);
    }
    dprintf(1, "Password: ");
    long n = read(0, to, (size_t)size - 1);
    if (is_terminal) {
        tcsetattr(0, TCSAFLUSH, &was);
        dprintf(1, "\n");
    }
    if (n < 0) {
        return false;
    }
    to[n] = 0;
    to[strcspn(to, "\n")] = 0;
    return true;
}

/* What secret becomes with the kind and the salt of `hash` ("$6$SALT$..."), into to. */
static bool hash_like(char *to, int size, const char *secret, const char *hash)
{
    static const char *const kinds[] = {"?", "md5", "?", "?", "?", "sha256", "sha512"};
    char salt[64];
    int kind, in[2], out[2], status = -1;

    if (sscanf(hash, "$%d$%63[^$]", &kind, salt) != 2 || kind < 1 || kind > 6 || pipe(in) < 0) {
        return false;
    }
    if (pipe(out) < 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int i = 3; i < 16; i++) {
            close(i);
        }
        execl("/bin/busybox", "mkpasswd", "-m", kinds[kind], "-S", salt, "-P", "0", NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    dprintf(in[1], "%s\n", secret);
    close(in[1]);
    long n = pid < 0 ? -1 : read(out[0], to, (size_t)size - 1);
    close(out[0]);
    if (pid > 0) {
        waitpid(pid, &status, 0);
    }
    to[n > 0 ? n : 0] = 0;
    to[strcspn(to, "\n")] = 0;
    return status == 0 && to[0];
}

bool account_knows_password(const struct passwd *who)
{
    const struct spwd *shadow = getspnam(who->pw_name);
    const char *hash = shadow ? shadow->sp_pwdp : who->pw_passwd;
    char secret[256], got[256];

    if (!hash[0]) {
        return true;
    }
    if (!read_secret(secret, sizeof secret)) {
        return false;
    }
    bool ok = hash_like(got, sizeof got, secret, hash) && strcmp(got, hash) == 0;
    explicit_bzero(secret, sizeof secret);
    return ok;
}

void account_start_shell(const struct passwd *who, bool login, char *const *arguments)
{
    const char *shell = who->pw_shell[0] ? who->pw_shell : "/bin/sh";
    const char *base = strrchr(shell, '/') ? strrchr(shell, '/') + 1 : shell;
    const char *path = who->pw_uid ? "/bin:/usr/bin" : "/bin:/sbin:/usr/bin:/usr/sbin";
    char name[64], *argv[64] = {name};

    if (initgroups(who->pw_name, who->pw_gid) < 0 || setgid(who->pw_gid) < 0 ||
        setuid(who->pw_uid) < 0) {
        dprintf(2, "cannot become %s: %s\n", who->pw_name, strerror(errno));
        return;
    }
    setenv("HOME", who->pw_dir, 1);
    setenv("SHELL", shell, 1);
    setenv("USER", who->pw_name, 1);
    setenv("LOGNAME", who->pw_name, 1);
    if (login) {
        setenv("PATH", path, 1);
        if (chdir(who->pw_dir) < 0) {
            dprintf(2, "%s: %s; staying in /\n", who->pw_dir, strerror(errno));
            chdir("/");
        }
    }
    snprintf(name, sizeof name, "%s%s", login ? "-" : "", base);
    for (int i = 1; i < 63 && arguments && arguments[i - 1]; i++) {
        argv[i] = arguments[i - 1];
    }
    execv(shell, argv);
    dprintf(2, "%s: %s\n", shell, strerror(errno));
}
