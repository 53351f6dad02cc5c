/*
 * The command line as a contract: what is accepted, what it means, what is said when it is wrong.
 */
#include "host/option_text.h"
#include "host/options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct options o;
static char *out_text, *err_text;

/* Parses a line of words separated by single blanks. */
static enum options_result parse(const char *line)
{
    char *words = strdup(line), *argv[40] = {"kiln"};
    int argc = 1;
    size_t n;
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    options_free(&o);
    free(out_text);
    free(err_text);
    FILE *out = open_memstream(&out_text, &n), *err = open_memstream(&err_text, &n);
    enum options_result r = options_parse(&o, argc, argv, out, err);
    fclose(out);
    fclose(err);
    free(words);
    return r;
}

static void good_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "disk.img",
        "run disk.img",
        "trace disk.img --regs --mem -o t.txt --from 0x7c00 --to 1000 --filter cpl=0",
        "-hda a.img -hdb b.img -hdc c.img -hdd d.img",
        "--hda a.img",
        "-drive file=a.img,format=raw,index=0,media=disk,if=ide,id=x,snapshot=on,readonly=on",
        "-drive file=a.img,if=none,id=d -device ide-hd,drive=d,bus=ide.1,unit=0",
        "-m 512 a.img",
        "-m 1G a.img",
        "-m size=64M a.img",
        "-smp 1 -smp cpus=1 a.img",
        "-cpu max,-bmi2,rdrand=off,+lahf-lm -seed 7 a.img",
        "-cpu host -cpu EPYC-v1 a.img",
        "-cpu max,host-phys-bits,migratable=no a.img",
        "-cpu qemu64,+sse3 -M pc,accel=tcg -accel interp -accel tcg -vga std a.img",
        "-kernel k.elf -initrd i -append x",
        "-accel lockstep a.img",
        "-accel lockstep,interp,hot=0,block=1,tlb=16,blocks=10M,every=500K,hash=off,plant=1000:rbx,save=x a.img",
        "-accel lockstep,jit,plant=1M:0x5000 -M pc,hpet=off a.img",
        "lockstep folder -accel lockstep,interp",
        "-serial stdio -display none a.img",
        "-serial mon:stdio -display sdl -monitor none a.img",
        "-serial file:a -serial null a.img",
        "-serial pty -serial unix:s,server,nowait a.img",
        "-serial tcp::4444,server=on,wait=off -serial tcp:localhost:1 a.img",
        "-s -S a.img",
        "-S -gdb tcp::1234 --gdb-arch i386 --gdb-pc linear a.img",
        "-gdb tcp:[::1]:0,server=on,wait=off a.img",
        "-gdb stdio a.img",
        "-gdb unix:g -monitor unix:m,server,nowait -qmp unix:q,server=on,wait=off a.img",
        "-monitor stdio -serial file:a a.img",
        "-nographic a.img",
        "-curses -monitor none a.img",
        "-display curses -serial file:a a.img",
        "-debugcon stdio -global isa-debugcon.iobase=0x402 a.img",
        "-d int,cpu_reset,guest_errors -D log.txt --trace ide_* a.img",
        "-d all,op,nochain,trace:irq -dfilter 0x7c00..0x7dff,0x100000+0x1000 a.img",
        "-no-reboot -no-shutdown -snapshot -boot order=c -boot c -name x -k en-us a.img",
        "-enable-kvm -netdev user,id=n -device e1000,netdev=n -nic none -usb a.img",
        "-rtc base=utc -rtc base=localtime -rtc base=2024-02-29T23:59:50 a.img",
        "-rt on --timeout 1.5 --max-insns 10M --until serial:ok --until screen:x --until port:0x80",
        "--keys=ls\\n{F1}{ctrl-alt-del}{wait:2} --screenshot s.png --screenshot-at 3 a.img",
        "--stats --state-hash --break-device pit --sym a --sym b --on-halt exit a.img",
        "--on-triple-fault reset --on-end exit -bios x.bin --vgabios none -L dir a.img",
        ("-nodefaults -device isa-debug-exit,iobase=0xf4,iosize=0x4 -display none -serial stdio "
         "-machine accel=tcg -kernel a.flat -smp 1 -append x -initrd env"),
    };
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (parse(lines[i]) != OPTIONS_GO)
            fail_msg("%s: %s", lines[i], err_text);
    }
}

static void bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "no disk image given"},
        {"-snapshoot a.img", "did you mean -snapshot?"},
        {"--timeoot 5 a.img", "did you mean --timeout?"},
        {"-xyzzyplugh", "kiln --help lists them"},
        {"-m", "needs an argument"},
        {"-m 0 a.img", "1M to 64G"},
        {"-m 12Q a.img", "no size"},
        {"-m 1500K a.img", "whole number of MiB"},
        {"-cpu qemu65 a.img", "did you mean qemu64?"},
        {"-cpu max,+bmi3 a.img", "did you mean bmi1?"},
        {"-cpu max,+quux a.img", "-cpu help lists them"},
        {"-seed x a.img", "a number"},
        {"-smp 2 a.img", "one processor only"},
        {"-cdrom a.iso -hdc b", "-hdc (secondary master) already holds a.iso"},
        {"-drive file=a,media=tape", "disk or cdrom"},
        {"-drive file=a,if=floppy,index=2", "there are two floppy drives"},
        {"-drive file=a,if=floppy,media=cdrom", "does not go with"},
        {"-device ahci -device ahci", "one controller already"},
        {"-drive file=a,if=none,id=d -device ide-hd,drive=d,bus=a.0", "adds NAME.0 to NAME.5"},
        {"-device ahci,id=a -drive file=a,if=none,id=d -device ide-hd,drive=d,bus=a.6", "a.0 to a.5"},
        {"-device ahci,id=a -drive file=a,if=none,id=d -device ide-hd,drive=d,bus=a.0 "
         "-device ide-cd,bus=a.0", "both AHCI port 0"},
        {"-device ide-hd", "needs drive=ID"},
        {"-boot x a.img", "is no boot order"},
        {"-fda a.img -fda b.img", "-fda already holds a.img"},
        {"-gdb 1234 a.img", "not stdio, tcp::PORT"},
        {"-gdb tcp:1234x a.img", "has no port"},
        {"-gdb tcp::99999 a.img", "has no port"},
        {"--gdb-arch arm a.img", "not x86-64, i386 or i8086"},
        {"-gdb stdio -serial stdio a.img", "both want stdout"},
        {"-qmp unix:x a.img", "does not call others"},
        {"-qmp unix:x,server,nowiat a.img", "not server, nowait"},
        {"-accel jit,nosuch=1 a.img", "-accel jit has no 'nosuch=1'"},
        {"-accel jit,tlb=0 a.img", "tlb=N (1 to 16384)"},
        {"-accel jit,every=5 a.img", "-accel jit has no 'every=5'"},
        {"-accel lockstep,every=0 a.img", "every=N"},
        {"-accel lockstep,plant=5 a.img", "plant=ICOUNT:REGISTER"},
        {"-accel lockstep,plant=5:eax a.img", "plant=ICOUNT:REGISTER"},
        {"trace -accel lockstep a.img", "do not go together"},
        {"lockstep", "needs the FOLDER"},
        {"lockstep a --keys x", "leave out --keys"},
        {"-M pc,hpet=perhaps a.img", "on or off"},
        {"-M vax a.img", "try -M pc"},
        {"a.img b.img", "a second disk goes with -hdb b.img"},
        {"-hda a.img -hda b.img", "already holds a.img"},
        {"-drive file=a,index=1 -hdb b", "already holds a"},
        {"-hda a -hdb b -hdc c -hdd d -drive file=e", "two IDE channels take four"},
        {"-drive format=raw", "needs file=FILE"},
        {"-drive file=a,format=qcow2", "qemu-img convert -O raw"},
        {"-drive file=a,if=virtio", "try if=ide"},
        {"-drive file=a,readonyl=on", "did you mean readonly?"},
        {"-drive a.img", "Write file=a.img"},
        {"-drive file=a,if=none", "needs id=ID"},
        {"-device ide-hd,drive=q", "no -drive with id=q"},
        {"-device isa-debug-exti", "did you mean isa-debug-exit?"},
        {"-device isa-debug-exit,iobase=99999999", "iobase=99999999: a number, 0 to 65535"},
        {"-device isa-debug-exit,iobsae=1", "no property 'iobsae'; did you mean iobase?"},
        {"-device isa-debug-exit,colour=1", "it has id iobase iosize"},
        {"-device ,iobase=1", "no device"},
        {"-serial stdio -debugcon stdio a.img", "both want stdout"},
        {"trace -serial stdio a.img", "-o FILE"},
        {"-serial stdio -serial stdio a.img", "both want stdout"},
        {"-serial telnet::1 a.img", "not there yet"},
        {"-monitor stdio -serial stdio a.img", "both want stdout"},
        {"-display curses -serial stdio a.img", "both want stdout"},
        {"-display crses a.img", "sdl, curses, none or auto"},
        {"-d intt a.img", "did you mean int?"},
        {"-d int -dfilter 2..1 a.img", "0x7c00..0x7dff"},
        {"--until foo a.img", "serial:TEXT"},
        {"--keys={nokey} a.img", "no key {nokey}"},
        {"--keys={F1 a.img", "without '}'"},
        {"--timeout -5 a.img", "no number of seconds"},
        {"--max-insns x a.img", "no count"},
        {"--screenshot-at 5 a.img", "needs --screenshot"},
        {"--break-device cpu a.img", "no part"},
        {"--on-halt maybe a.img", "wait|exit"},
        {"-append x a.img", "needs -kernel"},
        {"--regs a.img", "belongs to kiln trace"},
        {"-rtc base=tomorrow a.img", "utc, localtime"},
        {"bench a.img", "where to stop, such as --until serial:TEXT"},
        {"bench --until serial:x", "want a disk"},
        {"bench a.img --max-insns 1M --check", "--runs 1 compares"},
        {"bench --check --html a.html", "nothing to draw"},
        {"bench --runs 0", "1 to 99"},
        {"bench --time 0", "milliseconds"},
        {"bench --engine tcg", "not jit or interp"},
        {"bench -serial stdio", "the benchmark's table"},
        {"a.img --runs 3", "kiln bench --runs"},
        {"debug a.img", "not there yet"},
        {"replay", "needs the FILE"},
        {"replay a --keys b", "all input comes from the recording"},
        {"--partial a.img", "belongs to kiln replay"},
        {"img info a", "not there yet"},
        {"--stats=1 a.img", "takes no argument"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (parse(cases[i].line) != OPTIONS_BAD)
            fail_msg("%s: accepted", cases[i].line);
        if (!strstr(err_text, cases[i].says))
            fail_msg("%s: says %s", cases[i].line, err_text);
        assert_string_equal(out_text, "");
    }
}

static void meanings(void **state)
{
    (void)state;
    assert_int_equal(parse("-m 1G -hdb b.img a.img -snapshot"), OPTIONS_GO);
    assert_int_equal(o.ram_bytes, 1u << 30);
    assert_string_equal(o.drive[0].file, "a.img");
    assert_string_equal(o.drive[1].file, "b.img");
    assert_true(o.drive[0].snapshot && o.drive[1].snapshot);
    assert_int_equal(o.display, DISPLAY_DEFAULT);
    assert_int_equal(o.serial[0].kind, CHAR_UNSET);

    assert_int_equal(parse("-drive file=x,,y.img -hda a"), OPTIONS_GO);
    assert_string_equal(o.drive[0].file, "a");
    assert_string_equal(o.drive[1].file, "x,y.img");

    assert_int_equal(parse("-cdrom c.iso -boot order=dc,menu=on"), OPTIONS_GO);
    assert_true(o.drive[2].cdrom && o.drive[2].readonly);
    assert_string_equal(o.drive[2].file, "c.iso");
    assert_string_equal(o.boot_order, "dc");
    assert_false(o.ahci);

    assert_int_equal(parse("-drive file=d,if=none,id=x -drive file=e,if=none,id=y,media=cdrom "
                           "-device ahci,id=a -device ide-hd,drive=x,bus=a.1 "
                           "-device ide-cd,drive=y,bus=a -device ide-cd,bus=ide.1,unit=1"),
                     OPTIONS_GO);
    assert_true(o.ahci);
    assert_string_equal(o.drive[DISK_AHCI + 1].file, "d");
    assert_string_equal(o.drive[DISK_AHCI].file, "e");
    assert_true(o.drive[DISK_AHCI].cdrom && !o.drive[DISK_AHCI + 1].cdrom);
    assert_true(o.drive[3].cdrom && !o.drive[3].file);

    assert_int_equal(parse("-drive file=d,if=ahci -drive file=f,if=floppy -fdb g"), OPTIONS_GO);
    assert_true(o.ahci);
    assert_string_equal(o.drive[DISK_AHCI].file, "d");
    assert_string_equal(o.drive[DISK_FLOPPY].file, "f");
    assert_string_equal(o.drive[DISK_FLOPPY + 1].file, "g");

    assert_int_equal(parse("-nographic a.img"), OPTIONS_GO);
    assert_int_equal(o.display, DISPLAY_NONE);
    assert_int_equal(o.serial[0].kind, CHAR_STDIO);
    assert_true(o.serial[0].escape);

    assert_int_equal(parse("-nographic -serial file:x a.img"), OPTIONS_GO);
    assert_int_equal(o.serial[0].kind, CHAR_FILE);

    assert_int_equal(parse("trace a.img"), OPTIONS_GO);
    assert_int_equal(o.display, DISPLAY_NONE);
    assert_string_equal(options_stdout_user(&o), "the trace");

    assert_int_equal(parse("-device isa-debug-exit a.img"), OPTIONS_GO);
    assert_int_equal(o.exit_port, 0x501);
    assert_int_equal(o.exit_size, 2);

    assert_int_equal(parse("-device pc-testdev a.img"), OPTIONS_GO);
    assert_true(o.pc_testdev && !o.pci_testdev);
    assert_int_equal(parse("-device pci-testdev a.img"), OPTIONS_GO);
    assert_true(o.pci_testdev && !o.pc_testdev);

    assert_int_equal(parse("-rtc base=1970-01-02 a.img"), OPTIONS_GO);
    assert_int_equal(o.rtc_seconds, 86400);
    assert_int_equal(parse("--max-insns 10M -d trace:ide_*,int --trace pit_* a.img"), OPTIONS_GO);
    assert_int_equal(o.max_insns, 10000000);
    assert_string_equal(o.trace_events, "ide_*,pit_*");
    assert_int_equal(parse("-accel lockstep,interp,plant=2M:r9,blocks=0,hash=off -hdb b a.img"), OPTIONS_GO);
    assert_true(o.lockstep.on && !o.lockstep.hash && o.lockstep.every == 1000000 && o.lockstep.blocks == 0);
    assert_true(o.lockstep.plant == PLANT_REGISTER && o.lockstep.plant_where == 9);
    assert_int_equal(o.lockstep.plant_icount, 2000000);
    assert_string_equal(o.engine, "interp");
    assert_true(o.drive[0].snapshot && o.drive[1].snapshot);
    assert_int_equal(parse("-accel jit,hot=3 a.img"), OPTIONS_GO);
    assert_true(!o.lockstep.on && !o.drive[0].snapshot && o.engine_options.hot == 3);
    assert_int_equal(parse("-rt off --on-end exit a.img"), OPTIONS_GO);
    assert_int_equal(o.real_time, OFF);
    assert_int_equal(o.exit_at_end, ON);
}

static void questions(void **state)
{
    (void)state;
    assert_int_equal(parse("--help"), OPTIONS_DONE);
    assert_non_null(strstr(out_text, "QEMU")); /* kvm-unit-tests looks for the word */
    assert_int_equal(parse("-version"), OPTIONS_DONE);
    assert_non_null(strstr(out_text, "Kiln"));
    assert_int_equal(parse("-device ?"), OPTIONS_DONE);
    assert_non_null(strstr(out_text, "name \"isa-debug-exit\", bus ISA"));
    assert_non_null(strstr(out_text, "name \"pc-testdev\", bus ISA"));
    assert_non_null(strstr(out_text, "name \"pci-testdev\", bus PCI"));
    assert_non_null(strstr(out_text, "name \"ide-hd\", bus IDE"));
    assert_int_equal(parse("-d help"), OPTIONS_DONE);
    assert_string_equal(err_text, "");
}

static void small_grammars(void **state)
{
    (void)state;
    u64 n;
    double s;
    assert_true(option_size("0x10", 1, &n) && n == 16);
    assert_true(option_size("512", 1 << 20, &n) && n == 512u << 20);
    assert_true(option_count("2M", &n) && n == 2000000);
    assert_false(option_count("M", &n) || option_count("99999999999G", &n));
    assert_true(option_size("2g", 1, &n) && n == 2ull << 30);
    assert_false(option_size("", 1, &n));
    assert_false(option_size("M", 1, &n));
    assert_false(option_size("99999999999T", 1, &n));
    assert_false(option_u64("-1", &n));
    assert_false(option_u64("0x", &n));
    assert_true(option_seconds(".5", &s) && s == 0.5);
    assert_false(option_seconds("1s", &s));
    assert_true(option_date("2000-01-01T00:00:01", &n) && n == 946684801);
    assert_false(option_date("2000-13-01", &n));
    assert_false(option_date("2000-01-01x", &n));
    assert_int_equal(option_edit_distance("serail", "serial"), 1);
    assert_int_equal(option_edit_distance("hda", "hdb"), 1);
    assert_int_equal(option_edit_distance("", "abc"), 3);
}

static int forget(void **state)
{
    (void)state;
    options_free(&o);
    free(out_text);
    free(err_text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines), cmocka_unit_test(bad_lines),      cmocka_unit_test(meanings),
        cmocka_unit_test(questions),  cmocka_unit_test(small_grammars),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
