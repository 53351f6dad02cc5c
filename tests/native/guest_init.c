/*
 * The first program of the Linux guest that in_qemu.sh boots: loads the modules in
 * /modules by name, runs /native_test as the kernel's command line says, and powers off.
 *
 *   probe=EMULATOR   writes what the processor can do to the disk that begins with KILNDISK
 *   nothing          runs the cases of the disk that has them; the outcomes go to that disk
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void load_modules(void)
{
    struct dirent **list;
    int n = scandir("/modules", &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[512];
        int fd;

        if (list[i]->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/modules/%s", list[i]->d_name);
        fd = open(path, O_RDONLY);
        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
            perror(path);
        close(fd);
    }
}

/* Which letter a disk gets is a race between drivers: it is known by what it begins with. Disks
 * appear some time after their driver has been loaded. */
static bool find_disk(const char *label, char path[16])
{
    for (int i = 0; i < 600; i++) {
        for (char letter = 'a'; letter <= 'd'; letter++) {
            char start[8] = "";
            int fd;

            snprintf(path, 16, "/dev/sd%c", letter);
            fd = open(path, O_RDONLY);
            if (fd >= 0 && read(fd, start, 8) == 8 && !memcmp(start, label, 8)) {
                close(fd);
                return true;
            }
            close(fd);
        }
        usleep(100000);
    }
    fprintf(stderr, "no disk begins with %s\n", label);
    return false;
}

int main(void)
{
    const char *probe = getenv("probe");
    char cases[16], outcomes[16];
    int status = 0;
    pid_t pid;

    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mount("proc", "/proc", "proc", 0, NULL);
    load_modules();
    pid = fork();
    if (pid == 0) {
        if (!find_disk("KILNDISK", outcomes))
            _exit(126);
        if (probe)
            execl("/native_test", "native_test", "--probe", outcomes, "--emulator", probe, (char *)NULL);
        else if (find_disk("KILNCASE", cases))
            execl("/native_test", "native_test", "--execute", cases, "--to", outcomes, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    sync();
    printf("guest status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 255);
    fflush(stdout);
    tcdrain(1);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
