# The option ROM's 8x13 glyphs (firmware/font13.txt) as a C table.
BEGIN { print "/* From firmware/font13.txt. */\nstatic const u8 banner_font[256][13] = {" }
/^[0-9a-f][0-9a-f]  / {
    printf "    [0x%s] = {", $1
    for (i = 2; i <= 14; i++)
        printf "0x%s, ", $i
    print "},"
}
END { print "};" }
