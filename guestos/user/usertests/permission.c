/* Who may do what: modes, owners, sticky, setuid and setgid. Root, who can become others, tests. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANN = 20001, BOB = 20002, CLUB = 20010 }; /* each also with a group of that number */

static mode_t mode(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_mode & 07777;
}

static void make(const char *path, uid_t owner, gid_t group, mode_t mode_bits)
{
    write_text(path, "text");
    CHECK(chown(path, owner, group) == 0 && chmod(path, mode_bits) == 0);
}

static void test_umask(void)
{
    CHECK(umask(027) == 022);
    close(open("f", O_CREAT | O_WRONLY, 0666));
    CHECK(mkdir("d", 0777) == 0 && mode("f") == 0640 && mode("d") == 0750);
    CHECK(chmod("f", 0604) == 0 && mode("f") == 0604);
    CHECK(umask(0) == 027 && mkdir("e", 01777) == 0 && mode("e") == 01777);
}

static void as_ann(void)
{
    become(ANN, ANN);
    CHECK(open("mine", O_RDWR) >= 0);
    CHECK_FAILS(open("roots", O_RDONLY), EACCES);
    CHECK_FAILS(open("readable", O_WRONLY), EACCES);
    CHECK(open("readable", O_RDONLY) >= 0);
    CHECK_FAILS(open("groups", O_RDONLY), EACCES); /* CLUB is not among hers yet */
    CHECK_FAILS(open("closed_to_owner", O_RDONLY), EACCES); /* others may; she may not */
    CHECK_FAILS(open("dir/f", O_RDONLY), EACCES);           /* no x on the way */
    CHECK(access("dir", R_OK) == 0 && access("dir", X_OK) < 0);
    CHECK_FAILS(open("new", O_WRONLY | O_CREAT, 0600), EACCES);
    CHECK_FAILS(unlink("mine"), EACCES); /* the folder is not hers */
    CHECK_FAILS(chmod("roots", 0777), EPERM);
    CHECK_FAILS(chown("mine", BOB, (gid_t)-1), EPERM);
    CHECK_FAILS(chown("mine", (uid_t)-1, CLUB), EPERM);
    CHECK(chown("mine", (uid_t)-1, ANN) == 0 && chmod("mine", 0600) == 0);
    CHECK_FAILS(truncate("readable", 0), EACCES);
    CHECK_FAILS(rename("mine", "other"), EACCES);
    CHECK_FAILS(access("roots", R_OK), EACCES);
    CHECK(access("roots", F_OK) == 0);
}

static void test_permissions(void)
{
    need_root();
    make("mine", ANN, ANN, 0600);
    make("roots", 0, 0, 0600);
    make("readable", 0, 0, 0644);
    make("groups", 0, CLUB, 0640);
    make("closed_to_owner", ANN, ANN, 0044);
    CHECK(mkdir("dir", 0755) == 0);
    make("dir/f", 0, 0, 0644);
    CHECK(chmod("dir", 0744) == 0);
    CHECK(in_child(as_ann) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        gid_t club = CLUB, got[4];
        CHECK(setgroups(1, &club) == 0 && setgid(ANN) == 0 && setuid(ANN) == 0);
        CHECK(getgroups(4, got) == 1 && got[0] == CLUB);
        CHECK(open("groups", O_RDONLY) >= 0);
        CHECK_FAILS(open("groups", O_WRONLY), EACCES);
        CHECK_FAILS(setgroups(0, NULL), EPERM);
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    make("nobodys", 0, 0, 0000);
    CHECK(open("nobodys", O_RDWR) >= 0); /* root may, */
    CHECK_FAILS(access("nobodys", X_OK), EACCES); /* but executes only what somebody may */
}

static void as_bob_in_sticky(void)
{
    become(BOB, BOB);
    CHECK_FAILS(unlink("sticky/anns"), EPERM);
    CHECK_FAILS(rename("sticky/anns", "sticky/x"), EPERM);
    CHECK(unlink("sticky/bobs") == 0 && unlink("plain/anns") == 0);
    close(open("sticky/new", O_CREAT | O_WRONLY, 0600));
    CHECK_FAILS(rename("sticky/new", "sticky/anns"), EPERM);
}

static void test_sticky(void)
{
    need_root();
    CHECK(mkdir("sticky", 0755) == 0 && mkdir("plain", 0755) == 0);
    CHECK(chmod("sticky", 01777) == 0 && chmod("plain", 0777) == 0);
    make("sticky/anns", ANN, ANN, 0666);
    make("sticky/bobs", BOB, BOB, 0666);
    make("plain/anns", ANN, ANN, 0600);
    CHECK(in_child(as_bob_in_sticky) == 0);
}

static void as_ann_in_club(void)
{
    gid_t club = CLUB;
    struct stat st;

    CHECK(setgroups(1, &club) == 0 && setgid(ANN) == 0 && setuid(ANN) == 0);
    close(open("shared/f", O_CREAT | O_WRONLY, 0660));
    CHECK(mkdir("shared/d", 0770) == 0);
    CHECK(stat("shared/f", &st) == 0 && st.st_uid == ANN && st.st_gid == CLUB);
    CHECK(stat("shared/d", &st) == 0 && st.st_gid == CLUB && (st.st_mode & S_ISGID));
    close(open("other/f", O_CREAT | O_WRONLY, 0660));
    CHECK(stat("other/f", &st) == 0 && st.st_gid == ANN);
}

static void test_setgid_folder(void)
{
    need_root();
    CHECK(mkdir("shared", 0755) == 0 && chown("shared", 0, CLUB) == 0);
    CHECK(chmod("shared", 02770) == 0 && mkdir("other", 0755) == 0 && chmod("other", 0777) == 0);
    CHECK(in_child(as_ann_in_club) == 0);
}

/* Runs "./program @ids" as ann; what it printed. */
static void ids_as_ann(char *got, size_t size)
{
    int fd[2];

    CHECK(pipe(fd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 1);
        become(ANN, ANN);
        execl("program", "program", "@ids", NULL);
        _exit(1);
    }
    close(fd[1]);
    ssize_t n = read(fd[0], got, size - 1);
    got[n > 0 ? n : 0] = 0;
    close(fd[0]);
    CHECK(status_of(pid) == 0);
}

static void test_setuid_program(void)
{
    static char data[1 << 20];
    char got[64];

    need_root();
    size_t len = read_file(self_path, data, sizeof data);
    write_file("program", data, len, 0755);
    CHECK(chown("program", BOB, CLUB) == 0);
    ids_as_ann(got, sizeof got);
    CHECK(strcmp(got, "20001 20001 20001 20001\n") == 0);
    CHECK(chmod("program", 04755) == 0);
    ids_as_ann(got, sizeof got);
    CHECK(strcmp(got, "20001 20002 20001 20001\n") == 0);
    CHECK(chmod("program", 06755) == 0);
    ids_as_ann(got, sizeof got);
    CHECK(strcmp(got, "20001 20002 20001 20010\n") == 0);
    CHECK(chown("program", BOB, CLUB) == 0 && mode("program") == 0755); /* chown takes the bits */
    CHECK(chmod("program", 06757) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        become(ANN, ANN);
        int fd = open("program", O_WRONLY | O_APPEND);
        CHECK(fd >= 0 && write(fd, "x", 1) == 1); /* so does writing by who is not root */
        _exit(0);
    }
    CHECK(status_of(pid) == 0 && mode("program") == 0757);
    write_text("script", "#!/bin/sh\nexit $(id -u | grep -c 20002)\n");
    CHECK(chown("script", BOB, BOB) == 0 && chmod("script", 04755) == 0);
    pid = fork();
    if (pid == 0) {
        become(ANN, ANN);
        execl("script", "script", NULL);
        _exit(9);
    }
    CHECK(status_of(pid) == 0); /* not for scripts */
}

static void saved_ids(void)
{
    uid_t r, e, s;

    CHECK(setresuid(ANN, BOB, 0) == 0 && getuid() == ANN && geteuid() == BOB);
    CHECK(seteuid(ANN) == 0 && geteuid() == ANN);
    CHECK_FAILS(seteuid(CLUB), EPERM);
    CHECK(seteuid(0) == 0 && geteuid() == 0); /* by the saved one */
    CHECK(setuid(ANN) == 0);                  /* by root: all three */
    CHECK(getresuid(&r, &e, &s) == 0 && r == ANN && e == ANN && s == ANN);
    CHECK_FAILS(setuid(0), EPERM);
    CHECK_FAILS(seteuid(0), EPERM);
    CHECK_FAILS(setreuid(BOB, (uid_t)-1), EPERM);
    CHECK_FAILS(setgid(0), getegid() == 0 ? 0 : EPERM);
}

static void test_saved_ids(void)
{
    need_root();
    CHECK(setresgid(ANN, ANN, ANN) == 0);
    CHECK(in_child(saved_ids) == 0);
}

static void test_kill_permission(void)
{
    need_root();
    pid_t root = fork();
    if (root == 0) {
        pause();
    }
    pid_t ann = fork();
    if (ann == 0) {
        become(ANN, ANN);
        for (;;) {
            pause();
        }
    }
    sleep_ms(50);
    pid_t pid = fork();
    if (pid == 0) {
        become(ANN, ANN);
        CHECK_FAILS(kill(root, SIGTERM), EPERM);
        CHECK_FAILS(kill(1, 0), EPERM);
        CHECK(kill(ann, SIGTERM) == 0);
        _exit(0);
    }
    CHECK(status_of(pid) == 0 && status_of(ann) == 128 + SIGTERM);
    kill(root, SIGKILL);
    CHECK(status_of(root) == 128 + SIGKILL);
}

static void test_root_only(void)
{
    need_root();
    CHECK(chmod(".", 0777) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        become(ANN, ANN);
        CHECK_FAILS(sethostname("x", 1), EPERM);
        CHECK_FAILS(chroot("."), EPERM);
        CHECK_FAILS(mknod("node", S_IFCHR | 0600, 0x103), EPERM);
        _exit(0);
    }
    CHECK(status_of(pid) == 0);
    CHECK(mknod("node", S_IFCHR | 0600, 0x103) == 0);
    struct stat st;
    CHECK(stat("node", &st) == 0 && st.st_rdev == 0x103 && S_ISCHR(st.st_mode));
    pid = fork();
    if (pid == 0) {
        CHECK(mkdir("jail", 0755) == 0 && chroot("jail") == 0 && chdir("/") == 0);
        CHECK(open("/../../etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
        CHECK(mkdir("/inside", 0755) == 0);
        _exit(0);
    }
    CHECK(status_of(pid) == 0 && access("jail/inside", F_OK) == 0);
}

const struct test permission_tests[] = {
    TEST(umask),          TEST(permissions), TEST(sticky),          TEST(setgid_folder),
    TEST(setuid_program), TEST(saved_ids),   TEST(kill_permission), TEST(root_only),
    {0},
};
