# Two text screens of 80x25 and their pictures of 720x400: a cell is 9x16 dots. Whatever stands in both, the
# same character in the same attribute, looks the same in both, dot by dot, in the DAC's six bits a colour
# (docs/CONFORMANCE.md); and so it does wherever it stands in one. Where the texts differ, their cells
# are judged so, too, unless the other picture has no such character.
# usage: awk -f cells.awk TEXT_1 PICTURE_1 TEXT_2 PICTURE_2: the bytes of text memory and of a PPM's dots, as decimal
# numbers, a row of the screen a line. Says what differs; status 1 then.
FNR == 1 { file++; picture = file % 2 == 0; who = int((file + 1) / 2) }
!picture { for (x = 0; x < 80; x++) key[who, FNR - 1, x] = $(2 * x + 1) " " $(2 * x + 2); next }
{
    y = int((FNR - 1) / 16)
    for (x = 0; x < 80; x++) {
        s = ""
        for (i = 27 * x + 1; i <= 27 * x + 27; i++)
            s = s sprintf("%c", 48 + int($i / 4))
        dots[y, x] = dots[y, x] s
    }
    if (FNR % 16)
        next
    for (x = 0; x < 80; x++) {
        k = key[who, y, x]
        cells++
        there[who, k] = 1
        if (!(k in looks))
            looks[k] = dots[y, x]
        else if (looks[k] != dots[y, x] && wrong++ < 10)
            print "picture " who ": line " y ", column " x ": character and attribute " k " look otherwise elsewhere"
    }
    delete dots
}
END {
    for (y = 0; y < 25; y++)
        for (x = 0; x < 80; x++) {
            other += key[1, y, x] != key[2, y, x]
            lone += !((1, key[2, y, x]) in there) + !((2, key[1, y, x]) in there)
        }
    for (k in looks) {
        n++
        split(looks[k], d, "")
        for (i in d)
            colour[d[i]] = 1
    }
    print 2000 - other " cells with the same text, " n " characters; " lone " cells have no like in the other picture"
    if (cells != 4000 || wrong || other > 200 || lone > 20 || n < 40 || length(colour) < 2) {
        print wrong + 0 " cells differ"
        exit 1
    }
}
