# Boot sectors, byte by byte: small enough to be checked by hand against the manual.

# sector FILE HEX: a 64 KiB image whose first sector holds these bytes and 55 AA.
sector() {
    truncate -s 65536 "$1"
    for byte in $(printf '%s' "$2" | tr -d ' \n' | fold -w 2); do
        # shellcheck disable=SC2059
        printf "$(printf '\\%03o' "0x$byte")" # dash's printf has no \x
    done | dd of="$1" conv=notrunc 2>/dev/null
    printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc 2>/dev/null
}

LOOP="eb fe"                                     # jmp $
HALT="fa f4 eb fd"                               # cli; hlt; jmp -3
EXIT_16="b0 10 e6 f4 $LOOP"                      # mov al,16; out 0f4h,al
RESET="b0 fe e6 64 $LOOP"                        # mov al,0feh; out 64h,al
POST_5A="b0 5a e6 80 $LOOP"                      # mov al,5ah; out 80h,al
# xor ax,ax; mov ds,ax; lidt [7c20h]; int3, with 20h: limit 0, base 0
TRIPLE="31c0 8ed8 0f011e207c cc 0000000000000000000000000000000000000000 0000 00000000"
# mov dx,3f8h; mov al,'O'; out; mov al,'K'; out; mov al,10; out
SERIAL_OK="ba f803 b0 4f ee b0 4b ee b0 0a ee $LOOP"
# again: xor ax,ax; int 16h; mov dx,3f8h; out dx,al; jmp again
ECHO_KEYS="31c0 cd16 baf803 ee eb f6"
# again: mov dx,3fdh; in al,dx; test al,1; jz; mov dx,3f8h; in al,dx; xor al,20h; out dx,al; jmp
ECHO_SERIAL="bafd03 ec a801 74 f8 baf803 ec 3420 ee eb ef"
# mov ax,0b800h; mov es,ax; mov word [es:0],0f58h 'X'; mov word [es:2],0f59h 'Y'; cli; hlt
SCREEN_XY="b800b8 8ec0 26c7060000580f 26c7060200590f $HALT"
# xor ax,ax; mov es,ax; mov bx,7e00h; mov ax,0301h; mov cx,2; mov dx,80h; int 13h; cli; hlt
WRITE_SECTOR="31c0 8ec0 bb007e b80103 b90200 ba8000 cd13 $HALT"
