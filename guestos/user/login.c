/*
 * login: init starts it on each terminal, as that session's leader. It shows /etc/issue, asks for
 * name and password, makes the terminal the user's and becomes his shell. When the shell ends, init
 * starts the next login.
 */
#include "guestos/user/account.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#define TTY_GROUP 5
#define TRIES     3
#define PATIENCE  60 /* seconds for a name and its password, once somebody has typed */

static const char *terminal = "tty";

/* A file, with \l for the terminal and \n for the host's name. */
static void show(const char *path)
{
    struct utsname host;
    FILE *f = fopen(path, "re");
    int c;

    uname(&host);
    while (f && (c = getc(f)) != EOF) {
        int what = c == '\\' ? getc(f) : 0;
        if (what == 'l' || what == 'n') {
            fputs(what == 'l' ? terminal : host.nodename, stdout);
        } else {
            putchar(c);
        }
    }
    if (f) {
        fclose(f);
    }
    fflush(stdout);
}

/* A name from the terminal; false: its end. */
static bool ask_name(char *to, int size)
{
    struct utsname host;
    long n;

    uname(&host);
    do {
        dprintf(1, "%s login: ", host.nodename);
        n = read(0, to, (size_t)size - 1);
        if (n <= 0) {
            return false;
        }
        to[n] = 0;
        to[strcspn(to, "\n")] = 0;
    } while (!to[0]);
    return true;
}

/* The settings of a terminal at which somebody sits down, whatever the last user left. */
static void reset_terminal(void)
{
    struct termios t;

    if (tcgetattr(0, &t) < 0) {
        return;
    }
    t.c_iflag = ICRNL | IXON;
    t.c_oflag = OPOST | ONLCR;
    t.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    t.c_cc[VINTR] = 3;
    t.c_cc[VQUIT] = 28;
    t.c_cc[VERASE] = 127;
    t.c_cc[VKILL] = 21;
    t.c_cc[VEOF] = 4;
    t.c_cc[VSUSP] = 26;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tcsetattr(0, TCSADRAIN, &t);
}

int main(void)
{
    char name[64];
    const char *path = ttyname(0);

    if (path) {
        terminal = strncmp(path, "/dev/", 5) == 0 ? path + 5 : path;
    }
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTSTP, SIG_IGN);
    reset_terminal();
    show("/etc/issue");
    for (int i = 0; i < TRIES && ask_name(name, sizeof name); i++) {
        struct passwd *who = getpwnam(name);
        struct passwd nobody = {.pw_name = "", .pw_passwd = "*"}; /* asks, to give nothing away */

        alarm(PATIENCE);
        bool ok = account_knows_password(who ? who : &nobody);
        alarm(0);
        if (!ok || !who) {
            dprintf(1, "Login incorrect\n");
            continue;
        }
        fchown(0, who->pw_uid, TTY_GROUP);
        fchmod(0, 0620);
        setenv("TERM", isdigit((unsigned char)terminal[3]) ? "linux" : "vt102", 1);
        show("/etc/motd");
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        signal(SIGTSTP, SIG_DFL);
        account_start_shell(who, true, NULL);
        break;
    }
    return 1;
}
