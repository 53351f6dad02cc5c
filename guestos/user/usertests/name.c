/* Names: links, renames, folders, paths. */
#include "guestos/user/usertests/usertests.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static nlink_t links(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_nlink;
}

static ino_t inode(const char *path)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    return st.st_ino;
}

static bool there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void test_hard_links(void)
{
    write_text("a", "text");
    CHECK(link("a", "b") == 0 && links("a") == 2 && inode("a") == inode("b"));
    CHECK_FAILS(link("a", "b"), EEXIST);
    CHECK_FAILS(link("none", "c"), ENOENT);
    CHECK(mkdir("d", 0755) == 0);
    CHECK_FAILS(link("d", "e"), EPERM);
    CHECK(unlink("a") == 0 && links("b") == 1 && file_is("b", "text"));
    CHECK(symlink("b", "s") == 0 && link("s", "s2") == 0); /* of the link itself */
    CHECK(inode("s") == inode("s2") && links("b") == 1);
    CHECK(linkat(AT_FDCWD, "s", AT_FDCWD, "c", AT_SYMLINK_FOLLOW) == 0 && inode("c") == inode("b"));
}

static void test_symbolic_links(void)
{
    char got[300], text[201];
    struct stat st;

    write_text("file", "text");
    CHECK(mkdir("d", 0755) == 0 && symlink("../file", "d/up") == 0 && file_is("d/up", "text"));
    CHECK(lstat("d/up", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 7);
    CHECK(readlink("d/up", got, sizeof got) == 7 && memcmp(got, "../file", 7) == 0);
    CHECK(readlink("d/up", got, 3) == 3);
    CHECK_FAILS(readlink("file", got, sizeof got), EINVAL);
    CHECK_FAILS(symlink("x", "file"), EEXIST);
    CHECK_FAILS(symlink("", "empty"), ENOENT);
    CHECK(symlink("none", "dangling") == 0 && lstat("dangling", &st) == 0);
    CHECK_FAILS(stat("dangling", &st), ENOENT);
    int fd = open("dangling", O_WRONLY | O_CREAT, 0600); /* makes what it points to */
    CHECK(fd >= 0 && there("none"));
    memset(text, 'x', 200); /* longer than fits into the inode */
    text[200] = 0;
    CHECK(symlink(text, "long") == 0 && readlink("long", got, sizeof got) == 200);
    CHECK(symlink("d", "dir") == 0 && file_is("dir/up", "text"));
    CHECK(lstat("dir/", &st) == 0 && S_ISDIR(st.st_mode)); /* the slash follows it */
    CHECK_FAILS(rmdir("dir"), ENOTDIR);
    CHECK(unlink("dir") == 0 && there("d"));
    CHECK(symlink("two", "one") == 0 && symlink("one", "two") == 0);
    CHECK_FAILS(open("one", O_RDONLY), ELOOP);
    char name[16], to[16] = "file";
    for (int i = 0; i < 41; i++) {
        snprintf(name, sizeof name, "chain%d", i);
        CHECK(symlink(to, name) == 0);
        strcpy(to, name);
    }
    CHECK(file_is("chain39", "text")); /* 40 links are followed */
    CHECK_FAILS(open("chain40", O_RDONLY), ELOOP);
}

static void test_rename_files(void)
{
    write_text("a", "a");
    write_text("b", "b");
    ino_t a = inode("a");
    CHECK(rename("a", "c") == 0 && !there("a") && inode("c") == a);
    CHECK(rename("c", "b") == 0 && file_is("b", "a") && !there("c")); /* b's file is gone */
    CHECK(rename("b", "b") == 0 && file_is("b", "a"));
    CHECK(link("b", "hard") == 0 && rename("b", "hard") == 0 && there("b") && there("hard"));
    CHECK_FAILS(rename("none", "x"), ENOENT);
    CHECK_FAILS(rename("b", "none/x"), ENOENT);
    CHECK_FAILS(rename("b", "hard/x"), ENOTDIR);
    CHECK(symlink("b", "s") == 0 && rename("s", "t") == 0 && readlink("t", (char[8]){0}, 8) == 1);
}

static void test_rename_folders(void)
{
    CHECK(mkdir("a", 0755) == 0 && mkdir("a/sub", 0755) == 0 && mkdir("b", 0755) == 0);
    write_text("file", "x");
    CHECK(links("a") == 3 && links("b") == 2);
    CHECK_FAILS(rename("file", "a"), EISDIR);
    CHECK_FAILS(rename("a", "file"), ENOTDIR);
    CHECK(rename("b", "a") < 0 && (errno == ENOTEMPTY || errno == EEXIST));
    CHECK_FAILS(rename("a", "a/sub/x"), EINVAL);
    CHECK_FAILS(rename("a/.", "x"), EBUSY);
    CHECK(rename("a/sub", "b/sub") == 0 && links("a") == 2 && links("b") == 3);
    CHECK(inode("b/sub/..") == inode("b")); /* its parent changed */
    CHECK(rename("b", "a") == 0 && there("a/sub") && !there("b")); /* over an empty one */
    CHECK(rename("a", "a/") == 0);
}

static void test_folders(void)
{
    struct stat st;
    char cwd[PATH_MAX], was[PATH_MAX];

    CHECK(mkdir("d", 0750) == 0 && stat("d", &st) == 0 && (st.st_mode & 07777) == 0750);
    CHECK_FAILS(mkdir("d", 0755), EEXIST);
    CHECK_FAILS(mkdir("none/d", 0755), ENOENT);
    CHECK(mkdir("d/e/", 0755) == 0);
    CHECK(rmdir("d") < 0 && errno == ENOTEMPTY);
    CHECK_FAILS(rmdir("d/e/."), EINVAL);
    CHECK_FAILS(unlink("d/e"), EISDIR);
    CHECK(rmdir("d/e") == 0);
    write_text("f", "");
    CHECK_FAILS(rmdir("f"), ENOTDIR);
    CHECK_FAILS(rmdir("none"), ENOENT);
    CHECK(getcwd(was, sizeof was) && chdir("d") == 0 && getcwd(cwd, sizeof cwd));
    CHECK(strncmp(cwd, was, strlen(was)) == 0 && strcmp(cwd + strlen(was), "/d") == 0);
    CHECK_FAILS((getcwd(cwd, 3) ? 0 : -1), ERANGE);
    CHECK(rmdir("../d") == 0); /* we are in it */
    CHECK_FAILS((getcwd(cwd, sizeof cwd) ? 0 : -1), ENOENT);
    CHECK_FAILS(open("x", O_WRONLY | O_CREAT, 0600), ENOENT);
    CHECK(chdir(was) == 0);
    CHECK_FAILS(chdir("f"), ENOTDIR);
    CHECK_FAILS(chdir("none"), ENOENT);
    int fd = open(".", O_RDONLY);
    CHECK(chdir("/") == 0 && fchdir(fd) == 0 && there("f"));
}

static void test_folder_listing(void)
{
    enum { N = 400 };
    static bool seen[N];
    char name[300];
    int n = 0, dots = 0;
    struct dirent *e;

    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "a_name_that_is_rather_long_%d", i);
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        CHECK(fd >= 0 && close(fd) == 0);
    }
    DIR *d = opendir(".");
    CHECK(d);
    while ((e = readdir(d))) {
        int i = -1;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            dots++;
            continue;
        }
        CHECK(sscanf(e->d_name, "a_name_that_is_rather_long_%d", &i) == 1 && i >= 0 && i < N);
        CHECK(!seen[i] && e->d_ino == inode(e->d_name));
        CHECK(e->d_type == DT_REG || e->d_type == DT_UNKNOWN);
        seen[i] = true;
        n++;
    }
    CHECK(n == N && dots == 2);
    rewinddir(d);
    for (int i = 0; i < 100; i++) {
        CHECK(readdir(d));
    }
    long at = telldir(d);
    strcpy(name, readdir(d)->d_name);
    for (int i = 0; i < 100; i++) {
        CHECK(readdir(d));
    }
    seekdir(d, at);
    CHECK(strcmp(readdir(d)->d_name, name) == 0);
    rewinddir(d); /* removing while listing: each is listed once at most, all are gone after */
    for (n = 0; (e = readdir(d));) {
        if (e->d_name[0] != '.') {
            CHECK(unlink(e->d_name) == 0);
            n++;
        }
    }
    CHECK(n == N && closedir(d) == 0);
}

static void test_names_length(void)
{
    char name[300], path[5000] = "";

    memset(name, 'n', sizeof name);
    name[255] = 0;
    write_text(name, "x");
    CHECK(there(name) && unlink(name) == 0);
    name[255] = 'n';
    name[256] = 0;
    CHECK_FAILS(open(name, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
    CHECK(mkdir("d", 0755) == 0);
    while (strlen(path) < 4080) {
        strcat(path, "d/../");
    }
    strcat(path, "d");
    CHECK(there(path));
    memset(path, '/', 4999);
    CHECK_FAILS(open(path, O_RDONLY), ENAMETOOLONG);
    CHECK(there("d/./../d//") && there("/../../tmp"));
    CHECK_FAILS(open("", O_RDONLY), ENOENT);
    write_text("\xff\n \x01", "odd bytes"); /* all but 0 and '/' */
    CHECK(file_is("\xff\n \x01", "odd bytes"));
}

static void test_deep_folders(void)
{
    char cwd[PATH_MAX];

    for (int i = 0; i < 60; i++) {
        CHECK(mkdir("a_folder_in_a_folder", 0755) == 0 && chdir("a_folder_in_a_folder") == 0);
    }
    CHECK(getcwd(cwd, sizeof cwd) && strlen(cwd) > 60 * 21);
    write_text("bottom", "deep");
    for (int i = 0; i < 60; i++) {
        CHECK(chdir("..") == 0);
    }
    CHECK(strlen(cwd) < sizeof cwd - 8 && file_is(strcat(cwd, "/bottom"), "deep"));
}

static void test_rename_race(void)
{
    uint64_t end = now_ms() + 300;

    write_text("a", "");
    pid_t pid = fork(); /* one moves it about, the other looks: it is never twice or damaged */
    if (pid == 0) {
        while (now_ms() < end) {
            CHECK(rename("a", "b") == 0 && rename("b", "a") == 0);
        }
        _exit(0);
    }
    while (now_ms() < end) {
        struct stat st;
        CHECK(stat("a", &st) == 0 || errno == ENOENT);
        CHECK(stat("b", &st) == 0 || errno == ENOENT);
    }
    CHECK(status_of(pid) == 0 && there("a") && !there("b"));
}

const struct test name_tests[] = {
    TEST(hard_links),     TEST(symbolic_links), TEST(rename_files), TEST(rename_folders),
    TEST(folders),        TEST(folder_listing), TEST(names_length), TEST(deep_folders),
    TEST(rename_race),    {0},
};
