# The programs of ../userland.py, run by sh in the guest and natively alike, in a folder with what they need.
# usage: programs.sh prepare      what is not timed: the file that gzip packs, and its packed form
#        programs.sh run NAME     timed
#        programs.sh report NAME  what it said or made
set -e
cd "${0%/*}"
pack=/usr/lib/x86_64-linux-gnu/libcrypto.so.3 # some MB of machine code, tables and words

run() {
    case $1 in
    # By time, since it cannot do otherwise; it says how many it did. What of RSA would be done in the time of
    # signing and of checking differs from place to place; ECDH has one operation only.
    sha256) openssl speed -seconds 2 -bytes 16384 sha256 ;;
    aes-128-cbc) openssl speed -seconds 2 -bytes 16384 -evp aes-128-cbc ;;
    ecdhp256) openssl speed -seconds 2 ecdhp256 ;;
    # One pass: 2^34 of its commands each way. With -mtime it would fit its work to the clock.
    7z) 7z b -mmt1 -md18 1 ;;
    sysbench) sysbench cpu --threads=1 --cpu-max-prime=10000 --events=4000 --time=0 run ;;
    lua) lua5.4 work.lua ;;
    sqlite) sqlite3 :memory: <work.sql ;;
    gzip) gzip -9nc $pack ;;
    gunzip)
        for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do gzip -dc packed.gz >/dev/null; done
        gzip -dc packed.gz ;;
    *) echo "no program $1"; exit 1 ;;
    esac
}

case $1 in
prepare) gzip -6nc $pack >packed.gz ;;
run) run "$2" >said 2>&1 ;;
report)
    case $2 in
    gzip | gunzip) cksum <said ;;
    *) cat said ;;
    esac ;;
esac
